"""exec, ps, pause and resume: processes beside a container's own, seen from the host."""

import contextlib
import json
import os
import signal
import subprocess
import termios
import time

from harness import expect, host
from harness.environment import read
from harness.terminal import PROMPT, Screen, console_listener, on_own_terminal, receive_terminal

SLEEPER = ["/bin/sh", "-c", "echo up; while :; do sleep 1000; done"]


@contextlib.contextmanager
def running(environment, args=SLEEPER, kind="busybox", **settings):
    """A running container; gives its name."""
    bundle = environment.bundle(environment.shared_root(kind), args, **settings)
    with environment.detached(bundle) as container:
        yield container


def execute(env, container, *arguments, **options):
    return env.runtime.call("exec", *arguments[:-1], container, *arguments[-1], **options)


def shell(env, container, script, *flags, **options):
    return env.runtime.call("exec", *flags, container, "/bin/sh", "-c", script, **options)


def expect_output(done, text, what="output"):
    expect.success(done, what)
    expect.equal(done.out.decode(), text, what)


def process_file(environment, **changes):
    process = {"args": ["/bin/sh", "-c", "echo from file"], "cwd": "/",
               "env": ["PATH=/bin:/usr/bin"], "user": {"uid": 0, "gid": 0}}
    process.update(changes)
    path = os.path.join(environment.directory(), "process.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({k: v for k, v in process.items() if v is not ...}, file)
    return path


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def boot_of(env, container):
    return env.runtime.state(container)["pid"]


# --- What the process gets and gives.

def test_output_and_exit_code(env):
    with running(env) as container:
        done = shell(env, container, "echo out; echo err >&2; exit 7")
        expect.equal((done.out, done.err, done.code), (b"out\n", b"err\n", 7), "result")


def test_exit_codes_pass_through(env):
    with running(env) as container:
        for code in (0, 1, 126, 127, 255):
            expect.equal(shell(env, container, f"exit {code}").code, code, "exit code")


def test_death_by_signal_is_128_plus_number(env):
    with running(env) as container:
        for signo in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV):
            expect.equal(shell(env, container, f"kill -{int(signo)} $$").code, 128 + signo, "code")


def test_standard_input(env):
    with running(env) as container:
        expect_output(execute(env, container, ["cat"], stdin=b"typed"), "typed")


def test_a_megabyte_through_both_streams(env):
    with running(env) as container:
        data = os.urandom(1 << 20)
        done = expect.success(execute(env, container, ["cat"], stdin=data))
        expect.equal(done.out == data, True, "data came back")


def test_has_no_parent_and_its_own_session(env):
    with running(env) as container:
        done = expect.success(shell(env, container, "cut -d' ' -f4-7 /proc/$$/stat; echo $$"))
        fields, pid = done.out.decode().split("\n")[:2]
        expect.equal(fields.split(), ["0", pid, pid, "0"], "parent, group, session, terminal")


def test_is_seen_inside_and_sees_the_others(env):
    with running(env) as container:
        done = expect.success(shell(env, container, "cat /proc/1/cmdline | tr '\\0' ' '; "
                                                    "[ -d /proc/$$ ] && echo here"))
        expect.equal(done.out.decode(), "/bin/sh -c " + SLEEPER[2] + " here\n", "output")


def test_defaults_are_the_containers(env):
    with running(env, env=["FROM=config"], cwd="/tmp", uid=12, gid=34, groups=[56]) as container:
        done = expect.success(shell(env, container, "echo $FROM; pwd; id -u; id -g; id -G"))
        expect.equal(done.out.decode(), "config\n/tmp\n12\n34\n34 56\n", "output")


def test_flags_override_the_containers(env):
    with running(env, env=["FROM=config"]) as container:
        done = shell(env, container, "echo $FROM $ADDED; pwd; id -u; id -g; id -G",
                     "-e", "FROM=flag", "-e", "ADDED=a b=c", "--cwd", "/tmp", "-u", "7:8",
                     "-g", "9", "-g", "10")
        expect_output(done, "flag a b=c\n/tmp\n7\n8\n8 9 10\n")


def test_user_without_group_keeps_the_group(env):
    with running(env, gid=5) as container:
        expect_output(shell(env, container, "id -u; id -g", "--user", "99"), "99\n5\n")


def test_groups_are_in_order_and_each_there_once(env):
    with running(env, groups=[9, 7]) as container:
        expect_output(shell(env, container, "id -G", "-g", "8", "-g", "5", "-g", "8"),
                      "0 5 7 8 9\n")


def test_capabilities_of_root_and_users(env):
    with running(env) as container:
        script = "grep -E 'CapPrm|CapEff' /proc/self/status | cut -f2"
        root = expect.success(shell(env, container, script)).out.split()
        user = expect.success(shell(env, container, script, "-u", "1000")).out.split()
        expect.true(int(root[0], 16) != 0 and root[0] == root[1], f"of root {root}")
        expect.equal([int(x, 16) for x in user], [0, 0], "of a user")


def test_added_capability(env):
    def without(config):
        for name in ("bounding", "effective", "permitted"):
            config["process"]["capabilities"][name] = ["CAP_KILL"]

    with running(env, change=without) as container:
        script = "grep CapEff /proc/self/status | cut -f2"
        plain = int(expect.success(shell(env, container, script)).out, 16)
        more = int(expect.success(shell(env, container, script, "--cap", "CAP_CHOWN")).out, 16)
        expect.equal((plain, more), (1 << 5, 1 << 5 | 1), "effective capabilities")


def test_no_new_privs(env):
    with running(env) as container:
        script = "grep NoNewPrivs /proc/self/status | cut -f2"
        expect_output(shell(env, container, script), "0\n")
        expect_output(shell(env, container, script, "--no-new-privs"), "1\n")


def test_limits_and_umask_are_the_specifications(env):
    if not env.runtime.is_ours:
        raise expect.Skip("runc passes its own umask on")

    def umask(config):
        config["process"]["user"]["umask"] = 0o27

    with running(env, change=umask, rlimits=[("RLIMIT_NOFILE", 321)]) as container:
        expect_output(shell(env, container, "ulimit -n; umask"), "321\n0027\n")


def test_umask_of_init(env):
    def umask(config):
        config["process"]["user"]["umask"] = 0o77

    done = env.run("busybox", ["/bin/sh", "-c", "umask; touch /tmp/f; stat -c %a /tmp/f"],
                   change=umask)
    expect_output(done, "0077\n600\n")


