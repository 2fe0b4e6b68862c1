"""Terminals: process.terminal with a console socket and in the foreground, job control."""

import contextlib
import os
import subprocess
import termios

from harness import expect, host
from harness.terminal import PROMPT, console_listener, on_console_socket, on_own_terminal

BASH = ["/bin/bash", "--norc", "--noprofile", "--noediting", "-i"]
ENVIRONMENT = [f"PS1={PROMPT}", "TERM=dumb"]
READY = PROMPT
# Says the window's size whenever it changes.
WATCHER = """import os, signal
def say(*_):
    columns, rows = os.get_terminal_size()
    os.write(1, b"size %d %d\\n" % (rows, columns))
signal.signal(signal.SIGWINCH, say)
os.write(1, b"waiting\\n")
while True: signal.pause()
"""


def terminal_bundle(env, args=BASH, kind="debian", **settings):
    return env.bundle(env.shared_root(kind), args, terminal=True, env=ENVIRONMENT, **settings)


def with_bash(env, body, **settings):
    with on_console_socket(env.runtime, terminal_bundle(env, **settings)) as (screen, container):
        screen.wait_for(READY)
        screen.run("")
        body(screen, container)


def test_bash_runs_commands(env):
    def body(screen, _):
        expect.equal(screen.run("echo $((6*7))"), "42\n", "output")
        expect.equal(screen.run("tty"), "/dev/pts/0\n", "tty")
        expect.equal(screen.run("test -t 0 -a -t 1 -a -t 2 && echo all"), "all\n", "tests")
    with_bash(env, body)


def test_nodes(env):
    def body(screen, _):
        expect.equal(screen.run("stat -c '%F %t:%T %a %u' /dev/pts/0"),
                     "character special file 88:0 620 0\n", "/dev/pts/0")
        expect.equal(screen.run("stat -c %t:%T /dev/console /dev/tty /dev/pts/ptmx"),
                     "88:0\n5:0\n5:2\n", "devices")
        expect.equal(screen.run("echo hello > /dev/console"), "hello\n", "/dev/console")
        expect.equal(screen.run("echo hello > /dev/tty"), "hello\n", "/dev/tty")
        expect.equal(screen.run("ls -l /proc/self/fd/0 | sed 's/.*-> //'"), "/dev/pts/0\n", "link")
    with_bash(env, body)


def test_users_terminal_is_theirs(env):
    def body(screen, _):
        expect.equal(screen.run("stat -c %u /dev/pts/0; echo x > /dev/pts/0"), "1000\nx\n", "owner")
    with_bash(env, body, uid=1000, gid=1000)


def test_interrupt(env):
    def body(screen, _):
        screen.type("sleep 1000\n")
        screen.wait_for("sleep 1000")
        host.wait_until(lambda: False, 0.3)
        screen.type("\x03")
        screen.wait_for(r"\^C")
        screen.wait_for(READY)
        expect.equal(screen.run("echo $?"), "130\n", "status")
    with_bash(env, body)


def test_quit(env):
    def body(screen, _):
        screen.type("sleep 1000\n")
        screen.wait_for("sleep 1000")
        host.wait_until(lambda: False, 0.3)
        screen.type("\x1c")
        screen.wait_for(READY)
        expect.equal(screen.run("echo $?"), "131\n", "status")
    with_bash(env, body)


def test_stop_and_continue(env):
    def body(screen, _):
        screen.type("sleep 1000\n")
        screen.wait_for("sleep 1000")
        host.wait_until(lambda: False, 0.3)
        screen.type("\x1a")
        screen.wait_for("Stopped")
        screen.wait_for(READY)
        expect.contains(screen.run("jobs"), "Stopped", "jobs")
        expect.contains(screen.run("bg"), "sleep 1000 &", "bg")
        expect.contains(screen.run("jobs"), "Running", "jobs")
        screen.type("fg\n")
        screen.wait_for("sleep 1000")
        host.wait_until(lambda: False, 0.3)
        screen.type("\x03")
        screen.wait_for(READY)
        expect.equal(screen.run("jobs"), "", "jobs at the end")
    with_bash(env, body)


def test_background_reader_stops(env):
    def body(screen, _):
        screen.run("cat &")
        screen.run("sleep 0.3")
        expect.contains(screen.run("jobs"), "Stopped", "jobs")
        screen.type("fg\n")
        screen.wait_for("cat")
        screen.type("typed\n")
        screen.wait_for("typed\r\ntyped\r\n")
        screen.type("\x04")
        screen.wait_for(READY)
    with_bash(env, body)


def test_background_writer_goes_on_or_stops(env):
    def body(screen, _):
        screen.run("(sleep 0.2; echo from behind) &")
        screen.wait_for("from behind")
        screen.run("stty tostop")
        screen.run("(echo not shown) &")
        screen.run("sleep 0.3")
        expect.contains(screen.run("jobs"), "Stopped", "jobs")
        screen.run("stty -tostop; kill %1; kill -CONT %1; wait")
    with_bash(env, body)


