"""The runtime under podman, named by --runtime."""

import os

from harness import expect, host
from harness.engine import EngineSession
from harness.podman import Podman
from harness.terminal import on_own_terminal

IMAGE = "busybox-root"


class Session(EngineSession):
    list_command = ("ps", "-aq")

    def make_engine(self):
        flags = ["--network=none"] if self.env.runtime.is_ours else []
        return Podman(self.env.runtime.path, flags)

    def start(self):
        super().start()
        self.engine.import_root(self.env.cached_root("busybox"), IMAGE)

    def command(self, *arguments):
        """podman run with arguments: flags, and after "--" the command."""
        flags, command = self.split(arguments)
        return ["run", *self.engine.run_options(), *flags, IMAGE, *command]

    def started(self, *command):
        done = expect.success(self.engine(*self.command("-d", "--", *command)))
        return done.out.decode().strip()

    def remove(self, container):
        expect.success(self.engine("rm", "--force", "--time", "0", container))


def cases(env):
    return Session(env).cases(TESTS)


def output_and_exit_code(s):
    done = s.run("--", "sh", "-c", "echo out; echo err >&2; exit 42")
    expect.equal((done.out, done.err, done.code), (b"out\n", b"err\n", 42), "podman run")


def standard_input(s):
    expect.output(s.run("-i", "--", "cat", stdin=b"typed in"), "typed in")


def program_that_cannot_run(s):
    expect.equal(s.run("--", "/no/such/program").code, 127, "exit code of a missing program")
    expect.equal(s.run("--", "/etc/passwd").code, 126, "exit code of a file")


def shared_memory(s):
    """podman binds a tmpfs of the host there; the container's is its own, as large as that."""
    script = "df -k /dev/shm | tail -1; echo x > /dev/shm/f && cat /dev/shm/f; stat -c %a /dev/shm"
    done = expect.success(s.run("--shm-size", "2m", "--", "sh", "-c", script))
    expect.equal(done.out.split()[1:2] + done.out.split()[-2:], [b"2048", b"x", b"1777"],
                 "size, file, mode")


def user_directory_environment(s):
    done = s.run("--user", "1000:1001", "-w", "/data", "-e", "NAME=a b", "--", "sh", "-c",
                 "id -u; id -g; pwd; echo $NAME")
    expect.output(done, "1000\n1001\n/data\na b\n")


def read_only_root_and_volume(s):
    directory = s.env.directory(0o777)
    done = s.run("--read-only", "-v", f"{directory}:/vol", "--", "sh", "-c",
                 "touch /data/x 2>&1; echo made > /vol/out")
    expect.contains(done.out.decode(), "Read-only file system", "message")
    expect.equal(os.listdir(directory), ["out"], "entries on the host")


def no_capabilities(s):
    done = s.run("--cap-drop", "all", "--security-opt", "no-new-privileges", "--", "grep", "-E",
                 "Cap(Eff|Bnd)|NoNewPrivs", "/proc/self/status")
    expect.output(done, "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n")


def privileged(s):
    expect.output(s.run("--privileged", "--", "sh", "-c", "mount -t tmpfs none /data && echo yes"),
                  "yes\n")


def user_namespace(s):
    directory = s.env.directory(0o777)
    done = s.run("--uidmap", "0:100000:1000", "--gidmap", "0:200000:1000", "-v",
                 f"{directory}:/vol", "--", "sh", "-c",
                 "id -u; stat -c '%u %g' / /etc/passwd; touch /vol/f; cat /proc/self/uid_map")
    expect.equal(expect.success(done).out.split(),
                 [b"0", *[b"0"] * 4, b"0", b"100000", b"1000"], "ids")
    status = os.stat(os.path.join(directory, "f"))
    expect.equal((status.st_uid, status.st_gid), (100000, 200000), "owner on the host")