def test_home_comes_from_passwd(env):
    def no_home(config):
        config["process"]["env"] = ["PATH=/bin"]

    root = env.fresh_root("busybox")
    with open(os.path.join(root, "etc/passwd"), "w", encoding="utf-8") as file:
        file.write("root:x:0:0::/the/root:/bin/sh\nme:x:42:42::/home/me:/bin/sh\n")
    bundle = env.bundle(root, SLEEPER, change=no_home)
    with env.detached(bundle) as container:
        for user, home in (("0", "/the/root"), ("42", "/home/me"), ("43", "/")):
            expect_output(shell(env, container, "echo $HOME", "-u", user), home + "\n")
        expect_output(shell(env, container, "echo $HOME", "-e", "HOME=/x"), "/x\n")


def test_options_behind_the_name_are_the_programs(env):
    with running(env) as container:
        expect_output(env.runtime.call("exec", container, "echo", "-e", "-u", "--cwd", "x"),
                      "-u --cwd x\n")


def test_a_mark_before_the_name_ends_the_flags(env):
    with running(env) as container:
        for flags in ([], ["-e", "A=b"], ["-u", "1", "-u", "0"], ["--no-new-privs"]):
            expect_output(env.runtime.call("exec", *flags, "--", container, "echo", "--", "-e"),
                          "-- -e\n")
        expect.success(env.runtime.call("ps", "-f", "json", "--", container))
        expect.true(env.runtime.call("exec", container, "--", "echo").code != 0, "no program")


def test_writes_are_seen_by_the_container(env):
    with running(env) as container:
        expect.success(shell(env, container, "echo shared > /tmp/f"))
        expect_output(shell(env, container, "cat /tmp/f"), "shared\n")


def test_inherits_more_descriptors(env):
    with running(env) as container:
        read_end, write_end = os.pipe()
        try:
            os.write(write_end, b"through 3")
            os.close(write_end)
            write_end = -1
            target = os.dup2(read_end, 3) if read_end != 3 else 3
            done = shell(env, container, "cat <&3; ls /proc/self/fd | wc -l", "--preserve-fds",
                         "1", pass_fds=(target,))
            expect.success(done)
            expect.true(done.out.startswith(b"through 3"), f"{done}")
        finally:
            os.close(read_end)


def test_closes_what_is_not_passed(env):
    with running(env) as container:
        expect_output(shell(env, container, "ls /proc/$$/fd | tr '\\n' ' '"), "0 1 2 ")


def test_signals_are_forwarded(env):
    with running(env) as container:
        with env.runtime.popen("exec", container, "/bin/sh", "-c",
                               "trap 'echo got; exit 5' TERM; echo ready; "
                               "while :; do sleep 0.05; done",
                               stdout=subprocess.PIPE) as client:
            expect.equal(client.stdout.readline(), b"ready\n", "first line")
            client.send_signal(signal.SIGTERM)
            expect.equal((client.stdout.read(), client.wait(20)), (b"got\n", 5), "result")


def test_killed_client_leaves_the_process(env):
    with running(env) as container:
        with env.runtime.popen("exec", container, "/bin/sh", "-c",
                               "echo ready; sleep 0.5; echo on > /tmp/went; sleep 1000",
                               stdout=subprocess.PIPE) as client:
            client.stdout.readline()
            client.kill()
            client.wait(10)
        expect.true(host.wait_until(
            lambda: shell(env, container, "cat /tmp/went").out == b"on\n"), "it ended")
        expect.success(shell(env, container, "kill -9 $(pidof sleep)"))


def test_children_outlive_their_parent(env):
    with running(env) as container:
        expect.success(shell(env, container, "(sleep 0.3; cut -d' ' -f4 /proc/self/stat; "
                                             "echo late > /tmp/late) > /dev/null 2>&1 &"))
        expect.true(host.wait_until(
            lambda: shell(env, container, "cat /tmp/late").out == b"late\n"), "no file")


# --- Detached.

def detached_exec(env, container, script, *flags, **options):
    """Gives the pid of the process that stands for it, a child of ours."""
    pid_file = os.path.join(env.directory(), "pid")
    done = env.runtime.call("exec", "--detach", "--pid-file", pid_file, *flags, container,
                            "/bin/sh", "-c", script, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, **options)
    expect.equal(done.code, 0, "exec --detach")
    return int(read(pid_file))


def reap(pid):
    """The runner is a subreaper, as an engine's shim is."""
    found, status = os.waitpid(pid, 0)
    expect.equal(found, pid, "waited for")
    return os.waitstatus_to_exitcode(status)


def test_detached_pid_file_names_a_child_with_the_exit_code(env):
    with running(env) as container:
        pid = detached_exec(env, container, "sleep 0.3; exit 9")
        expect.true(is_running(pid), "the process of the pid file has ended")
        expect.equal(reap(pid), 9, "exit code")


def test_detached_death_by_signal(env):
    with running(env) as container:
        expect.equal(reap(detached_exec(env, container, "kill -9 $$")), -9, "exit code")
        expect.equal(reap(detached_exec(env, container, "kill -TERM $$")), -15, "exit code")


def test_detached_signals_are_forwarded(env):
    with running(env) as container:
        pid = detached_exec(env, container, "trap 'exit 33' USR1; touch /tmp/armed; "
                                            "while :; do sleep 0.05; done")
        host.wait_until(lambda: shell(env, container, "test -e /tmp/armed").code == 0)
        os.kill(pid, signal.SIGUSR1)
        expect.equal(reap(pid), 33, "exit code")


def test_detached_kill_ends_the_process(env):
    with running(env) as container:
        pid = detached_exec(env, container, "sleep 1234")
        os.kill(pid, signal.SIGKILL)
        expect.equal(reap(pid), -9, "exit code")
        expect.true(host.wait_until(
            lambda: b"1234" not in env.runtime.call("ps", container).out), "it still runs")


def test_detached_closes_the_callers_streams(env):
    with running(env) as container:
        read_end, write_end = os.pipe()
        pid_file = os.path.join(env.directory(), "pid")
        done = env.runtime.call("exec", "-d", "--pid-file", pid_file, container, "/bin/sh", "-c",
                                "echo said; exec >/dev/null 2>&1; sleep 0.5",
                                stdout=write_end, stderr=write_end)
        os.close(write_end)
        expect.equal(done.code, 0, "exec")
        with os.fdopen(read_end, "rb") as stream:
            expect.equal(stream.read(), b"said\n", "what came until the end of the stream")
        pid = int(read(pid_file))
        expect.true(is_running(pid), "the end of the stream came after the process's")
        reap(pid)


def test_end_of_the_container_ends_them(env):
    with running(env) as container:
        pid = detached_exec(env, container, "sleep 1000")
        expect.success(env.runtime.call("kill", container, "KILL"))
        expect.equal(reap(pid), -9, "exit code")


