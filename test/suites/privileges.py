"""The privileges of the running processes are those of the table in README and DESIGN.

Read from /proc/PID of a running container: capabilities in all five sets,
user, namespaces, root directory, seccomp mode and open descriptors.
"""

import os
import re
import subprocess

from harness import expect, host
from harness.bundle import bind
from harness.environment import read

GOFER_CAPABILITIES = {0: "CHOWN", 1: "DAC_OVERRIDE", 2: "DAC_READ_SEARCH", 3: "FOWNER",
                      4: "FSETID", 27: "MKNOD", 31: "SETFCAP"}
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


class Sandbox:
    """A container in the foreground (so that all three binaries run) with a child in it."""

    def __init__(self, env):
        if not env.runtime.is_ours:
            raise expect.Skip("about this project's binaries")
        self.env = env
        # One mount read-write, so that the gofer serves more than the root.
        self.mounted = env.directory()
        self.bundle = env.bundle(env.shared_root("busybox"),
                                 ["/bin/sh", "-c", "sleep 1000 & echo ready; wait"],
                                 mounts=[bind(self.mounted, "/mnt", "rw")])
        self.container = env.runtime.new_id()

    def __enter__(self):
        output_path = os.path.join(self.bundle, "output")
        with open(output_path, "wb") as output:
            # pylint: disable=consider-using-with
            self.runner = self.env.runtime.popen("run", "--bundle", self.bundle, self.container,
                                                 stdin=subprocess.DEVNULL, stdout=output,
                                                 stderr=output)
        if not host.wait_until(lambda: "ready" in read(output_path)):
            self.__exit__()
            raise AssertionError("container did not start: " + read(output_path))
        everything = host.descendants(os.getpid())
        self.named = {}
        for pid in everything:
            self.named.setdefault(host.command_name(pid), []).append(pid)
        self.controller = self.runner.pid
        self.boot = self.named["runsc-boot"][0]
        self.gofer = self.named["runsc-gofer"][0]
        self.stubs = [pid for pid in host.descendants(self.boot)
                      if pid not in self.named["runsc-boot"] + self.named["runsc-gofer"]]
        return self

    def __exit__(self, *_):
        self.env.runtime.call("delete", "--force", self.container)
        if not host.wait_until(lambda: self.runner.poll() is not None, 5):
            self.runner.kill()
        self.runner.wait()


def capabilities(pid):
    status = host.status(pid)
    return {name: int(status[name], 16) for name in SETS}


def namespace(pid, kind):
    return os.readlink(f"/proc/{pid}/ns/{kind}")


def expect_own_namespaces(pid, kinds, what):
    for kind in kinds:
        expect.true(namespace(pid, kind) != namespace("self", kind),
                    f"{what} is in the host's {kind} namespace")


def expect_ids(pid, uid, gid, what):
    status = host.status(pid)
    expect.equal(status["Uid"].split(), [str(uid)] * 4, f"uids of {what}")
    expect.equal(status["Gid"].split(), [str(gid)] * 4, f"gids of {what}")


def descriptors(pid):
    """number -> what it is."""
    found = {}
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            found[int(number)] = os.readlink(f"/proc/{pid}/fd/{number}")
        except OSError:
            pass
    return found


def test_gofer_capabilities(env):
    with Sandbox(env) as sandbox:
        sets = capabilities(sandbox.gofer)
        allowed = sum(1 << bit for bit in GOFER_CAPABILITIES)
        needed = allowed & ~(1 << 27)
        for name in ("CapPrm", "CapEff", "CapBnd"):
            expect.equal(sets[name] & ~allowed, 0, f"further capabilities in {name}")
            expect.equal(sets[name] & needed, needed, f"needed capabilities in {name}")
        expect.equal((sets["CapInh"], sets["CapAmb"]), (0, 0), "inheritable and ambient")


def test_gofer_identity_and_filter(env):
    with Sandbox(env) as sandbox:
        expect_ids(sandbox.gofer, 0, 0, "gofer")
        status = host.status(sandbox.gofer)
        expect.equal(status["Seccomp"].strip(), "2", "seccomp mode")
        expect.equal(status["NoNewPrivs"].strip(), "1", "no_new_privs")


def test_gofer_namespaces(env):
    with Sandbox(env) as sandbox:
        expect_own_namespaces(sandbox.gofer, ("mnt", "pid", "net", "ipc", "uts"), "gofer")
        expect.true(namespace(sandbox.gofer, "net") != namespace(sandbox.boot, "net"),
                    "the gofer is in the container's network namespace")


def test_gofer_root_is_the_container_tree(env):
    with Sandbox(env) as sandbox:
        expected = set(os.listdir(env.shared_root("busybox")))
        expect.equal(set(os.listdir(f"/proc/{sandbox.gofer}/root")) - expected, set(),
                     "entries in the gofer's root besides the container's")
        expect.true(os.path.samefile(f"/proc/{sandbox.gofer}/root/bin/busybox",
                                     os.path.join(env.shared_root("busybox"), "bin/busybox")),
                    "the gofer's root is not the container's")


