"""Containers in a user namespace of their own (linux.uidMappings, linux.gidMappings).

What a program sees is compared with the same container under the reference
runtime; what it leaves behind is looked at from the host.
"""

import os

from harness import bundle as bundles
from harness import expect

FIRST_UID, FIRST_GID, COUNT = 100000, 200000, 65536


def mapped(config):
    config["linux"]["namespaces"].append({"type": "user"})
    for name, first in (("uidMappings", FIRST_UID), ("gidMappings", FIRST_GID)):
        config["linux"][name] = [{"containerID": 0, "hostID": first, "size": COUNT}]


def shifted_root(env):
    """A busybox tree that belongs to the container's root, as engines prepare it."""
    root = env.fresh_root("busybox")
    for directory, names, files in os.walk(root):
        for name in [".", *names, *files]:
            status = os.lstat(os.path.join(directory, name))
            if status.st_uid < COUNT:
                os.lchown(os.path.join(directory, name), status.st_uid + FIRST_UID,
                          status.st_gid + FIRST_GID)
    return root


def shell(script):
    return ["/bin/sh", "-c", script]


def run(env, script, **settings):
    return env.runtime.run(env.bundle(shifted_root(env), shell(script), change=mapped, **settings))


def agree(env, script, **settings):
    """The script's output under the runtime, the same under the reference."""
    root = shifted_root(env)
    bundle = env.bundle(root, shell(script), change=mapped, **settings)
    theirs, ours = env.reference.run(bundle), env.runtime.run(bundle)
    expect.true(theirs.code == 0 and theirs.out, f"under the reference: {theirs}")
    expect.equal(ours.out.decode(), theirs.out.decode(), f"output ({ours.err!r})")
    return ours.out.decode()


def test_maps_are_shown(env):
    text = agree(env, "cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; id -u; id -g")
    expect.contains(text, "0     100000      65536", "uid_map")


def test_owners_of_the_container_s_files(env):
    agree(env, "stat -c '%n %u %g %a' / /bin /tmp /dev /dev/shm /dev/pts /etc/passwd")


def test_owners_of_the_kernel_s_files(env):
    agree(env, "stat -c '%n %u %g' /proc/1 /proc/1/status /proc/sys /proc/meminfo /sys /dev/null")


def test_other_users_and_groups(env):
    script = ("grep -E 'Uid|Gid|Groups' /proc/self/status; touch /tmp/mine; "
              "stat -c '%u %g' /tmp/mine")
    agree(env, script, uid=5, gid=6, groups=[7, 8])


def test_devices_cannot_be_made(env):
    agree(env, "mknod /tmp/null c 1 3 2>&1; mknod /tmp/pipe p && stat -c '%F %u' /tmp/pipe")


def test_ids_without_a_mapping(env):
    agree(env, "touch /tmp/f; chown 70000 /tmp/f 2>&1; chown 5:6 /tmp/f && stat -c '%u %g' /tmp/f")


def test_foreign_files_are_nobody_s(env):
    directory = env.directory(0o755)
    for name, mode in (("readable", 0o644), ("secret", 0o600)):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write(name + "\n")
        os.chmod(os.path.join(directory, name), mode)
    script = ("cd /foreign; stat -c '%n %u %g' readable secret; cat readable; cat secret 2>&1; "
              "chmod 777 secret 2>&1; rm -f readable 2>&1; echo x 2>&1 > new; echo end")
    agree(env, script, mounts=[bundles.bind(directory, "/foreign")])
    expect.equal(sorted(os.listdir(directory)), ["readable", "secret"], "entries")


def test_new_files_belong_to_mapped_users_on_the_host(env):
    directory = env.directory(0o777)
    expect.success(run(env, "cd /shared; echo x > a; echo x > b; chown 5:6 b; mkdir d; ln -s a l",
                       mounts=[bundles.bind(directory, "/shared")]))
    owners = {name: (os.lstat(os.path.join(directory, name)).st_uid,
                     os.lstat(os.path.join(directory, name)).st_gid)
              for name in os.listdir(directory)}
    root = (FIRST_UID, FIRST_GID)
    expect.equal(owners, {"a": root, "b": (FIRST_UID + 5, FIRST_GID + 6), "d": root, "l": root},
                 "owners on the host")


def test_root_has_its_rights_inside(env):
    agree(env, "hostname changed && hostname; mount -t tmpfs none /tmp && stat -c '%u' /tmp; "
               "echo 1 2>&1 > /proc/sys/kernel/panic; grep Cap /proc/self/status")


def test_user_namespaces_nest(env):
    agree(env, "unshare -U -r sh -c 'id -u; cat /proc/self/uid_map'")


def test_exec_maps_its_user(env):
    bundle = env.bundle(shifted_root(env), ["/bin/sleep", "1000"], change=mapped)
    with env.detached(bundle) as container:
        done = env.runtime.call("exec", "--user", "5:6", container, "/bin/sh", "-c",
                                "id -u; id -g; echo x > /tmp/of-exec; stat -c %u /tmp/of-exec")
        expect.output(done, "5\n6\n5\n")
        if env.runtime.is_ours:
            done = env.runtime.call("exec", "--user", "70000", container, "/bin/true")
            expect.contains(done.err.decode(), "70000 is not in linux.uidMappings", "message")
            table = env.runtime.call("ps", container, "-o", "uid,comm").out.decode()
            expect.contains(table, "0 sleep", "ps")


def test_user_without_a_mapping_is_an_error(env):
    done = run(env, "true", uid=COUNT)
    expect.true(done.code != 0, "it was accepted")
    if env.runtime.is_ours:
        expect.contains(done.err.decode(), f"process.user.uid: {COUNT} is not in linux.uidMappings",
                        "message")


def wrong(env, change, message):
    def both(config):
        mapped(config)
        change(config["linux"])

    done = env.runtime.run(env.bundle(env.shared_root("busybox"), ["/bin/true"], change=both))
    expect.true(done.code != 0, "it was accepted")
    if env.runtime.is_ours:
        expect.contains(done.err.decode(), message, "message")


def test_mappings_must_make_sense(env):
    overlap = [{"containerID": 0, "hostID": 5, "size": 9}, {"containerID": 8, "hostID": 50, "size": 1}]
    wrong(env, lambda linux: linux.update(uidMappings=overlap), "linux.uidMappings")
    wrong(env, lambda linux: linux.update(gidMappings=[]), "linux.gidMappings: missing")
    wrong(env, lambda linux: linux["namespaces"].pop(), "linux.uidMappings: linux.namespaces has no")
    huge = [{"containerID": 0, "hostID": 4294967290, "size": 100}]
    wrong(env, lambda linux: linux.update(uidMappings=huge), "linux.uidMappings")