def test_engines_hear_of_its_end_before_the_containers(env):
    """The sandbox must outlive what stands for its processes, until that is reaped."""
    with running(env, ["/bin/sleep", "1"]) as container:
        boot = boot_of(env, container)
        pid = detached_exec(env, container, "sleep 1000")
        expect.true(host.wait_until(lambda: not is_running(pid)), "it survives the container")
        ended_first = not is_running(boot)
        time.sleep(0.1)
        ended_too_early = not is_running(boot)
        expect.equal(reap(pid), -9, "exit code")
        expect.true(not ended_first, "boot ended first")
        if env.runtime.is_ours:
            expect.true(not ended_too_early, "boot ended before the other was reaped")
        expect.true(host.wait_until(lambda: not is_running(boot)), "boot does not end")


def test_delete_force_ends_them(env):
    with running(env) as container:
        pid = detached_exec(env, container, "trap '' TERM; sleep 1000")
        expect.success(env.runtime.call("delete", "--force", container))
        expect.equal(reap(pid), -9, "exit code")


def test_killed_sandbox_ends_them(env):
    with running(env) as container:
        pid = detached_exec(env, container, "sleep 1000")
        os.kill(boot_of(env, container), signal.SIGKILL)
        expect.equal(reap(pid), -9, "exit code")


# --- The process file.

def test_process_file(env):
    with running(env) as container:
        path = process_file(env, args=["/bin/sh", "-c", "echo $A; pwd; id -u; id -g; id -G"],
                            env=["PATH=/bin", "A=b"], cwd="/tmp",
                            user={"uid": 3, "gid": 4, "additionalGids": [5]})
        expect_output(env.runtime.call("exec", "--process", path, container),
                      "b\n/tmp\n3\n4\n4 5\n")


def test_process_file_takes_capabilities_and_limits_of_the_container(env):
    if not env.runtime.is_ours:
        raise expect.Skip("runc passes its own limits on")
    with running(env, rlimits=[("RLIMIT_NOFILE", 222)]) as container:
        path = process_file(env, args=["/bin/sh", "-c",
                                       "ulimit -n; grep CapEff /proc/self/status | cut -f2"])
        done = expect.success(env.runtime.call("exec", "-p", path, container))
        limit, capabilities = done.out.split()
        expect.true(limit == b"222" and int(capabilities, 16) != 0, f"{done}")


def test_process_file_with_own_limits_and_capabilities(env):
    with running(env) as container:
        path = process_file(
            env, args=["/bin/sh", "-c", "ulimit -n; grep CapEff /proc/self/status | cut -f2"],
            rlimits=[{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 88}],
            capabilities={name: ["CAP_KILL"] for name in ("bounding", "effective", "permitted")})
        expect_output(env.runtime.call("exec", "-p", path, container), "77\n0000000000000020\n")


BAD_PROCESSES = [
    ("args", []), ("args", ...), ("args", "sh"), ("args", [1]), ("args", [""]), ("args", [None]),
    ("args", ["x" * 200000]), ("args", {"0": "sh"}), ("args", ["a\u0000b"]),
    ("cwd", "relative"), ("cwd", ""), ("cwd", ...), ("cwd", 5), ("cwd", "/" + "x" * 5000),
    ("env", "A=b"), ("env", ["novalue"]), ("env", ["=x"]), ("env", [5]), ("env", ["A=a\u0000b"]),
    ("user", {"uid": -1}), ("user", {"uid": 1 << 32}), ("user", {"gid": "x"}), ("user", 0),
    ("user", {"uid": 1.5}), ("user", {"additionalGids": [-1]}), ("user", {"additionalGids": 1}),
    ("user", {"umask": 0o7777}), ("user", {"umask": -1}), ("user", {"uid": 4294967295}),
    ("capabilities", {"effective": ["CAP_NONSENSE"]}), ("capabilities", []),
    ("capabilities", {"effective": ["CAP_KILL"], "permitted": []}),
    ("rlimits", [{"type": "RLIMIT_X", "soft": 1, "hard": 1}]), ("rlimits", {}),
    ("rlimits", [{"type": "RLIMIT_NOFILE", "soft": 2, "hard": 1}]),
    ("rlimits", [{"type": "RLIMIT_NOFILE", "soft": -1, "hard": 1}]),
    ("rlimits", [{"type": "RLIMIT_NOFILE", "hard": 1}]),
    ("rlimits", [{"type": "RLIMIT_CPU", "soft": 1, "hard": 1}] * 2),
    ("terminal", "yes"), ("consoleSize", {"height": -1, "width": 1}), ("noNewPrivileges", 1),
    ("oomScoreAdj", 2000), ("selinuxLabel", "x"),
]


def test_wrong_process_files_name_the_field(env):
    ours = env.runtime.is_ours
    with running(env) as container:
        for field, value in BAD_PROCESSES:
            done = env.runtime.call("exec", "-p", process_file(env, **{field: value}), container)
            if not ours:
                continue
            expect.equal(done.code, 255, f"exit code for {field}={value!r:.60} ({done.err!r})")
            text = done.err.decode()
            expect.true(field in text and text.count("\n") == 1, f"message: {text}")
        expect_output(shell(env, container, "echo alive"), "alive\n")


def test_unreadable_process_files(env):
    directory = env.directory()
    paths = [os.path.join(directory, "missing"), directory, "/dev/zero"]
    for name, text in (("empty", ""), ("text", "sh"), ("array", "[]"), ("cut", '{"args": ["sh"'),
                       ("deep", "[" * 100000), ("null", "null")):
        paths.append(os.path.join(directory, name))
        with open(paths[-1], "w", encoding="utf-8") as file:
            file.write(text)
    with running(env) as container:
        for path in paths:
            done = env.runtime.call("exec", "-p", path, container, seconds=20)
            expect.true(done.code != 0 and not done.timed_out, f"{path} was accepted: {done}")
        expect_output(shell(env, container, "echo alive"), "alive\n")


# --- What cannot be started.

def test_missing_program(env):
    with running(env) as container:
        done = execute(env, container, ["no-such-program"])
        expect.equal(done.code, 127 if env.runtime.is_ours else 255, "exit code")
        expect.contains(done.err.decode(), "no-such-program", "message")
        expect.contains(done.err.decode(), "exec failed", "message")


def test_program_that_cannot_be_executed(env):
    with running(env) as container:
        done = execute(env, container, ["/etc/passwd"])
        expect.equal(done.code, 126 if env.runtime.is_ours else 255, "exit code")
        expect.contains(done.err.decode(), "permission denied", "message")