def test_gofer_mounts_are_only_the_containers(env):
    with Sandbox(env) as sandbox:
        with open(f"/proc/{sandbox.gofer}/mountinfo", encoding="utf-8") as file:
            points = sorted(line.split()[4] for line in file)
        expect.true(len(points) <= 3, f"mounts of the gofer: {points}")


def test_gofer_descriptors(env):
    with Sandbox(env) as sandbox:
        for number, target in descriptors(sandbox.gofer).items():
            fine = number <= 2 or target.startswith(("socket:", "/memfd:", "anon_inode:", "/"))
            expect.true(fine, f"descriptor {number}: {target}")
            # The descriptors' directory of its own pid namespace, of which
            # it is the only process.
            if target == "/1/fd":
                continue
            if number > 2 and target.startswith("/") and not target.startswith("/memfd:"):
                path = f"/proc/{sandbox.gofer}/root{target}"
                expect.true(os.path.exists(path), f"descriptor {number} outside the tree: {target}")


def test_boot_has_no_capabilities(env):
    with Sandbox(env) as sandbox:
        expect.equal(capabilities(sandbox.boot), {name: 0 for name in SETS}, "capabilities")


def test_boot_identity_and_filter(env):
    with Sandbox(env) as sandbox:
        expect_ids(sandbox.boot, 65534, 65534, "boot")
        status = host.status(sandbox.boot)
        expect.equal(status["Groups"].split(), [], "supplementary groups")
        expect.equal(status["Seccomp"].strip(), "2", "seccomp mode")
        expect.equal(status["NoNewPrivs"].strip(), "1", "no_new_privs")


def test_every_thread_of_boot_and_gofer_has_the_same(env):
    with Sandbox(env) as sandbox:
        for pid in (sandbox.boot, sandbox.gofer):
            whole = host.status(pid)
            for thread in os.listdir(f"/proc/{pid}/task"):
                status = host.status(f"{pid}/task/{thread}")
                for field in (*SETS, "Uid", "Gid", "Seccomp", "NoNewPrivs"):
                    expect.equal(status[field], whole[field],
                                 f"{field} of thread {thread} of {host.command_name(pid)}")


def test_boot_namespaces(env):
    with Sandbox(env) as sandbox:
        expect_own_namespaces(sandbox.boot, ("mnt", "pid", "ipc", "uts", "net"), "boot")
        expect.true(namespace(sandbox.boot, "mnt") != namespace(sandbox.gofer, "mnt"),
                    "boot shares the gofer's mounts")


def test_boot_root_is_empty_but_for_proc(env):
    with Sandbox(env) as sandbox:
        root = f"/proc/{sandbox.boot}/root"
        expect.equal(os.listdir(root), ["proc"], "entries of boot's root")
        with open(f"/proc/{sandbox.boot}/mountinfo", encoding="utf-8") as file:
            lines = [line.split() for line in file]
        points = {fields[4]: fields[5].split(",") for fields in lines}
        expect.equal(sorted(points), ["/", "/proc"], "mounts of boot")
        expect.true("ro" in points["/proc"], f"/proc is {points['/proc']}")


def test_boot_working_directory_is_inside(env):
    with Sandbox(env) as sandbox:
        expect.true(os.path.samefile(f"/proc/{sandbox.boot}/cwd", f"/proc/{sandbox.boot}/root"),
                    "boot's working directory is outside its root")


def test_boot_holds_no_host_files(env):
    with Sandbox(env) as sandbox:
        allowed = (env.shared_root("busybox"), sandbox.mounted, sandbox.bundle, "/dev/null",
                   "/dev/zero", "/dev/full", "/dev/urandom", "/dev/random")
        for number, target in descriptors(sandbox.boot).items():
            if target.startswith(("socket:", "pipe:", "anon_inode:", "/memfd:", "pidfd", "pid:")):
                continue
            inside = os.path.lexists(f"/proc/{sandbox.gofer}/root{target}") or \
                target in ("/", "/proc") or target.startswith("/proc/")
            expect.true(inside or target.startswith(allowed), f"descriptor {number}: {target}")


def test_stub_privileges(env):
    with Sandbox(env) as sandbox:
        expect.true(len(sandbox.stubs) >= 2, f"stubs: {sandbox.stubs}")
        for stub in sandbox.stubs:
            expect.equal(capabilities(stub), {name: 0 for name in SETS}, "capabilities")
            expect_ids(stub, 65534, 65534, "stub")
            status = host.status(stub)
            expect.equal(status["Seccomp"].strip(), "2", "seccomp mode")
            expect.equal(status["NoNewPrivs"].strip(), "1", "no_new_privs")
            expect_own_namespaces(stub, ("mnt", "pid", "ipc", "uts", "net"), "stub")


def test_stub_reaches_no_host_file(env):
    with Sandbox(env) as sandbox:
        for stub in sandbox.stubs:
            expect.equal([e for e in os.listdir(f"/proc/{stub}/root") if e != "proc"], [],
                         "entries of the stub's root")
            for number, target in descriptors(stub).items():
                fine = target.startswith(("/memfd:", "anon_inode:")) or \
                    os.path.lexists(f"/proc/{sandbox.gofer}/root{target}")
                expect.true(fine, f"descriptor {number} of a stub: {target}")