def test_end_of_file_ends_the_shell(env):
    def body(screen, container):
        screen.type("\x04")
        screen.wait_for_end()
        expect.true(host.wait_until(lambda: env.runtime.status(container) == "stopped"),
                    "the container still runs")
    with_bash(env, body)


def test_line_editing(env):
    def body(screen, _):
        for typed, shown in (("echo wrongx\x7f\x7f\x7f\x7f\x7f\x7fright", "right"),
                             ("echo one two\x17three", "one three"),
                             ("echo gone\x15echo kept", "kept")):
            screen.type(typed + "\n")
            screen.wait_for(rf"\r\n{shown}\r\n")
            screen.wait_for(READY)
    with_bash(env, body)


def test_readline(env):
    def body(screen, _):
        screen.type("exec bash --norc --noprofile -i\n")
        screen.wait_for(READY)
        screen.type("echo first\n")
        screen.wait_for(r"\r\nfirst\r\n")
        screen.wait_for(READY)
        screen.type("\x10")  # the line before
        screen.wait_for("echo first")
        screen.type("\x01# \x05\n")
        screen.wait_for(READY)
        screen.type("ech\tdone\n")
        screen.wait_for(r"\r\ndone\r\n")
    with_bash(env, body)


def test_stty(env):
    def body(screen, _):
        shown = screen.run("stty -a")
        for part in ("speed 38400 baud", "intr = ^C", "icanon", "isig", "-tostop", "onlcr"):
            expect.contains(shown, part, "stty -a")
        expect.equal(screen.run("stty -echo; stty -a | grep -o -e '-echo '; stty echo").strip(),
                     "stty echo\n-echo".split("\n")[1], "stty -echo")
        screen.run("")
    with_bash(env, body)


def test_window_size_by_the_engine(env):
    def body(screen, _):
        screen.resize(31, 97)
        expect.equal(screen.run("stty size"), "31 97\n", "stty size")
    with_bash(env, body)


def test_window_size_reaches_a_program_that_waits(env):
    bundle = terminal_bundle(env, ["python3", "-c", WATCHER])
    with on_console_socket(env.runtime, bundle) as (screen, _):
        screen.wait_for("waiting")
        for rows, columns in ((10, 20), (11, 20), (50, 132)):
            screen.resize(rows, columns)
            screen.wait_for(f"size {rows} {columns}", 5)


def test_console_size(env):
    def change(config):
        config["process"]["consoleSize"] = {"height": 33, "width": 77}
    with_bash(env, lambda screen, _: expect.equal(screen.run("stty size"), "33 77\n", "stty size"),
              change=change)


def test_ps_shows_the_terminal(env):
    def body(screen, _):
        lines = screen.run("ps -o pid,tty,tpgid,stat,comm").splitlines()
        shell = next(line.split() for line in lines if "bash" in line)
        ps = next(line.split() for line in lines if line.endswith(" ps"))
        expect.equal(shell[:2], ["1", "pts/0"], "line of the shell")
        expect.equal(ps[1:3], ["pts/0", ps[0]], "line of ps")
        expect.contains(ps[3], "+", "ps is in the foreground")
    with_bash(env, body)


def test_last_output_arrives(env):
    bundle = terminal_bundle(env, ["/bin/bash", "-c", "seq 1 20000; echo the very last"])
    with on_console_socket(env.runtime, bundle) as (screen, _):
        shown = screen.wait_for_end(60)
        expect.true(shown.endswith("20000\r\nthe very last\r\n"), f"end: {shown[-200:]!r}")
        expect.equal(shown.count("\r\n"), 20001, "lines")


def test_hang_up(env):
    program = ("import signal, time, os; signal.signal(signal.SIGHUP, lambda *a: "
               "(open('/data/hung-up', 'w').close(), os._exit(3)))\n"
               "print('waiting', flush=True)\nwhile True: time.sleep(10)")
    root = env.fresh_root("debian")
    bundle = env.bundle(root, ["python3", "-c", program], terminal=True)
    with on_console_socket(env.runtime, bundle) as (screen, container):
        screen.wait_for("waiting")
        os.close(screen.fd)
        expect.true(host.wait_until(lambda: env.runtime.status(container) == "stopped"),
                    "the container still runs")
        expect.true(os.path.exists(os.path.join(root, "data/hung-up")), "SIGHUP was not handled")


def test_much_input(env):
    bundle = terminal_bundle(env, ["/bin/bash", "-c",
                                   "stty -echo; echo go; head -n 2000 | md5sum; echo over"])
    with on_console_socket(env.runtime, bundle) as (screen, _):
        screen.wait_for("go\r\n")
        text = "".join(f"line {i}\n" for i in range(2000))
        for start in range(0, len(text), 1024):
            screen.type(text[start:start + 1024])
        done = subprocess.run(["md5sum"], input=text.encode(), stdout=subprocess.PIPE, check=True)
        screen.wait_for(done.stdout.decode().split()[0])


def test_second_terminals_of_the_container(env):
    def body(screen, _):
        screen.run("script -qc 'tty; stty size' /dev/null > /tmp/out < /dev/null")
        expect.contains(screen.run("cat /tmp/out"), "/dev/pts/1", "terminal of script")
        shown = screen.run("python3 -c \"import pty; pty.spawn(['tty'])\"")
        expect.contains(shown, "/dev/pts/1", "terminal of pty.spawn")
    with_bash(env, body)