def logs_wait_and_restart(s):
    container = s.started("sh", "-c", "echo run >> /data/runs; cat /data/runs; exit 6")
    expect.output(s.engine("wait", container), "6\n", "podman wait")
    expect.success(s.engine("start", container))
    expect.output(s.engine("wait", container), "6\n", "podman wait")
    expect.output(s.engine("logs", container), "run\nrun\nrun\n", "podman logs")
    s.remove(container)


def stop_sends_term(s):
    container = s.started("sh", "-c",
                          "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done")
    expect.true(host.wait_until(lambda: b"ready" in s.engine("logs", container).out), "not ready")
    expect.success(s.engine("stop", "--time", "10", container))
    expect.output(s.engine("wait", container), "3\n", "podman wait")
    s.remove(container)


def kill_ends_container(s):
    container = s.started("sleep", "1000")
    expect.success(s.engine("kill", container))
    expect.output(s.engine("wait", container), "137\n", "podman wait")
    s.remove(container)


def exec_in_a_container(s):
    container = s.started("sleep", "1000")
    done = s.engine("exec", "-i", "-u", "5:6", "-w", "/data", "-e", "A=b", container, "sh", "-c",
                    "id -u; pwd; echo $A; cat; echo err >&2; exit 9", stdin=b"typed")
    expect.equal((done.out, done.err, done.code), (b"5\n/data\nb\ntyped", b"err\n", 9), "exec")
    expect.equal(s.engine("exec", container, "/no/such/program").code, 127, "missing program")
    done = s.engine("exec", "-t", container, "tty")
    expect.equal(done.out, b"/dev/pts/0\r\n", "exec -t")
    expect.success(s.engine("exec", "-d", container, "touch", "/data/made"))
    expect.true(host.wait_until(
        lambda: s.engine("exec", container, "test", "-e", "/data/made").code == 0), "no file")
    s.remove(container)


def pause_and_unpause(s):
    container = s.started("sleep", "1000")
    expect.success(s.engine("pause", container))
    expect.output(s.engine("inspect", "-f", "{{.State.Status}}", container), "paused\n")
    expect.success(s.engine("unpause", container))
    expect.output(s.engine("exec", container, "echo", "on"), "on\n")
    s.remove(container)


def copy_in_and_out(s):
    """Before the start and after the end; of a running one podman looks into boot's mounts."""
    arguments = s.command("--", "sh", "-c", "cat /data/in; echo result > /data/result")
    done = expect.success(s.engine("create", *arguments[1:]))
    container = done.out.decode().strip()
    directory = s.env.directory()
    with open(os.path.join(directory, "in"), "w", encoding="utf-8") as file:
        file.write("host\n")
    expect.success(s.engine("cp", os.path.join(directory, "in"), f"{container}:/data/in"))
    expect.output(s.engine("start", "--attach", container), "host\n")
    expect.success(s.engine("cp", f"{container}:/data/result", directory))
    with open(os.path.join(directory, "result"), encoding="utf-8") as file:
        expect.equal(file.read(), "result\n", "copied file")
    s.remove(container)


def terminal_of_the_caller(s):
    command = s.engine.command(*s.command("--rm", "-it", "--", "sh"))
    with on_own_terminal(command, rows=30, columns=90) as (screen, process, _):
        screen.wait_for("# ")
        screen.type("tty; while [ \"$(stty size)\" != '30 90' ]; do sleep 0.1; done; echo $((1+1))\n")
        screen.wait_for("/dev/pts/0")
        screen.wait_for("2")
        screen.resize(41, 81)
        screen.type("while [ \"$(stty size)\" != '41 81' ]; do sleep 0.1; done; echo at $((2+2))\n")
        screen.wait_for("at 4")
        screen.type("exit 9\n")
        host.wait_until(lambda: process.poll() is not None, 30)
        expect.equal(process.poll(), 9, "exit code")


TESTS = [
    output_and_exit_code, standard_input, program_that_cannot_run, shared_memory,
    user_directory_environment, read_only_root_and_volume, no_capabilities, privileged,
    user_namespace, logs_wait_and_restart, stop_sends_term, kill_ends_container,
    exec_in_a_container, pause_and_unpause, copy_in_and_out, terminal_of_the_caller,
]
