"""Root and bind mounts: read-only, read-write, kinds, users."""

import contextlib
import os
import socket
import subprocess
import threading

from harness import bundle as bundles
from harness import expect, host
from harness.environment import read
from harness.runtime import Runtime


def shared_directory(env):
    path = env.directory(0o777)
    with open(os.path.join(path, "given"), "w", encoding="utf-8") as file:
        file.write("from the host\n")
    return path


def test_bind_mount_reads_and_writes(env):
    source = shared_directory(env)
    done = env.run("busybox", ["/bin/sh", "-c", "cat /mnt/given; echo back > /mnt/new"],
                   mounts=[bundles.bind(source, "/mnt", "rw")])
    expect.output(done, "from the host\n")
    expect.equal(read(os.path.join(source, "new")), "back\n", "file on the host")


def test_bind_mount_read_only(env):
    source = shared_directory(env)
    script = ("cat /mnt/given; for c in 'echo x > /mnt/new' 'rm /mnt/given' 'mkdir /mnt/d' "
              "'chmod 777 /mnt/given' 'echo y >> /mnt/given'; do sh -c \"$c\" 2>&1; done")
    done = env.run("busybox", ["/bin/sh", "-c", script],
                   mounts=[bundles.bind(source, "/mnt", "ro")])
    text = done.out.decode()
    expect.equal(text.count("Read-only file system"), 5, f"refusals in {text!r}")
    expect.equal(os.listdir(source), ["given"], "entries on the host")


def test_host_changes_are_seen_in_bind_mount(env):
    source = shared_directory(env)
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/sh", "-c", (
        "echo ready; while [ ! -e /mnt/later ]; do sleep 0.05; done; cat /mnt/later; "
        "while grep -q old /mnt/later; do sleep 0.05; done; cat /mnt/later")],
        mounts=[bundles.bind(source, "/mnt", "rw")])
    with env.detached(bundle) as container:
        output = os.path.join(bundle, "output")
        expect.true(host.wait_until(lambda: "ready" in read(output)), "not ready")
        for content in ("old\n", "new content\n"):
            temporary = os.path.join(source, ".tmp")
            with open(temporary, "w", encoding="utf-8") as file:
                file.write(content)
            os.rename(temporary, os.path.join(source, "later"))
            expect.true(host.wait_until(lambda c=content: c in read(output)),
                        f"{content!r} was not seen: {read(output)!r}")
        expect.true(host.wait_until(lambda: env.runtime.status(container) == "stopped"), "end")


def test_bind_mount_of_a_file(env):
    source = os.path.join(shared_directory(env), "given")
    done = env.run("busybox", ["/bin/sh", "-c", "cat /mnt-file; echo more >> /mnt-file"],
                   mounts=[bundles.bind(source, "/mnt-file", "rw")])
    expect.output(done, "from the host\n")
    expect.equal(read(source), "from the host\nmore\n", "file on the host")


def test_bind_mount_makes_its_mount_point(env):
    source = shared_directory(env)
    done = env.runtime.run(env.bundle(env.fresh_root("busybox"),
                                      ["/bin/cat", "/new/deep/place/given"],
                                      mounts=[bundles.bind(source, "/new/deep/place")]))
    expect.output(done, "from the host\n")


def test_nested_bind_mounts(env):
    outer, inner = shared_directory(env), shared_directory(env)
    os.mkdir(os.path.join(outer, "inner"))
    done = env.run("busybox", ["/bin/sh", "-c", "cat /mnt/given /mnt/inner/given"],
                   mounts=[bundles.bind(outer, "/mnt"), bundles.bind(inner, "/mnt/inner")])
    expect.output(done, "from the host\nfrom the host\n")


def test_cannot_leave_bind_mount_by_dots_or_symlink(env):
    source = shared_directory(env)
    os.symlink("/etc/hostname", os.path.join(source, "absolute"))
    os.symlink("../../../../../../etc/hostname", os.path.join(source, "relative"))
    done = env.run("busybox", ["/bin/sh", "-c", "cat /mnt/absolute /mnt/relative; ls /mnt/../.. "
                               "| grep -c data"], mounts=[bundles.bind(source, "/mnt")])
    expect.output(done, "sandbox\nsandbox\n1\n")


def test_rename_between_mounts_is_refused(env):
    source = shared_directory(env)
    done = env.run("busybox", ["/bin/sh", "-c", "ln /mnt/given /data/x; echo $?; mv /mnt/given "
                               "/data/moved && cat /data/moved && rm /data/moved"],
                   mounts=[bundles.bind(source, "/mnt", "rw")])
    expect.equal(done.out, b"1\nfrom the host\n", "output")


def test_read_only_root(env):
    done = env.run("busybox", ["/bin/sh", "-c", "touch /x /data/y; echo z > /tmp/z && cat /tmp/z"],
                   readonly=True)
    expect.equal(done.err.decode().count("Read-only file system"), 2, "refusals")
    expect.equal(done.out, b"z\n", "output of tmpfs")


