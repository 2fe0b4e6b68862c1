"""The runtime under a real dockerd, named in daemon.json."""

import os

from harness import expect, host
from harness.docker import Docker
from harness.engine import EngineSession
from harness.terminal import on_own_terminal

IMAGE = "busybox-root"


class Session(EngineSession):
    list_command = ("ps", "-aq")

    def make_engine(self):
        flags = ["--network=none"] if self.env.runtime.is_ours else []
        return Docker(self.env.runtime.path, flags)

    def start(self):
        super().start()
        self.engine.import_root(self.env.cached_root("busybox"), IMAGE)
        self.engine.import_root(self.env.cached_root("debian"), "debian-root")

    def run(self, *arguments, image=IMAGE, **options):
        """docker run --rm --network none ... image command."""
        split = arguments.index("--") if "--" in arguments else 0
        flags, command = arguments[:split], arguments[split + (split > 0 or "--" in arguments):]
        done = self.engine("run", "--rm", "--network", "none", "--runtime", "tested", *flags,
                           image, *command, **options)
        if done.code == 125:
            done.err += self.engine.daemon_log().encode()
        return done


def cases(env):
    return Session(env).cases(TESTS)


def output_of_command(s):
    expect.output(s.run("--", "echo", "hello from docker"), "hello from docker\n")


def error_stream(s):
    done = expect.success(s.run("--", "sh", "-c", "echo out; echo err >&2"))
    expect.equal((done.out, done.err), (b"out\n", b"err\n"), "streams")


def standard_input(s):
    expect.output(s.run("-i", "--", "cat", stdin=b"typed in"), "typed in")


def exit_code(s):
    expect.equal(s.run("--", "sh", "-c", "exit 42").code, 42, "exit code")


def missing_program(s):
    done = s.run("--", "/no/such/program")
    expect.equal(done.code, 127, f"exit code of docker run ({done.err!r})")
    expect.contains(done.err.decode(), "/no/such/program", "message")


def program_without_permission(s):
    done = s.run("--", "/etc/passwd")
    expect.equal(done.code, 126, f"exit code of docker run ({done.err!r})")


def detached_logs_and_wait(s):
    done = s.engine("run", "-d", "--network", "none", "--runtime", "tested", IMAGE, "sh", "-c",
                    "echo in the log; sleep 0.3; exit 6")
    expect.success(done)
    container = done.out.decode().strip()
    expect.output(s.engine("wait", container), "6\n", "docker wait")
    expect.output(s.engine("logs", container), "in the log\n", "docker logs")
    expect.success(s.engine("rm", container))


def kill_ends_container(s):
    done = expect.success(s.engine("run", "-d", "--network", "none", "--runtime", "tested", IMAGE,
                                   "sleep", "1000"))
    container = done.out.decode().strip()
    expect.output(s.engine("inspect", "-f", "{{.State.Status}}", container), "running\n")
    expect.success(s.engine("kill", container))
    expect.output(s.engine("wait", container), "137\n", "docker wait")
    expect.success(s.engine("rm", container))


def stop_sends_term(s):
    done = expect.success(s.engine(
        "run", "-d", "--network", "none", "--runtime", "tested", IMAGE, "sh", "-c",
        "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done"))
    container = done.out.decode().strip()
    expect.true(host.wait_until(lambda: b"ready" in s.engine("logs", container).out), "not ready")
    expect.success(s.engine("stop", "-t", "10", container))
    expect.output(s.engine("wait", container), "3\n", "docker wait")
    expect.output(s.engine("logs", container), "ready\nbye\n", "docker logs")
    expect.success(s.engine("rm", container))


def rm_force(s):
    done = expect.success(s.engine("run", "-d", "--network", "none", "--runtime", "tested", IMAGE,
                                   "sleep", "1000"))
    container = done.out.decode().strip()
    expect.success(s.engine("rm", "-f", container))
    expect.equal(s.engine("inspect", container).code, 1, "inspect afterwards")


def restart_runs_again(s):
    done = expect.success(s.engine("run", "-d", "--network", "none", "--runtime", "tested", IMAGE,
                                   "sh", "-c", "echo run >> /data/runs; cat /data/runs"))
    container = done.out.decode().strip()
    expect.success(s.engine("wait", container))
    expect.success(s.engine("start", "-a", container))
    expect.output(s.engine("logs", container), "run\nrun\nrun\n", "docker logs")
    expect.success(s.engine("rm", container))


def volume_read_write(s):
    directory = s.env.directory(0o777)
    with open(os.path.join(directory, "in"), "w", encoding="utf-8") as file:
        file.write("host\n")
    expect.output(s.run("-v", f"{directory}:/vol", "--", "sh", "-c",
                        "cat /vol/in; echo made > /vol/out"), "host\n")
    with open(os.path.join(directory, "out"), encoding="utf-8") as file:
        expect.equal(file.read(), "made\n", "file on the host")