def test_missing_working_directory(env):
    with running(env) as container:
        done = execute(env, container, "--cwd", "/no/such/place", ["true"])
        expect.true(done.code != 0, "it was started")


def test_wrong_flags(env):
    with running(env) as container:
        for flags in (["-u", "root"], ["-u", "1:x"], ["-u", "-1"], ["-u", "4294967295"],
                      ["-g", "x"], ["--no-such-flag"],
                      ["--preserve-fds", "x"], ["--preserve-fds", "100000"]):
            done = execute(env, container, *flags, ["true"])
            expect.true(done.code != 0, f"{flags} was accepted")
        if env.runtime.is_ours:
            for flags in (["--cwd", "relative"], ["--cap", "CAP_X"]):
                expect.true(execute(env, container, *flags, ["true"]).code != 0, f"{flags}")
        expect.true(env.runtime.call("exec", container).code != 0, "no command was accepted")
        expect.true(env.runtime.call("exec").code != 0, "no name was accepted")
        expect.true(env.runtime.call("exec", container, "").code != 0, "an empty command")


def test_unknown_container(env):
    expect.true(execute(env, "no-such-container", ["true"]).code != 0, "exec succeeded")


def test_stopped_container(env):
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/true"])
    with env.detached(bundle) as container:
        expect.true(host.wait_until(lambda: env.runtime.status(container) == "stopped"), "status")
        done = execute(env, container, ["true"])
        expect.equal(done.code, 255, "exit code")
        expect.contains(done.err.decode(), "cannot exec in a stopped container", "message")


def test_end_of_the_container_while_processes_start(env):
    for delay in (0.05, 0.1, 0.15, 0.2):
        with running(env, ["/bin/sleep", str(0.2 + delay)]) as container:
            codes = set()
            deadline = time.monotonic() + 20
            while env.runtime.status(container) != "stopped":
                done = execute(env, container, ["true"], seconds=20)
                expect.true(not done.timed_out, "exec hangs")
                codes.add(done.code)
                expect.true(time.monotonic() < deadline, "the container does not stop")
            expect.true(codes <= {0, 137, 255}, f"exit codes {codes}")


def test_many_at_once(env):
    with running(env) as container:
        clients = [env.runtime.popen("exec", container, "/bin/sh", "-c", f"sleep 0.2; exit {i}")
                   for i in range(20)]
        expect.equal([client.wait(60) for client in clients], list(range(20)), "exit codes")


def test_fifty_at_once(env):
    with running(env) as container:
        clients = [env.runtime.popen("exec", container, "/bin/sh", "-c",
                                     f"cat > /dev/null; exit {i}", stdin=subprocess.PIPE)
                   for i in range(50)]
        shown = host.wait_until(
            lambda: env.runtime.call("ps", container).out.count(b"cat > /dev/null; exit") >= 50, 60)
        for client in clients:
            client.stdin.close()
        expect.equal([client.wait(60) for client in clients], list(range(50)), "exit codes")
        expect.true(shown or not env.runtime.is_ours, "not all of them are shown")
        expect_output(shell(env, container, "echo alive"), "alive\n")