def test_writes_to_root_reach_the_host(env):
    root = env.fresh_root("busybox")
    expect.success(env.runtime.run(env.bundle(root, ["/bin/sh", "-c", (
        "echo content > /data/file; mkdir /data/d; ln -s file /data/link; chmod 640 /data/file; "
        "chown 12:34 /data/file")])))
    status = os.stat(os.path.join(root, "data/file"))
    expect.equal(read(os.path.join(root, "data/file")), "content\n", "content")
    expect.equal((status.st_mode & 0o7777, status.st_uid, status.st_gid), (0o640, 12, 34), "stat")
    expect.equal(os.readlink(os.path.join(root, "data/link")), "file", "link")


def test_overlay_keeps_the_root_unchanged(env):
    if not env.runtime.is_ours:
        raise expect.Skip("a flag of this project's runtime")
    root = env.fresh_root("busybox")
    runtime = env.runtime.with_flags("--overlay")
    script = ("echo x > /data/new; rm /etc/hosts; echo y > /etc/passwd; mkdir /bin/d; "
              "mv /etc/hostname /etc/renamed; cat /data/new /etc/passwd /etc/renamed; "
              "ls /etc/hosts /etc/hostname 2>/dev/null; chmod 777 /etc/group; stat -c %a /etc/group")
    done = runtime.run(env.bundle(root, ["/bin/sh", "-c", script]))
    expect.equal(done.out, b"x\ny\nsandbox\n777\n", f"output ({done.err!r})")
    expect.true(not os.path.exists(os.path.join(root, "data/new")), "new file on the host")
    expect.equal(read(os.path.join(root, "etc/hostname")), "sandbox\n", "file on the host")
    expect.true(os.path.exists(os.path.join(root, "etc/hosts")), "removed file on the host")
    expect.equal(os.stat(os.path.join(root, "etc/group")).st_mode & 0o777, 0o644, "mode")


def test_tmpfs_size_is_a_limit(env):
    mount = {"destination": "/small", "type": "tmpfs", "source": "tmpfs",
             "options": ["size=64k", "mode=700"]}
    done = env.run("busybox", ["/bin/sh", "-c",
                               "stat -c %a /small; dd if=/dev/zero of=/small/f bs=1k count=100"],
                   mounts=[mount])
    expect.equal(done.out, b"700\n", "mode")
    expect.contains(done.err.decode(), "No space left on device", "dd")


def test_container_user_and_groups(env):
    done = env.run("busybox", ["/bin/sh", "-c", "id -u; id -g; id -G; touch /data/x 2>&1"],
                   uid=1000, gid=1001, groups=(2000, 3000))
    expect.equal(done.out.decode(), "1000\n1001\n1001 2000 3000\n"
                 "touch: /data/x: Permission denied\n", "output")


def test_environment_and_hostname(env):
    done = env.run("busybox", ["/bin/sh", "-c", "echo $FOO; hostname; cat /proc/sys/kernel/hostname"],
                   env=["FOO=b a r"])
    expect.output(done, "b a r\nsandbox\nsandbox\n")


def test_memory_limit_holds_for_init_and_its_children(env):
    limits = (("RLIMIT_AS", 64 << 20), ("RLIMIT_NOFILE", 64))
    take = "dd if=/dev/zero of=/dev/null bs=%s count=1"
    small, large = take % "8M", take % "100M"
    for command in (f"{large} 2>/dev/null", f"ulimit -S -v 32768; exec {take % '40M'} 2>/dev/null"):
        done = env.run("busybox", ["/bin/sh", "-c", f"ulimit -v; {small} 2>/dev/null && {command}"],
                       rlimits=limits)
        expect.true(done.code != 0 and done.out == b"65536\n", f"{command}: {done}")
    done = env.run("busybox", ["/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=100M", "count=1"],
                   rlimits=limits)
    expect.true(done.code != 0, f"init got more than its limit: {done}")
    expect.success(env.run("busybox", ["/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=8M",
                                       "count=1"], rlimits=limits))


def test_rlimits_apply(env):
    done = env.run("busybox", ["/bin/sh", "-c", "ulimit -n; ulimit -c"],
                   rlimits=(("RLIMIT_NOFILE", 333), ("RLIMIT_CORE", 0)))
    expect.output(done, "333\n0\n")


def test_capabilities_of_the_specification_apply(env):
    def keep_two(config):
        two = ["CAP_KILL", "CAP_CHOWN"]
        config["process"]["capabilities"] = {
            "bounding": two, "effective": two, "permitted": two, "inheritable": []}
    done = env.run("busybox", ["/bin/sh", "-c", "grep Cap /proc/self/status; "
                               "chown 5 /data && echo chowned; chown 0 /data; chroot / true"],
                   change=keep_two)
    text = done.out.decode()
    for field in ("CapPrm", "CapEff", "CapBnd"):
        expect.contains(text, f"{field}:\t0000000000000021\n", "capabilities")
    expect.contains(text, "chowned", "chown")
    expect.contains(done.err.decode(), "Operation not permitted", "chroot")