def volume_read_only(s):
    directory = s.env.directory(0o777)
    done = s.run("-v", f"{directory}:/vol:ro", "--", "sh", "-c", "echo x > /vol/out")
    expect.true(done.code != 0, "write succeeded")
    expect.contains(done.err.decode(), "Read-only file system", "message")
    expect.equal(os.listdir(directory), [], "entries on the host")


def read_only_root(s):
    done = s.run("--read-only", "--", "sh", "-c", "touch /data/x")
    expect.contains(done.err.decode(), "Read-only file system", "message")


def user_option(s):
    expect.output(s.run("--user", "1000:1001", "--", "sh", "-c", "id -u; id -g"), "1000\n1001\n")


def working_directory(s):
    expect.output(s.run("-w", "/data/sub", "--", "pwd"), "/data/sub\n")


def environment(s):
    expect.output(s.run("-e", "NAME=value with spaces", "--", "sh", "-c", "echo $NAME"),
                  "value with spaces\n")


def tmpfs_mount(s):
    expect.output(s.run("--tmpfs", "/scratch:size=1m", "--read-only", "--", "sh", "-c",
                        "echo x > /scratch/f; cat /scratch/f; grep -c ' /scratch tmpfs' "
                        "/proc/mounts"), "x\n1\n")


def host_name(s):
    expect.output(s.run("--hostname", "given-name", "--", "hostname"), "given-name\n")


def files_docker_provides(s):
    done = expect.success(s.run("--hostname", "box", "--", "sh", "-c",
                                "cat /etc/hostname; grep -c localhost /etc/hosts"))
    expect.true(done.out.decode().startswith("box\n"), f"files: {done.out!r}")


def init_option(s):
    done = s.run("--init", "--", "sh", "-c", "echo $$")
    if b"docker-init" in done.err:
        raise expect.Skip("docker-init is not installed")
    expect.true(done.code == 0 and done.out.strip() != b"1", f"{done}")


def writes_stay_in_the_container(s):
    expect.output(s.run("--", "sh", "-c", "echo x > /data/f; ls /data"), "f\n")
    expect.output(s.run("--", "ls", "/data"), "")


def copy_out_of_container(s):
    done = expect.success(s.engine("run", "--network", "none", "--runtime", "tested", "-d", IMAGE,
                                   "sh", "-c", "echo result > /data/result"))
    container = done.out.decode().strip()
    expect.success(s.engine("wait", container))
    directory = s.env.directory()
    expect.success(s.engine("cp", f"{container}:/data/result", directory))
    with open(os.path.join(directory, "result"), encoding="utf-8") as file:
        expect.equal(file.read(), "result\n", "copied file")
    expect.success(s.engine("rm", container))


def debian_image(s):
    done = s.run("--", "bash", "-c", "python3 -c 'print(6 * 7)'; echo $BASH_VERSION | cut -c1",
                 image="debian-root")
    expect.output(done, "42\n5\n")


def debian_gcc(s):
    done = s.run("--", "bash", "-c", "echo 'int main(){return 5;}' > /tmp/a.c && cd /tmp && "
                 "gcc a.c && ./a.out; echo $?", image="debian-root", seconds=120)
    expect.output(done, "5\n")


def five_at_once(s):
    names = [f"many{i}" for i in range(5)]
    for name in names:
        expect.success(s.engine("run", "-d", "--name", name, "--network", "none", "--runtime",
                                "tested", IMAGE, "sleep", "1000"))
    expect.success(s.engine("rm", "-f", *names))


def started(s, *command):
    done = expect.success(s.engine("run", "-d", "--network", "none", "--runtime", "tested", IMAGE,
                                   *(command or ("sleep", "1000"))))
    return done.out.decode().strip()


def exec_output_and_exit_code(s):
    container = started(s)
    done = s.engine("exec", container, "sh", "-c", "echo out; echo err >&2; exit 9")
    expect.equal((done.out, done.err, done.code), (b"out\n", b"err\n", 9), "docker exec")
    expect.success(s.engine("rm", "-f", container))


def exec_standard_input(s):
    container = started(s)
    expect.output(s.engine("exec", "-i", container, "cat", stdin=b"typed in"), "typed in")
    expect.success(s.engine("rm", "-f", container))


def exec_user_directory_environment(s):
    container = started(s)
    expect.output(s.engine("exec", "-u", "1000:1001", "-w", "/data", "-e", "A=b c", container, "sh",
                           "-c", "id -u; id -g; pwd; echo $A"), "1000\n1001\n/data\nb c\n")
    expect.success(s.engine("rm", "-f", container))


def exec_with_a_terminal(s):
    container = started(s)
    done = s.engine("exec", "-t", container, "sh", "-c", "test -t 0 && test -t 1 && tty; exit 5")
    expect.equal((done.out, done.code), (b"/dev/pts/0\r\n", 5), "docker exec -t")
    expect.success(s.engine("rm", "-f", container))