def test_clients_killed_at_any_time(env):
    """No phase of exec holds the container's lock, a thread or a process for ever."""
    with running(env) as container:
        boot = boot_of(env, container)
        expect.success(execute(env, container, ["true"]))
        files = len(os.listdir(f"/proc/{boot}/fd"))
        for step in range(60):
            flags = ["-d"] if step % 2 else []
            client = env.runtime.popen("exec", *flags, container, "/bin/sh", "-c",
                                       f"sleep 0.0{step % 7}; exit 3",
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(step * 0.0007)
            client.kill()
            client.wait(20)
        expect_output(shell(env, container, "echo alive"), "alive\n")
        ours = env.runtime.is_ours
        expect.true(host.wait_until(lambda: (host.reap(), len(json.loads(env.runtime.call(
            "ps", "-f", "json", container).out)) == 2)[1]) or not ours, "processes are left")
        expect.true(host.wait_until(lambda: len(os.listdir(f"/proc/{boot}/fd")) <= files)
                    or not ours, "descriptors are left")


def test_kill_all_while_processes_start(env):
    if not env.runtime.is_ours:
        raise expect.Skip("runc's misses those that come meanwhile")
    for delay in (0, 0.02, 0.05, 0.1):
        with running(env) as container:
            clients = [env.runtime.popen("exec", container, "/bin/sleep", "1000",
                                         stderr=subprocess.DEVNULL) for _ in range(8)]
            time.sleep(delay)
            expect.success(env.runtime.call("kill", "--all", container, "KILL"))
            codes = {client.wait(30) for client in clients}
            expect.true(codes <= {137, 255}, f"exit codes {codes}")
            expect.true(host.wait_until(lambda: env.runtime.status(container) == "stopped"),
                        "it does not stop")


def memory_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def test_two_hundred_leave_nothing_behind(env):
    with running(env) as container:
        boot = boot_of(env, container)

        def state():
            threads = len(os.listdir(f"/proc/{boot}/task"))
            fds = len(os.listdir(f"/proc/{boot}/fd"))
            children = len(host.descendants(boot))
            return threads, fds, children

        for _ in range(10):
            expect.success(execute(env, container, ["true"]))
        time.sleep(2.5)  # idle workers end after a while
        before = state()
        memory = memory_kib(boot)
        for _ in range(200):
            expect.success(execute(env, container, ["true"]))
        host.wait_until(lambda: state()[1:] == before[1:], 5)
        after = state()
        expect.equal(after[1:], before[1:], "descriptors and processes")
        expect.true(after[0] <= before[0] + 4, f"threads {before[0]} -> {after[0]}")
        growth = memory_kib(boot) - memory
        expect.true(growth < 1024, f"boot grew by {growth} KiB")


def test_wait_for_a_process_by_its_number(env):
    if not env.runtime.is_ours:
        raise expect.Skip("runc has no wait")
    with running(env) as container:
        pid = detached_exec(env, container, "echo $$ > /tmp/pid; sleep 0.5; exit 4")
        host.wait_until(lambda: shell(env, container, "cat /tmp/pid").out.strip())
        inner = shell(env, container, "cat /tmp/pid").out.decode().strip()
        done = expect.success(env.runtime.call("wait", "--pid", inner, container))
        expect.equal(json.loads(done.out)["exitStatus"], 4, "exit status")
        reap(pid)


# --- Beside an init that has not been started.

@contextlib.contextmanager
def created(env, args=SLEEPER, root=None, **settings):
    """A container that is created only; gives its name and the file of init's output."""
    container = env.runtime.new_id()
    bundle = env.bundle(root or env.shared_root("busybox"), args, **settings)
    path = os.path.join(bundle, "output")
    with open(path, "wb") as output:
        done = env.runtime.call("create", "--bundle", bundle, container, stdout=output,
                                stderr=output)
    try:
        expect.success(done, "create")
        yield container, path
    finally:
        env.runtime.call("delete", "--force", container)


def stops(env, container):
    return host.wait_until(lambda: env.runtime.status(container) == "stopped")


def test_created_container_has_its_init(env):
    with created(env) as (container, _):
        done = expect.success(shell(env, container, "echo $PPID; ls -d /proc/[0-9]* | head -1; "
                                                    "echo $(($$ > 1)); "
                                                    "ps -o pid,comm | grep ' 1 '"))
        lines = done.out.decode().splitlines()
        expect.equal(lines[:3], ["0", "/proc/1", "1"], "parent, first process, not the first")
        expect.contains(lines[3].lower(), "init", "name of the first process")
        expect.equal(env.runtime.status(container), "created", "status")
        listed = json.loads(expect.success(
            env.runtime.call("ps", "--format", "json", container)).out)
        expect.equal(len(listed), 1, "processes")


def test_created_container_starts_after_it(env):
    script = "echo I am $$; cat /tmp/before; exit 9"
    with created(env, ["/bin/sh", "-c", script]) as (container, output):
        expect.success(shell(env, container, "echo written > /tmp/before"))
        pid = detached_exec(env, container, "exec sleep 1000")
        expect.success(env.runtime.call("start", container))
        expect.equal(reap(pid), -9, "exit code of what ran beside it")
        expect.true(stops(env, container), "it does not stop")
        expect.equal(read(output), "I am 1\nwritten\n", "output of init")
        if env.runtime.is_ours:
            done = expect.success(env.runtime.call("wait", container))
            expect.equal(json.loads(done.out)["exitStatus"], 9, "exit status")


def test_init_is_what_the_file_holds_at_its_start(env):
    root = env.fresh_root("busybox")
    with open(os.path.join(root, "program"), "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\necho old\n")
    os.chmod(os.path.join(root, "program"), 0o755)
    with created(env, ["/program"], root) as (container, output):
        expect.success(shell(env, container, "printf '#!/bin/sh\necho new\n' > /program"))
        expect.success(env.runtime.call("start", container))
        expect.true(stops(env, container), "it does not stop")
        expect.equal(read(output), "new\n", "output of init")


def test_everything_about_a_created_containers_init_can_be_read(env):
    with created(env) as (container, _):
        done = shell(env, container, "find /proc/1/ -maxdepth 1 ! -name pagemap | while read f; do "
                                     "cat $f; readlink $f; done > /dev/null 2>&1; "
                                     "ls /proc/1/fd; readlink /proc/1/cwd; echo alive")
        expect.success(done)
        expect.equal(done.out.decode().split()[-2:], ["/", "alive"], "output")
        expect.success(env.runtime.call("start", container))
        expect_output(shell(env, container, "echo alive"), "alive\n")


def test_created_containers_init_cannot_be_killed_from_inside(env):
    with created(env) as (container, output):
        expect.success(shell(env, container, "for s in KILL STOP USR1 CHLD CONT; do "
                                             "kill -$s 1; done; sleep 0.1"))
        expect.equal(env.runtime.status(container), "created", "status")
        expect.success(env.runtime.call("start", container))
        expect.true(host.wait_until(lambda: read(output) == "up\n"), "it does not run")


def test_orphans_wait_for_the_init_that_is_to_come(env):
    script = "sleep 0; sleep 0; grep -l '^State:.Z' /proc/[0-9]*/status; echo done"
    with created(env, ["/bin/sh", "-c", script]) as (container, output):
        expect.success(shell(env, container, "(sleep 0.1; exit 3) > /dev/null 2>&1 &"))
        expect.true(host.wait_until(lambda: b"Z" in shell(
            env, container, "cut -d' ' -f3,4 /proc/[0-9]*/stat | grep 'Z 1'").out), "no zombie")
        expect.success(env.runtime.call("start", container))
        expect.true(stops(env, container), "it does not stop")
        expect.equal(read(output), "done\n", "zombies that init has not reaped")


def test_kill_of_a_created_container(env):
    for signo, ends in (("CHLD", False), ("0", False), ("WINCH", False), ("TERM", True),
                        ("KILL", True)):
        with created(env) as (container, _):
            pid = detached_exec(env, container, "sleep 1000")
            expect.success(env.runtime.call("kill", container, signo), f"kill {signo}")
            if ends:
                expect.equal(reap(pid), -9, f"exit code after {signo}")
                expect.true(stops(env, container), f"it lives on after {signo}")
            else:
                expect.equal(env.runtime.status(container), "created", f"status after {signo}")
                expect.success(env.runtime.call("delete", "--force", container))
                expect.equal(reap(pid), -9, "exit code")


def test_kill_all_of_a_created_container(env):
    with created(env) as (container, _):
        pid = detached_exec(env, container, "sleep 1000")
        expect.success(env.runtime.call("kill", "--all", container, "KILL"))
        expect.equal(reap(pid), -9, "exit code")
        expect.true(stops(env, container), "it lives on")


def test_delete_of_a_created_container_ends_what_runs_in_it(env):
    if not env.runtime.is_ours:
        raise expect.Skip("runc gives up before its processes have been reaped")
    with created(env) as (container, _):
        pid = detached_exec(env, container, "trap '' TERM; sleep 1000")
        client = env.runtime.popen("exec", container, "sleep", "1000")
        host.wait_until(lambda: b"sleep" in env.runtime.call("ps", container).out)
        expect.success(env.runtime.call("delete", container), "delete")
        expect.equal(reap(pid), -9, "exit code")
        expect.equal(client.wait(20), 137, "exit code in the foreground")
        expect.equal(env.runtime.state(container), None, "state")


def test_pause_of_a_created_container(env):
    with created(env) as (container, output):
        pid = detached_exec(env, container, "while :; do :; done")
        expect.success(env.runtime.call("pause", container))
        expect.equal(env.runtime.status(container), "paused", "status")
        expect.true(execute(env, container, ["true"]).code == 255, "exec while it is paused")
        expect.true(env.runtime.call("start", container).code != 0, "start while it is paused")
        expect.true(env.runtime.call("delete", container).code != 0, "delete while it is paused")
        expect.success(env.runtime.call("resume", container))
        expect.equal(env.runtime.status(container), "created", "status")
        expect.success(env.runtime.call("start", container))
        expect.true(host.wait_until(lambda: read(output) == "up\n"), "it does not run")
        os.kill(pid, signal.SIGKILL)
        reap(pid)


def test_an_init_that_fails_to_start_ends_what_runs_beside_it(env):
    root = env.fresh_root("busybox")
    with open(os.path.join(root, "program"), "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n")
    os.chmod(os.path.join(root, "program"), 0o755)
    for change in ("rm /program", "echo > /program; printf '\\177ELF' > /program",
                   "printf '#!/no/such\n' > /program"):
        if not os.path.exists(os.path.join(root, "program")):
            with open(os.path.join(root, "program"), "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\n")
            os.chmod(os.path.join(root, "program"), 0o755)
        with created(env, ["/program"], root) as (container, _):
            pid = detached_exec(env, container, "sleep 1000")
            expect.success(shell(env, container, change))
            began = time.monotonic()
            done = env.runtime.call("start", container)
            if env.runtime.is_ours:
                expect.true(done.code != 0, f"start after {change}")
                expect.equal(done.err.decode().count("\n"), 1, f"lines of {done.err}")
            expect.equal(reap(pid), -9, "exit code")
            expect.true(stops(env, container), "it does not stop")
            if env.runtime.is_ours:
                expect.true(time.monotonic() - began < 1.5, "the end took long")


def test_start_while_processes_start(env):
    for _ in range(5):
        with created(env) as (container, output):
            clients = [env.runtime.popen("exec", container, "/bin/sh", "-c", f"exit {i}")
                       for i in range(6)]
            expect.success(env.runtime.call("start", container))
            expect.equal([client.wait(60) for client in clients], list(range(6)), "exit codes")
            expect.true(host.wait_until(lambda: read(output) == "up\n"), "it does not run")


def test_a_created_container_in_a_storm_of_commands(env):
    """Whatever comes first, every command ends, and nothing is left."""
    if not env.runtime.is_ours:
        raise expect.Skip("runc gives up before its processes have been reaped")
    for step in range(12):
        with created(env) as (container, _):
            commands = [("exec", container, "true"), ("start", container),
                        ("exec", "-d", container, "sleep", "1000"), ("kill", container, "TERM"),
                        ("ps", container), ("exec", container, "sh", "-c", "kill -9 1; exit 3"),
                        ("pause", container), ("resume", container),
                        ("kill", "--all", container, "KILL")]
            turn = step % len(commands)
            clients = []
            for command in commands[turn:] + commands[:turn]:
                clients.append(env.runtime.popen(*command, stdout=subprocess.DEVNULL,
                                                 stderr=subprocess.DEVNULL))
                time.sleep(0.002 * step)
            # One that stands still, and what waits for it there, ends here at last.
            expect.success(env.runtime.call("delete", "--force", container, seconds=20))
            for client in clients:
                client.wait(20)
            expect.equal(env.runtime.state(container), None, "state")


def test_terminal_beside_an_init_that_has_not_been_started(env):
    with created(env) as (container, _):
        command = env.runtime.command("exec", "-t", container, "/bin/sh", "-c", "tty; exit 4")
        with on_own_terminal(command) as (screen, process, _):
            screen.wait_for("/dev/pts/0")
            expect.equal(process.wait(20), 4, "exit code")


# --- Terminals.

BASH = ["/bin/bash", "--norc", "--noprofile", "--noediting", "-i"]
PROMPTED = ["-t", "-e", f"PS1={PROMPT}", "-e", "TERM=dumb"]


@contextlib.contextmanager
def bash_in_foreground(env, container, *flags):
    command = env.runtime.command("exec", *PROMPTED, *flags, container, *BASH)
    with on_own_terminal(command) as (screen, process, slave):
        screen.wait_for(PROMPT)
        screen.run("")
        yield screen, process, slave


def test_terminal_in_the_foreground(env):
    with running(env, kind="debian") as container:
        with bash_in_foreground(env, container) as (screen, process, slave):
            expect.true(not termios.tcgetattr(slave)[3] & termios.ECHO, "the caller's is not raw")
            expect.equal(screen.run("tty"), "/dev/pts/0\n", "tty")
            expect.equal(screen.run("test -t 0 -a -t 1 -a -t 2 && echo all"), "all\n", "tests")
            expect.equal(screen.run("echo x > /dev/tty"), "x\n", "/dev/tty")
            screen.type("exit 7\n")
            expect.equal(process.wait(20), 7, "exit code")
            expect.true(termios.tcgetattr(slave)[3] & termios.ECHO, "the caller's is still raw")
        expect.equal(env.runtime.status(container), "running", "status")


def test_terminal_has_job_control(env):
    with running(env, kind="debian") as container:
        with bash_in_foreground(env, container) as (screen, _, _):
            screen.type("sleep 1000\n")
            screen.wait_for("sleep 1000")
            time.sleep(0.3)
            screen.type("\x1a")
            screen.wait_for("Stopped")
            screen.wait_for(PROMPT)
            screen.type("fg\n")
            screen.wait_for("sleep 1000")
            time.sleep(0.3)
            screen.type("\x03")
            screen.wait_for(PROMPT)
            expect.equal(screen.run("echo $?"), "130\n", "status")


def test_terminal_follows_the_callers_size(env):
    with running(env, kind="debian") as container:
        with bash_in_foreground(env, container) as (screen, process, _):
            expect.equal(screen.run("stty size"), "24 80\n", "size")
            screen.resize(50, 132)
            process.send_signal(signal.SIGWINCH)
            expect.true(host.wait_until(lambda: screen.run("stty size") == "50 132\n"), "new size")


def test_output_until_the_end_of_a_terminals_process(env):
    with running(env) as container:
        command = env.runtime.command("exec", "-t", container, "/bin/sh", "-c",
                                      "i=0; while [ $i -lt 2000 ]; do echo line $i; "
                                      "i=$((i+1)); done")
        with on_own_terminal(command) as (screen, process, _):
            screen.wait_for("line 1999\r\n")
            expect.equal(process.wait(20), 0, "exit code")


def test_detached_terminal_goes_to_the_console_socket(env):
    with running(env, kind="debian") as container:
        directory = env.directory()
        pid_file = os.path.join(directory, "pid")
        with console_listener(directory) as (listener, path):
            done = env.runtime.call("exec", *PROMPTED, "-d", "--console-socket", path, "--pid-file",
                                    pid_file, container, *BASH)
            expect.success(done, "exec --detach --tty")
            fd, name = receive_terminal(listener)
        expect.equal(name, "/dev/ptmx", "name")
        screen = Screen(fd)
        try:
            screen.wait_for(PROMPT)
            screen.run("")
            expect.equal(screen.run("tty; echo $((6*7))"), "/dev/pts/0\n42\n", "output")
            screen.type("exit 3\n")
            expect.equal(reap(int(read(pid_file))), 3, "exit code")
            screen.wait_for_end()
        finally:
            os.close(fd)


def test_end_of_the_console_hangs_up(env):
    with running(env, kind="debian") as container:
        directory = env.directory()
        pid_file = os.path.join(directory, "pid")
        with console_listener(directory) as (listener, path):
            expect.success(env.runtime.call("exec", "-t", "-d", "--console-socket", path,
                                            "--pid-file", pid_file, container, "sleep", "1000"))
            fd, _ = receive_terminal(listener)
        os.close(fd)
        expect.equal(reap(int(read(pid_file))), -signal.SIGHUP, "exit code")


def test_terminal_in_the_process_file(env):
    with running(env) as container:
        path = process_file(env, terminal=True, args=["/bin/sh", "-c", "tty; exit 4"])
        with on_own_terminal(env.runtime.command("exec", "-p", path, container)) as parts:
            screen, process, _ = parts
            screen.wait_for("/dev/pts/0")
            expect.equal(process.wait(20), 4, "exit code")


def test_console_size_in_the_process_file(env):
    with running(env, kind="debian") as container:
        directory = env.directory()
        pid_file = os.path.join(directory, "pid")
        path = process_file(env, terminal=True, consoleSize={"height": 33, "width": 101},
                            args=["/bin/sh", "-c", "stty size; exit 6"])
        with console_listener(directory) as (listener, socket_path):
            expect.success(env.runtime.call("exec", "-d", "--console-socket", socket_path,
                                            "--pid-file", pid_file, "-p", path, container))
            fd, _ = receive_terminal(listener)
        try:
            Screen(fd).wait_for("33 101")
            expect.equal(reap(int(read(pid_file))), 6, "exit code")
        finally:
            os.close(fd)


def test_terminals_that_cannot_be(env):
    with running(env) as container:
        done = execute(env, container, "-t", "-d", ["true"])
        expect.true(done.code != 0, "a detached terminal without a socket was accepted")
        done = execute(env, container, "--console-socket", "/no/socket", ["true"])
        expect.true(done.code != 0, "a socket without a terminal was accepted")
        done = execute(env, container, "-t", "-d", "--console-socket", "/no/socket",
                       ["sleep", "4567"])
        expect.true(done.code != 0, "a socket that is none was accepted")
        expect.true(host.wait_until(
            lambda: b"4567" not in env.runtime.call("ps", container).out), "the process is left")


# --- ps

def test_ps_table(env):
    with running(env, ["/bin/sh", "-c", "sleep 4321 & wait"]) as container:
        def table():
            return expect.success(env.runtime.call("ps", container)).out.decode().splitlines()

        host.wait_until(lambda: len(table()) == 3)
        lines = table()
        expect.equal(lines[0].split(), ["UID" if not env.runtime.is_ours else "USER", "PID",
                                        "PPID", "C", "STIME", "TTY" if not env.runtime.is_ours
                                        else "TT", "TIME", "CMD"], "titles")
        if env.runtime.is_ours:
            expect.true(any(line.endswith("sleep 4321") for line in lines), f"lines {lines}")
        expect.equal(len(lines), 3, "lines")


def test_ps_json_gives_host_pids(env):
    with running(env, ["/bin/sh", "-c", "sleep 1000 & wait"]) as container:
        def listed():
            done = expect.success(env.runtime.call("ps", "--format", "json", container))
            return json.loads(done.out)

        host.wait_until(lambda: len(listed()) == 2)
        pids = listed()
        expect.equal(len(pids), 2, "processes")
        boot = boot_of(env, container)
        inside = host.descendants(boot) + [boot]
        expect.true(all(pid in inside for pid in pids), f"{pids} are not below {boot}")


def test_ps_options(env):
    with running(env) as container:
        done = expect.success(env.runtime.call("ps", container, "-e", "-o", "pid,comm"))
        if env.runtime.is_ours:
            expect.equal(done.out.decode().splitlines()[1].split(), ["1", "sh"], "first process")
        expect.true(env.runtime.call("ps", container, "--bogus").code != 0, "a wrong option")
        expect.true(env.runtime.call("ps", "-f", "xml", container).code != 0, "a wrong format")


def test_ps_shows_what_exec_started(env):
    with running(env) as container:
        pid = detached_exec(env, container, "exec sleep 777")
        shown = host.wait_until(lambda: b"777" in env.runtime.call("ps", container).out)
        expect.true(shown or not env.runtime.is_ours, "not shown")
        os.kill(pid, signal.SIGKILL)
        reap(pid)


def test_ps_of_a_stopped_container(env):
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/true"])
    with env.detached(bundle) as container:
        host.wait_until(lambda: env.runtime.status(container) == "stopped")
        done = expect.success(env.runtime.call("ps", container))
        expect.equal(done.out.decode().count("\n"), 1, "lines")
        done = expect.success(env.runtime.call("ps", "--format", "json", container))
        expect.true(not json.loads(done.out), f"processes {done.out}")


# --- pause, resume

def test_pause_stops_and_resume_goes_on(env):
    bundle = env.bundle(env.shared_root("busybox"),
                        ["/bin/sh", "-c", "i=0; while :; do i=$((i+1)); done & "
                         "while :; do : > /dev/null; done"])
    with env.detached(bundle) as container:
        boot = boot_of(env, container)

        def cpu():
            total = 0
            for pid in host.descendants(boot):
                with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
                total += int(fields[11]) + int(fields[12])
            return total

        expect.success(env.runtime.call("pause", container))
        expect.equal(env.runtime.status(container), "paused", "status")
        time.sleep(0.1)
        before = cpu()
        time.sleep(0.5)
        expect.true(cpu() - before <= 1, "it runs while it is paused")
        expect.success(env.runtime.call("resume", container))
        expect.equal(env.runtime.status(container), "running", "status")
        expect.true(host.wait_until(lambda: cpu() - before > 5), "it does not run afterwards")


def pause_for_a_moment(env, container, boot):
    """Nothing starts or ends below `boot` during the pause."""
    expect.success(env.runtime.call("pause", container))
    time.sleep(0.05)
    first = sorted(host.descendants(boot))
    time.sleep(0.1)
    expect.equal(sorted(host.descendants(boot)), first, "processes while it is paused")
    expect.success(env.runtime.call("resume", container))


def test_pause_catches_fork_storms(env):
    with running(env, ["/bin/sh", "-c", "while :; do true | true; /bin/true; done"]) as container:
        boot = boot_of(env, container)
        for _ in range(10):
            pause_for_a_moment(env, container, boot)
        expect_output(shell(env, container, "echo alive"), "alive\n")


def test_exec_in_a_paused_container(env):
    with running(env) as container:
        expect.success(env.runtime.call("pause", container))
        done = execute(env, container, ["true"])
        expect.equal(done.code, 255, "exit code")
        expect.contains(done.err.decode(), "paused container", "message")
        if env.runtime.is_ours:
            with env.runtime.popen("exec", "--ignore-paused", container, "sh", "-c",
                                   "exit 3") as client:
                time.sleep(0.3)
                expect.equal(client.poll(), None, "it ended while the container is paused")
                expect.success(env.runtime.call("resume", container))
                expect.equal(client.wait(20), 3, "exit code")
        else:
            expect.success(env.runtime.call("resume", container))


def test_pause_of_traced_processes(env):
    script = "cd /tmp; exec strace -f -o log sh -c 'while :; do /bin/true; done'"
    with running(env, ["/bin/sh", "-c", script], kind="debian-debug") as container:
        boot = boot_of(env, container)

        def written():
            return int(shell(env, container, "stat -c %s /tmp/log").out or b"0")

        expect.true(host.wait_until(lambda: written() > 0), "strace writes nothing")
        for _ in range(5):
            pause_for_a_moment(env, container, boot)
            before = written()
            expect.true(host.wait_until(lambda: written() > before), "it does not go on")
        expect.success(env.runtime.call("pause", container))
        expect.success(env.runtime.call("kill", "--all", container, "KILL"))
        expect.true(host.wait_until(lambda: env.runtime.status(container) == "stopped"), "status")


def test_processes_that_wait_for_the_end_of_a_pause(env):
    if not env.runtime.is_ours:
        raise expect.Skip("runc's own part stands still, too")
    with running(env) as container:
        expect.success(env.runtime.call("pause", container))
        clients = [env.runtime.popen("exec", "--ignore-paused", container, "/bin/sh", "-c",
                                     f"exit {i}") for i in range(10)]
        killed = env.runtime.popen("exec", "--ignore-paused", container, "true")
        time.sleep(0.3)
        killed.kill()
        killed.wait(10)
        expect.equal(env.runtime.status(container), "paused", "status")
        expect.success(env.runtime.call("resume", container))
        expect.equal([client.wait(30) for client in clients], list(range(10)), "exit codes")


def test_pause_twice_and_resume_twice(env):
    with running(env) as container:
        expect.true(env.runtime.call("resume", container).code != 0, "resume of a running one")
        expect.success(env.runtime.call("pause", container))
        if env.runtime.is_ours:
            expect.true(env.runtime.call("pause", container).code != 0, "pause of a paused one")
        expect.success(env.runtime.call("resume", container))


def test_kill_of_a_paused_container(env):
    with running(env) as container:
        expect.success(env.runtime.call("pause", container))
        expect.true(env.runtime.call("delete", container).code != 0, "delete succeeded")
        expect.success(env.runtime.call("kill", container, "KILL"))
        expect.true(host.wait_until(lambda: env.runtime.status(container) == "stopped"), "status")


def test_delete_force_of_a_paused_container(env):
    with running(env) as container:
        expect.success(env.runtime.call("pause", container))
        expect.success(env.runtime.call("delete", "--force", container))
        expect.equal(env.runtime.state(container), None, "state")


def test_a_signal_waits_until_the_end_of_the_pause(env):
    bundle = env.bundle(env.shared_root("busybox"),
                        ["/bin/sh", "-c", "trap 'exit 5' TERM; echo up; "
                         "while :; do sleep 0.05; done"])
    with env.detached(bundle) as container:
        time.sleep(0.3)
        expect.success(env.runtime.call("pause", container))
        expect.success(env.runtime.call("kill", container, "TERM"))
        time.sleep(0.3)
        expect.equal(env.runtime.status(container), "paused", "status")
        expect.success(env.runtime.call("resume", container))
        expect.true(host.wait_until(lambda: env.runtime.status(container) == "stopped"), "status")


def test_a_signal_that_ends_init_waits_for_the_end_of_the_pause(env):
    with running(env) as container:
        expect.success(env.runtime.call("pause", container))
        for signo in ("TERM", "TERM", "0", "WINCH"):
            expect.success(env.runtime.call("kill", container, signo))
        time.sleep(0.2)
        expect.equal(env.runtime.status(container), "paused", "status")
        expect.success(env.runtime.call("resume", container))
        if env.runtime.is_ours:
            expect.true(host.wait_until(
                lambda: env.runtime.status(container) == "stopped"), "it does not stop")


def test_pause_of_stopped_and_unknown_containers(env):
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/true"])
    with env.detached(bundle) as container:
        host.wait_until(lambda: env.runtime.status(container) == "stopped")
        for command in ("pause", "resume"):
            expect.true(env.runtime.call(command, container).code != 0, f"{command} succeeded")
            expect.true(env.runtime.call(command, "no-such").code != 0, f"{command} succeeded")


# --- kill

def test_kill_with_signal_0_looks_only(env):
    with running(env) as container:
        expect.success(env.runtime.call("kill", container, "0"))
        expect.success(env.runtime.call("kill", "--all", container, "0"))
        expect_output(shell(env, container, "echo alive"), "alive\n")


def test_kill_of_a_stopped_container(env):
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/true"])
    with env.detached(bundle) as container:
        host.wait_until(lambda: env.runtime.status(container) == "stopped")
        done = env.runtime.call("kill", container, "TERM")
        expect.equal(done.code, 1, "exit code")
        expect.contains(done.err.decode(), "container not running", "message")
        expect.success(env.runtime.call("kill", "--all", container, "KILL"), "kill --all")


def test_kill_all_reaches_what_exec_started(env):
    with running(env) as container:
        pid = detached_exec(env, container, "sleep 1000")
        expect.success(env.runtime.call("kill", "--all", container, "KILL"))
        expect.equal(reap(pid), -9, "exit code")


def test_kill_of_one_process_by_number(env):
    if not env.runtime.is_ours:
        raise expect.Skip("runc signals init only")
    with running(env) as container:
        pid = detached_exec(env, container, "echo $$ > /tmp/pid; sleep 1000")
        host.wait_until(lambda: shell(env, container, "cat /tmp/pid").out.strip())
        inner = shell(env, container, "cat /tmp/pid").out.decode().strip()
        expect.success(env.runtime.call("kill", "--pid", inner, container, "KILL"))
        expect.equal(reap(pid), -9, "exit code")
        expect.equal(env.runtime.status(container), "running", "status of the container")