def test_top_in_the_terminal(env):
    def body(screen, _):
        screen.run("export TERM=xterm; stty rows 24 cols 80")
        screen.type("top\n")
        screen.wait_for("COMMAND")
        screen.type("q")
        screen.wait_for(READY)
    with_bash(env, body)


def test_console_socket_without_terminal(env):
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/true"])
    with console_listener(bundle) as (_, path):
        done = env.runtime.call("run", "--console-socket", path, "--bundle", bundle,
                                env.runtime.new_id())
    expect.true(done.code != 0, "a console socket without a terminal is an error")


def test_detached_without_console_socket(env):
    done = env.runtime.call("run", "--detach", "--bundle",
                            terminal_bundle(env, ["/bin/true"], kind="busybox"),
                            env.runtime.new_id())
    expect.true(done.code != 0, "a detached terminal needs a console socket")


# --- In the foreground, on the caller's own terminal


@contextlib.contextmanager
def foreground(env, args=BASH, **settings):
    bundle = terminal_bundle(env, args, **settings)
    container = env.runtime.new_id()
    try:
        with on_own_terminal(env.runtime.command("run", "--bundle", bundle, container),
                             rows=29, columns=91) as (screen, process, slave):
            yield screen, process, slave, container
    finally:
        env.runtime.call("delete", "--force", container)


def local_flags(fd):
    return termios.tcgetattr(fd)[3]


def test_foreground_shell(env):
    with foreground(env) as (screen, process, slave, _):
        screen.wait_for(READY)
        screen.run("")
        expect.equal(screen.run("tty"), "/dev/pts/0\n", "tty")
        expect.equal(screen.run("stty size"), "29 91\n", "size of the caller's terminal")
        expect.equal(local_flags(slave) & (termios.ICANON | termios.ECHO), 0, "raw mode")
        screen.type("sleep 1000\n")
        screen.wait_for("sleep 1000")
        host.wait_until(lambda: False, 0.3)
        screen.type("\x1a")
        screen.wait_for("Stopped")
        screen.wait_for(READY)
        screen.run("kill -9 %1; wait")
        screen.run("true")
        screen.type("exit 7\n")
        host.wait_until(lambda: process.poll() is not None, 20)
        expect.equal(process.poll(), 7, "exit code")
        expect.true(local_flags(slave) & termios.ICANON, "the caller's terminal is as it was")
        expect.true(local_flags(slave) & termios.ECHO, "the caller's terminal is as it was")


def test_foreground_resize(env):
    with foreground(env, ["python3", "-c", WATCHER]) as (screen, _, _slave, _container):
        screen.wait_for("waiting")
        screen.resize(44, 55)
        screen.wait_for("size 44 55", 5)


def test_foreground_last_output(env):
    with foreground(env, ["/bin/bash", "-c", "seq 1 5000; echo the end"]) as (screen, process, _, _container):
        screen.wait_for("\r\n5000\r\nthe end\r\n")
        host.wait_until(lambda: process.poll() is not None, 20)
        expect.equal(process.poll(), 0, "exit code")


def test_foreground_killed_container_restores(env):
    with foreground(env, ["/bin/bash", "-c", "echo started; exec sleep 1000"]) as (
            screen, process, slave, container):
        screen.wait_for("started")
        expect.success(env.runtime.call("kill", container, "KILL"), "kill")
        host.wait_until(lambda: process.poll() is not None, 20)
        expect.true(local_flags(slave) & termios.ICANON, "the caller's terminal is as it was")


def test_foreground_program_that_is_missing(env):
    with foreground(env, ["/no/such/program"]) as (screen, process, slave, _):
        screen.wait_for("no/such/program")
        host.wait_until(lambda: process.poll() is not None, 20)
        expect.equal(process.poll(), 127 if env.runtime.is_ours else 1, "exit code")
        expect.true(local_flags(slave) & termios.ICANON, "the caller's terminal is as it was")


def test_foreground_with_pipes(env):
    """Without a terminal of the caller: its streams are copied all the same."""
    if not env.runtime.is_ours:
        raise expect.Skip("runc wants a terminal")
    done = env.runtime.run(terminal_bundle(env, ["/bin/bash", "-c", "tty; stty size"]))
    expect.contains(done.out.decode(), "/dev/pts/0\r\n", "output")


def test_python_terminal_tests(env):
    """The modules of CPython's own tests that are about terminals."""
    if not env.everything:
        raise expect.Skip("long: only with --all")
    # Python 3.11 has no test_tty yet.
    for module in ("test_pty", "test_ioctl", "test_openpty", "test_getpass", "test_readline",
                   "test_curses"):
        bundle = env.bundle(env.shared_root("debian-tests"),
                            ["python3", "-m", "test", "-u", "curses", module],
                            terminal=True, env=["TERM=xterm"])
        with on_console_socket(env.runtime, bundle) as (screen, _):
            expect.contains(screen.wait_for_end(300), "Tests result: SUCCESS", module)