def test_no_new_privileges_applies(env):
    def restrict(config):
        config["process"]["noNewPrivileges"] = True
    done = env.run("busybox", ["/bin/grep", "NoNewPrivs", "/proc/self/status"], change=restrict)
    expect.output(done, "NoNewPrivs:\t1\n")


def test_masked_and_readonly_paths(env):
    def mask(config):
        config["linux"]["maskedPaths"] = ["/proc/meminfo", "/sys/devices"]
        config["linux"]["readonlyPaths"] = ["/data"]
    done = env.run("busybox", ["/bin/sh", "-c", "wc -c < /proc/meminfo; ls /sys/devices | wc -l; "
                               "touch /data/x"], change=mask)
    expect.equal(done.out, b"0\n0\n", "output")
    expect.contains(done.err.decode(), "Read-only file system", "touch")


def test_no_host_processes_are_visible(env):
    done = env.run("busybox", ["/bin/sh", "-c", "echo /proc/[0-9]* | wc -w; echo $$"])
    count, pid = done.out.decode().split()
    expect.equal(pid, "1", "pid of init")
    expect.true(int(count) <= 3, f"{count} processes are visible")


@contextlib.contextmanager
def shared_mount(env):
    """A file system on the host whose mount is shared, with a directory `sub`."""
    source = env.directory()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", source], check=True)
    try:
        subprocess.run(["mount", "--make-shared", source], check=True)
        os.mkdir(os.path.join(source, "sub"))
        yield source
    finally:
        subprocess.run(["umount", "--recursive", source], check=True)


def seen_of_later_mount(env, propagation):
    """What a container with a bind mount of this propagation finds in `sub` after the host
    has mounted a file system there."""
    script = ("ls /mnt/sub; echo ready; while [ ! -e /mnt/go ]; do sleep 0.05; done; "
              "ls /mnt/sub; echo end")
    with shared_mount(env) as source:
        bundle = env.bundle(env.shared_root("busybox"), ["/bin/sh", "-c", script],
                            mounts=[bundles.bind(source, "/mnt", "rw", propagation)])
        output = os.path.join(bundle, "output")
        with env.detached(bundle):
            expect.true(host.wait_until(lambda: "ready" in read(output)), "not ready")
            later = os.path.join(source, "sub")
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", later], check=True)
            for path in (os.path.join(later, "later"), os.path.join(source, "go")):
                with open(path, "w", encoding="utf-8"):
                    pass
            expect.true(host.wait_until(lambda: "end" in read(output)), "no end")
    return read(output).split("ready\n")[1]


def test_later_mount_of_the_host_reaches_a_slave(env):
    expect.equal(seen_of_later_mount(env, "rslave"), "later\nend\n", "listing")


def test_later_mount_of_the_host_does_not_reach_a_private_mount(env):
    expect.equal(seen_of_later_mount(env, "rprivate"), "end\n", "listing")


def test_root_propagation_of_every_kind_is_accepted(env):
    for kind in ("private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable",
                 "runbindable"):
        def change(config, kind=kind):
            config["linux"]["rootfsPropagation"] = kind
        done = env.run("busybox", ["/bin/echo", kind], change=change)
        expect.output(done, kind + "\n")


@contextlib.contextmanager
def host_service(directory):
    """A process on the host that answers each connection to `service` with what it got, in
    upper case."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(os.path.join(directory, "service"))
    os.chmod(os.path.join(directory, "service"), 0o777)
    listener.listen()

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    while data := connection.recv(65536):
                        connection.sendall(data.upper())

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


ASK_SERVICE = """
import socket, select
s = socket.socket(socket.AF_UNIX)
s.connect("/mnt/service")
poller = select.poll()
poller.register(s, select.POLLIN)
print("before", poller.poll(0))
s.sendall(b"hello " * 20000)
s.shutdown(socket.SHUT_WR)
got = b""
while data := s.recv(100000):
    got += data
print(len(got), got[:5], s.getpeername())
"""


def ask_service(env, *flags):
    source = env.directory(0o777)
    with host_service(source):
        bundle = env.bundle(env.shared_root("debian"), ["/usr/bin/python3", "-c", ASK_SERVICE],
                            mounts=[bundles.bind(source, "/mnt", "rw")])
        return Runtime(env.runtime.path, env.runtime.state_directory, flags).run(bundle)


def test_socket_of_the_host_is_reached_when_allowed(env):
    expect.output(ask_service(env, "--host-uds"),
                  "before []\n120000 b'HELLO' /mnt/service\n")


def test_socket_of_the_host_is_refused_by_default(env):
    done = ask_service(env)
    expect.true(b"ConnectionRefusedError" in done.err, f"error: {done.err!r}")