def test_stub_has_no_socket(env):
    with Sandbox(env) as sandbox:
        for stub in sandbox.stubs:
            sockets = [t for t in descriptors(stub).values() if t.startswith("socket:")]
            expect.equal(sockets, [], "sockets of a stub")


def test_waiting_controller_has_dropped_privileges(env):
    with Sandbox(env) as sandbox:
        # The container's first output may come before.
        host.wait_until(lambda: host.status(sandbox.controller)["Seccomp"].strip() == "2")
        sets = capabilities(sandbox.controller)
        mine = capabilities("self")
        expect.true(sets["CapEff"] != mine["CapEff"],
                    "the waiting controller still has every capability of its caller")
        expect.true(sets["CapBnd"] & ~sets["CapPrm"] == 0 or sets["CapBnd"] != mine["CapBnd"],
                    "the bounding set is untouched")
        expect.equal(sets["CapAmb"], 0, "ambient")
        expect.equal(host.status(sandbox.controller)["Seccomp"].strip(), "2", "seccomp mode")


def test_waiting_controller_holds_no_needless_descriptors(env):
    with Sandbox(env) as sandbox:
        for number, target in descriptors(sandbox.controller).items():
            if number <= 2 or target.startswith(("socket:", "pipe:", "anon_inode:", "pidfd")):
                continue
            expect.true(target.startswith(env.scratch) or "/sys/fs/cgroup" in target,
                        f"descriptor {number}: {target}")


def binary(env, name):
    return os.path.join(os.path.dirname(os.path.realpath(env.runtime.path)), name)


def locate(env, name):
    """The binary beside the controller, or where the build puts it."""
    beside = binary(env, name)
    if os.path.exists(beside):
        return beside
    return os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(env.runtime.path))), name,
                        name)


def test_print_privileges_of_each_binary(env):
    if not env.runtime.is_ours:
        raise expect.Skip("about this project's binaries")
    for name in ("runsc-create", "runsc-gofer", "runsc-boot"):
        done = subprocess.run([locate(env, name), "--print-privileges"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=20, check=False)
        expect.equal(done.returncode, 0, f"{name} --print-privileges ({done.stderr!r})")
        text = done.stdout.decode()
        for part in ("apabilities", "amespaces"):
            expect.contains(text, part, f"{name} --print-privileges")
        expect.true(len(text.splitlines()) > 20, f"{name}: the filter's rules are missing")


def test_printed_capabilities_are_those_of_the_running_gofer(env):
    with Sandbox(env) as sandbox:
        done = subprocess.run([locate(env, "runsc-gofer"), "--print-privileges"],
                              stdout=subprocess.PIPE, timeout=20, check=True)
        first = done.stdout.decode().split("ilter")[0]
        printed = set(re.findall(r"\bCAP_([A-Z_]+)\b", first))
        running = {name for bit, name in GOFER_CAPABILITIES.items()
                   if capabilities(sandbox.gofer)["CapEff"] >> bit & 1}
        expect.true(running <= printed and printed <= set(GOFER_CAPABILITIES.values()),
                    f"printed {sorted(printed)}, running {sorted(running)}")


def readme_table():
    """process -> capabilities, from README's table of privileges."""
    path = os.path.join(os.path.dirname(__file__), "..", "..", "README.md")
    table = {}
    for line in read(path).split("## Privileges")[1].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[0].startswith("`"):
            names = set() if cells[2] == "none" else set(cells[2].split(", "))
            table[cells[0].split("`")[1]] = names
    return table


def test_readme_table_is_what_the_binaries_print(env):
    if not env.runtime.is_ours:
        raise expect.Skip("about this project's binaries")
    table = readme_table()
    expect.equal(sorted(table), ["runsc-boot", "runsc-create", "runsc-gofer"], "rows")
    for name, documented in table.items():
        done = subprocess.run([locate(env, name), "--print-privileges"], stdout=subprocess.PIPE,
                              timeout=20, check=True)
        head = done.stdout.decode().split("system calls")[0]
        expect.equal(set(re.findall(r"\bCAP_([A-Z_]+)\b", head)), documented,
                     f"capabilities of {name}")


def test_readme_table_is_what_the_waiting_controller_has(env):
    with Sandbox(env) as sandbox:
        bits = {"DAC_OVERRIDE": 1, "KILL": 5}
        expected = sum(1 << bits[name] for name in readme_table()["runsc-create"])
        sets = capabilities(sandbox.controller)
        for name in ("CapPrm", "CapEff", "CapBnd"):
            expect.equal(sets[name], expected, f"{name} of the waiting controller")


def test_children_need_their_controller(env):
    """Started by hand, without the socket, both end with a usage error."""
    if not env.runtime.is_ours:
        raise expect.Skip("about this project's binaries")
    for name in ("runsc-gofer", "runsc-boot"):
        done = subprocess.run([locate(env, name)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20,
                              check=False)
        expect.true(done.returncode != 0, f"{name} without a controller succeeded")
        expect.true(done.stderr, f"{name} says nothing")