def exec_detached(s):
    container = started(s)
    expect.success(s.engine("exec", "-d", container, "sh", "-c", "sleep 0.2; echo x > /data/made"))
    expect.true(host.wait_until(
        lambda: s.engine("exec", container, "cat", "/data/made").out == b"x\n"), "no file")
    expect.success(s.engine("rm", "-f", container))


def exec_of_a_missing_program(s):
    container = started(s)
    done = s.engine("exec", container, "/no/such/program")
    expect.true(done.code in (126, 127), f"exit code of docker exec: {done}")
    expect.contains((done.out + done.err).decode(), "no such file or directory", "message")
    expect.success(s.engine("rm", "-f", container))


def exec_ends_with_the_container(s):
    container = started(s, "sleep", "1")
    expect.equal(s.engine("exec", container, "sleep", "1000").code, 137, "exit code")
    expect.success(s.engine("rm", "-f", container))


def pause_and_unpause(s):
    container = started(s)
    expect.success(s.engine("pause", container))
    expect.output(s.engine("inspect", "-f", "{{.State.Status}}", container), "paused\n")
    expect.true(s.engine("exec", container, "true").code != 0, "exec in a paused container")
    expect.success(s.engine("unpause", container))
    expect.output(s.engine("exec", container, "echo", "on"), "on\n")
    expect.success(s.engine("rm", "-f", container))


def top(s):
    container = started(s, "sh", "-c", "sleep 1000 & wait")
    expect.true(host.wait_until(
        lambda: len(s.engine("top", container).out.splitlines()) == 3), "docker top")
    expect.success(s.engine("rm", "-f", container))


def stop_while_something_is_executed(s):
    container = started(s, "sh", "-c", "trap 'exit 4' TERM; while :; do sleep 0.05; done")
    expect.success(s.engine("exec", "-d", container, "sleep", "1000"))
    expect.success(s.engine("stop", "-t", "10", container))
    expect.output(s.engine("wait", container), "4\n", "docker wait")
    expect.success(s.engine("rm", container))


def terminal_output(s):
    expect.output(s.run("-t", "--", "sh", "-c", "tty; test -t 0 && test -t 2 && echo yes"),
                  "/dev/pts/0\r\nyes\r\n")


def on_terminal(s, *arguments):
    command = s.engine.command("run", "--rm", "--network", "none", "--runtime", "tested", "-it",
                               *arguments)
    return on_own_terminal(command, rows=30, columns=90)


def terminal_of_the_caller(s):
    with on_terminal(s, IMAGE, "sh") as (screen, process, _):
        screen.wait_for("# ")
        screen.type("tty\n")
        screen.wait_for("/dev/pts/0")
        screen.type("sleep 1000\n")
        screen.wait_for("sleep 1000")
        host.wait_until(lambda: False, 0.5)
        screen.type("\x03")
        screen.wait_for(r"\^C")
        screen.type("exit 9\n")
        host.wait_until(lambda: process.poll() is not None, 30)
        expect.equal(process.poll(), 9, "exit code")


def terminal_resize(s):
    with on_terminal(s, IMAGE, "sh") as (screen, process, _):
        screen.wait_for("# ")
        # The client tells the size when the container has started.
        screen.type("while [ \"$(stty size)\" != '30 90' ]; do sleep 0.1; done; echo at $((1+1))\n")
        screen.wait_for("at 2")
        screen.resize(41, 81)
        screen.type("while [ \"$(stty size)\" != '41 81' ]; do sleep 0.1; done; echo at $((2+2))\n")
        screen.wait_for("at 4")
        screen.type("exit\n")
        host.wait_until(lambda: process.poll() is not None, 30)
        expect.equal(process.poll(), 0, "exit code")


def terminal_detached(s):
    done = expect.success(s.engine("run", "-dt", "--network", "none", "--runtime", "tested",
                                   "--name", "with-terminal", IMAGE, "sh", "-c", "tty; sleep 1"))
    expect.success(s.engine("wait", "with-terminal"))
    expect.equal(s.engine("logs", "with-terminal").out.decode(), "/dev/pts/0\r\n", "logs")
    expect.success(s.engine("rm", "-f", done.out.decode().strip()))


TESTS = [
    output_of_command, error_stream, standard_input, exit_code, missing_program,
    program_without_permission, detached_logs_and_wait, kill_ends_container, stop_sends_term,
    rm_force, restart_runs_again, volume_read_write, volume_read_only, read_only_root, user_option,
    working_directory, environment, tmpfs_mount, host_name, files_docker_provides, init_option,
    terminal_output, terminal_of_the_caller, terminal_resize, terminal_detached,
    exec_output_and_exit_code, exec_standard_input, exec_user_directory_environment, exec_with_a_terminal,
    exec_detached,
    exec_of_a_missing_program, exec_ends_with_the_container, pause_and_unpause, top,
    stop_while_something_is_executed, writes_stay_in_the_container, copy_out_of_container, debian_image, debian_gcc, five_at_once,
]
