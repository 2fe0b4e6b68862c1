"""The OCI life cycle from the command line, exit codes, signals, clean-up."""

import json
import os
import signal
import time

from harness import expect, host
from harness.environment import read

SLEEPER = ["/bin/sleep", "1000"]
# Calls that a static busybox makes, for a profile that refuses all others.
ALL_CALLS = (
    "access arch_prctl brk capget capset chdir clock_gettime clock_nanosleep clone close dup dup2 "
    "epoll_ctl epoll_pwait execve exit exit_group faccessat2 fchdir fchown fcntl fstat fstatfs "
    "futex getcwd getdents64 geteuid getgid getpid getppid getrandom getuid ioctl lseek mmap "
    "mprotect mremap munmap nanosleep newfstatat open openat openat2 pipe pipe2 poll prctl "
    "prlimit64 read readlink readlinkat rseq rt_sigaction rt_sigprocmask rt_sigreturn "
    "sched_getaffinity set_robust_list set_tid_address setgid setgroups sigaltstack statfs "
    "statx tgkill uname wait4 write writev close_range setuid getegid"
).split()


def created(env, args=SLEEPER, **settings):
    """A created container; gives (id, bundle)."""
    bundle = env.bundle(env.shared_root("busybox"), args, **settings)
    container = env.runtime.new_id()
    with open(os.path.join(bundle, "output"), "wb") as output:
        done = env.runtime.call("create", "--bundle", bundle, "--pid-file",
                                os.path.join(bundle, "pid"), container,
                                stdout=output, stderr=output)
    if done.code != 0:
        raise AssertionError("create: " + read(os.path.join(bundle, "output")))
    return container, bundle


def wait_stopped(env, container):
    expect.true(host.wait_until(lambda: env.runtime.status(container) == "stopped"),
                f"container is {env.runtime.status(container)}, not stopped")


def test_create_start_delete(env):
    container, bundle = created(env, ["/bin/echo", "hello"])
    try:
        state = env.runtime.state(container)
        expect.equal(state["status"], "created", "status after create")
        expect.equal(state["id"], container, "id in state")
        expect.equal(os.path.realpath(state["bundle"]), os.path.realpath(bundle), "bundle")
        expect.equal(state["pid"], int(read(os.path.join(bundle, "pid"))), "pid file")
        expect.true(os.path.exists(f"/proc/{state['pid']}"), "the pid in the state is a process")
        expect.equal(read(os.path.join(bundle, "output")), "", "output before start")
        expect.success(env.runtime.call("start", container), "start")
        wait_stopped(env, container)
        expect.equal(read(os.path.join(bundle, "output")), "hello\n", "output")
        expect.success(env.runtime.call("delete", container), "delete")
        expect.equal(env.runtime.state(container), None, "state after delete")
    finally:
        env.runtime.call("delete", "--force", container)


def test_state_is_oci_json(env):
    container, _ = created(env)
    try:
        done = expect.success(env.runtime.call("state", container))
        state = json.loads(done.out)
        for field in ("ociVersion", "id", "status", "pid", "bundle"):
            expect.true(field in state, f"field {field} in state")
    finally:
        env.runtime.call("delete", "--force", container)


def test_state_of_unknown_container_fails(env):
    done = env.runtime.call("state", "no-such-container")
    expect.true(done.code != 0, "state of an unknown container succeeded")
    expect.true(done.err, "no error message")


def test_running_then_kill_then_stopped(env):
    bundle = env.bundle(env.shared_root("busybox"), SLEEPER)
    with env.detached(bundle) as container:
        expect.equal(env.runtime.status(container), "running", "status")
        expect.success(env.runtime.call("kill", container, "KILL"), "kill")
        wait_stopped(env, container)
        expect.success(env.runtime.call("delete", container), "delete")


def test_delete_refuses_running_container(env):
    bundle = env.bundle(env.shared_root("busybox"), SLEEPER)
    with env.detached(bundle) as container:
        expect.true(env.runtime.call("delete", container).code != 0, "delete succeeded")
        expect.equal(env.runtime.status(container), "running", "status")


def test_delete_force_of_running_container(env):
    bundle = env.bundle(env.shared_root("busybox"), SLEEPER)
    with env.detached(bundle) as container:
        expect.success(env.runtime.call("delete", "--force", container), "delete --force")
        expect.equal(env.runtime.state(container), None, "state")


def test_delete_force_of_unknown_container_succeeds(env):
    expect.success(env.runtime.call("delete", "--force", "no-such-container"))


def test_delete_of_unknown_container_fails(env):
    expect.true(env.runtime.call("delete", "no-such-container").code != 0, "delete succeeded")


def test_delete_of_created_container(env):
    container, _ = created(env)
    done = env.runtime.call("delete", "--force", container)
    expect.success(done, "delete --force")
    expect.equal(env.runtime.state(container), None, "state")


def test_same_id_twice_is_refused(env):
    container, bundle = created(env)
    try:
        done = env.runtime.call("create", "--bundle", bundle, container)
        expect.true(done.code != 0, "second create succeeded")
        expect.equal(env.runtime.status(container), "created", "first container's status")
    finally:
        env.runtime.call("delete", "--force", container)


def test_start_twice_is_refused(env):
    bundle = env.bundle(env.shared_root("busybox"), SLEEPER)
    with env.detached(bundle) as container:
        expect.true(env.runtime.call("start", container).code != 0, "second start succeeded")


def test_bad_ids_are_refused(env):
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/true"])
    for container in ("", "..", "a/b", "../x", "a b", "x" * 2000):
        done = env.runtime.call("create", "--bundle", bundle, container)
        expect.true(done.code != 0, f"id {container[:20]!r} was accepted")


def test_exit_codes_pass_through(env):
    for code in (0, 1, 2, 77, 126, 127, 255):
        done = env.run("busybox", ["/bin/sh", "-c", f"exit {code}"])
        expect.equal(done.code, code, f"exit code of `exit {code}`")


def test_death_by_signal_is_128_plus_number(env):
    # Init ignores signals it has no handler for, so a child does it, and KILL from outside.
    done = env.run("busybox", ["/bin/sh", "-c", "sh -c 'kill -TERM $$'; exit $?"])
    expect.equal(done.code, 128 + signal.SIGTERM, "exit code")


def test_killed_init_gives_137(env):
    bundle = env.bundle(env.shared_root("busybox"), SLEEPER)
    container = env.runtime.new_id()
    process = env.runtime.popen("run", "--bundle", bundle, container)
    try:
        expect.true(host.wait_until(lambda: env.runtime.status(container) == "running"),
                    "container did not start")
        expect.success(env.runtime.call("kill", container, "9"))
        expect.equal(process.wait(10), 137, "exit code of run")
    finally:
        env.runtime.call("delete", "--force", container)
        if process.poll() is None:
            process.kill()
            process.wait()


def test_missing_program_fails_and_is_named(env):
    done = env.run("busybox", ["/no/such/program"])
    expect.equal(done.code, 127 if env.runtime.is_ours else 1, "exit code")
    expect.contains(done.err.decode(), "/no/such/program", "error")


def test_program_that_cannot_be_executed(env):
    done = env.run("busybox", ["/etc/passwd"])
    expect.equal(done.code, 126 if env.runtime.is_ours else 1, "exit code")
    expect.contains(done.err.decode(), "/etc/passwd", "error")


def test_program_is_found_in_path(env):
    expect.output(env.run("busybox", ["echo", "found"]), "found\n")


def test_relative_program_needs_its_directory(env):
    expect.output(env.run("busybox", ["./echo", "here"], cwd="/bin"), "here\n")


def test_working_directory_is_created(env):
    root = env.fresh_root("busybox")
    done = env.runtime.run(env.bundle(root, ["/bin/pwd"], cwd="/made/for/this"))
    expect.output(done, "/made/for/this\n")


def test_term_reaches_a_handler_in_init(env):
    script = "trap 'echo got TERM; exit 5' TERM; echo ready; while :; do sleep 0.05; done"
    for name in ("TERM", "SIGTERM", "15"):
        bundle = env.bundle(env.shared_root("busybox"), ["/bin/sh", "-c", script])
        with env.detached(bundle) as container:
            output = os.path.join(bundle, "output")
            expect.true(host.wait_until(lambda: "ready" in read(output)), "not ready")
            expect.success(env.runtime.call("kill", container, name), f"kill {name}")
            wait_stopped(env, container)
            expect.equal(read(output), "ready\ngot TERM\n", "output")


def test_kill_default_signal_is_term(env):
    script = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/sh", "-c", script])
    with env.detached(bundle) as container:
        output = os.path.join(bundle, "output")
        expect.true(host.wait_until(lambda: "ready" in read(output)), "not ready")
        expect.success(env.runtime.call("kill", container))
        wait_stopped(env, container)


def test_kill_bad_signal_is_refused(env):
    bundle = env.bundle(env.shared_root("busybox"), SLEEPER)
    with env.detached(bundle) as container:
        for name in ("NOSUCH", "-1", "9999", "KILL9"):
            expect.true(env.runtime.call("kill", container, name).code != 0,
                        f"signal {name!r} was accepted")
        expect.equal(env.runtime.status(container), "running", "status")


def test_kill_stopped_container_fails(env):
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/true"])
    with env.detached(bundle) as container:
        wait_stopped(env, container)
        expect.true(env.runtime.call("kill", container, "TERM").code != 0, "kill succeeded")


def test_kill_all_ends_every_process(env):
    script = "sleep 1000 & sleep 1000 & trap '' TERM; echo ready; wait; wait; sleep 1000"
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/sh", "-c", script])
    with env.detached(bundle) as container:
        output = os.path.join(bundle, "output")
        expect.true(host.wait_until(lambda: "ready" in read(output)), "not ready")
        expect.success(env.runtime.call("kill", "--all", container, "KILL"))
        wait_stopped(env, container)


def test_list_shows_containers(env):
    bundle = env.bundle(env.shared_root("busybox"), SLEEPER)
    with env.detached(bundle) as container:
        done = expect.success(env.runtime.call("list"))
        expect.contains(done.out.decode(), container, "list")
        expect.contains(done.out.decode(), "running", "list")
        entries = json.loads(expect.success(env.runtime.call("list", "--format", "json")).out)
        mine = [entry for entry in entries if entry["id"] == container]
        expect.equal(len(mine), 1, "entries of this container")
        expect.equal(mine[0]["status"], "running", "status")
        quiet = expect.success(env.runtime.call("list", "--quiet")).out.decode().split()
        expect.true(container in quiet, "id in list --quiet")


def test_wait_gives_exit_code(env):
    if not env.runtime.is_ours:
        raise expect.Skip("this runtime has no `wait`")
    container, _ = created(env, ["/bin/sh", "-c", "sleep 0.2; exit 42"])
    try:
        expect.success(env.runtime.call("start", container))
        done = env.runtime.call("wait", container)
        expect.true(done.code == 42 or b"42" in done.out, f"wait: {done}")
    finally:
        env.runtime.call("delete", "--force", container)


def expect_exit_code(env, container, code):
    answer = json.loads(expect.success(env.runtime.call("wait", container)).out)
    expect.equal(answer, {"id": container, "exitStatus": code}, "answer of wait")


def test_wait_after_the_end_gives_exit_code(env):
    if not env.runtime.is_ours:
        raise expect.Skip("this runtime has no `wait`")
    container, _ = created(env, ["/bin/sh", "-c", "exit 42"])
    try:
        expect.success(env.runtime.call("start", container))
        wait_stopped(env, container)
        expect_exit_code(env, container, 42)
        expect_exit_code(env, container, 42)
        other = env.runtime.call("wait", "--pid", "7", container)
        expect.equal(other.code, 1, "wait for another process of it")
    finally:
        env.runtime.call("delete", "--force", container)


def test_wait_after_the_end_knows_the_signal(env):
    if not env.runtime.is_ours:
        raise expect.Skip("this runtime has no `wait`")
    for start in (True, False):
        container, _ = created(env, SLEEPER)
        try:
            if start:
                expect.success(env.runtime.call("start", container))
            expect.success(env.runtime.call("kill", container, "KILL"))
            wait_stopped(env, container)
            expect_exit_code(env, container, 137)
        finally:
            env.runtime.call("delete", "--force", container)


def test_wait_believes_no_impossible_record(env):
    """What the sandbox left behind is not trusted to be an exit code."""
    if not env.runtime.is_ours:
        raise expect.Skip("this runtime has no `wait`")
    container, _ = created(env, SLEEPER)
    try:
        expect.success(env.runtime.call("start", container))
        os.kill(env.runtime.state(container)["pid"], signal.SIGKILL)
        wait_stopped(env, container)
        path = os.path.join(env.runtime.state_directory, container, "exit")
        with open(path, "rb") as file:
            expect.equal(file.read(), bytes(8), "record of a sandbox that was killed")
        for record in (bytes(8), b"", b"\xff" * 8, b"\xff" * 4 + b"tixe", b"x" * 5000):
            with open(path, "wb") as file:
                file.write(record)
            done = env.runtime.call("wait", container)
            expect.equal(done.code, 1, f"wait with the record {record[:9]}")
            expect.contains(done.err.decode(), "ended without an exit code", "message")
    finally:
        env.runtime.call("delete", "--force", container)


def test_pid_file_of_run(env):
    bundle = env.bundle(env.shared_root("busybox"), SLEEPER)
    container = env.runtime.new_id()
    pid_file = os.path.join(bundle, "the.pid")
    with open(os.devnull, "wb") as null:
        done = env.runtime.call("run", "--detach", "--bundle", bundle, "--pid-file", pid_file,
                                container, stdout=null, stderr=null)
    try:
        expect.equal(done.code, 0, "run --detach")
        expect.equal(int(read(pid_file)), env.runtime.state(container)["pid"], "pid")
    finally:
        env.runtime.call("delete", "--force", container)


def test_bundle_is_current_directory_by_default(env):
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/echo", "here"])
    done = env.runtime.call("run", env.runtime.new_id(), cwd=bundle)
    expect.output(done, "here\n")


def test_relative_root_path_is_in_bundle(env):
    bundle = env.bundle("rootfs", ["/bin/echo", "relative"])
    os.rename(env.fresh_root("busybox"), os.path.join(bundle, "rootfs"))
    expect.output(env.runtime.run(bundle), "relative\n")


def test_spec_writes_a_bundle_that_parses(env):
    directory = env.directory()
    expect.success(env.runtime.call("spec", cwd=directory), "spec")
    config = json.loads(read(os.path.join(directory, "config.json")))
    for field in ("ociVersion", "process", "root"):
        expect.true(field in config, f"{field} in config.json")
    expect.true(env.runtime.call("spec", cwd=directory).code != 0, "spec overwrote config.json")


def test_version_and_help(env):
    done = expect.success(env.runtime.call("--version"))
    expect.contains(done.out.decode(), "1.", "version")
    done = env.runtime.call("help")
    expect.success(done, "help")
    for command in ("create", "start", "state", "kill", "delete", "run", "list", "spec"):
        expect.contains(done.out.decode(), command, "help")


def test_unknown_command_and_flag_fail(env):
    expect.true(env.runtime.call("frobnicate").code != 0, "unknown command succeeded")
    expect.true(env.runtime.call("run", "--frobnicate", "x").code != 0, "unknown flag succeeded")


def test_json_log_has_level_and_msg(env):
    log = os.path.join(env.directory(), "log.json")
    done = env.runtime.with_flags("--log", log, "--log-format", "json").call(
        "run", "--bundle", env.directory(), env.runtime.new_id())
    expect.true(done.code != 0, "run of an empty directory succeeded")
    lines = [json.loads(line) for line in read(log).splitlines()]
    errors = [line for line in lines if line.get("level") == "error"]
    expect.true(errors and errors[-1].get("msg"), f"an error line with msg in {lines}")


def test_prestart_hook_runs_with_state_on_stdin(env):
    directory = env.directory()
    hook = os.path.join(directory, "hook")
    with open(hook, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\ncat > {directory}/state\n")
    os.chmod(hook, 0o755)

    def add_hook(config):
        config["hooks"] = {"prestart": [{"path": hook, "args": ["hook"]}]}
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/true"], change=add_hook)
    container = env.runtime.new_id()
    expect.success(env.runtime.run(bundle, container))
    state = json.loads(read(os.path.join(directory, "state")))
    expect.equal(state["id"], container, "id in the hook's state")
    expect.true(state["pid"] > 0, "pid in the hook's state")


def test_failing_prestart_hook_fails_create(env):
    def add_hook(config):
        config["hooks"] = {"prestart": [{"path": "/bin/false"}]}
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/echo", "ran"], change=add_hook)
    done = env.runtime.run(bundle)
    expect.true(done.code != 0, "run succeeded")
    expect.equal(done.out, b"", "output")


def test_hook_timeout_ends_hook(env):
    def add_hook(config):
        config["hooks"] = {"prestart": [
            {"path": "/bin/sleep", "args": ["sleep", "100"], "timeout": 1}]}
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/true"], change=add_hook)
    started = time.monotonic()
    expect.true(env.runtime.run(bundle, seconds=30).code != 0, "run succeeded")
    expect.true(time.monotonic() - started < 20, "the hook was not ended after its timeout")


def test_poststop_hook_runs_at_delete(env):
    directory = env.directory()

    def add_hook(config):
        config["hooks"] = {"poststop": [
            {"path": "/bin/sh", "args": ["sh", "-c", f"cat > {directory}/stopped"]}]}
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/true"], change=add_hook)
    expect.success(env.runtime.run(bundle))
    expect.equal(json.loads(read(os.path.join(directory, "stopped")))["status"], "stopped",
                 "status in the hook's state")


def test_cgroups_path_is_joined_and_removed(env):
    container = env.runtime.new_id()
    path = f"/{container}-group"

    def set_path(config):
        config["linux"]["cgroupsPath"] = path
        config["linux"]["resources"] = {}
    bundle = env.bundle(env.shared_root("busybox"), SLEEPER, change=set_path)
    with env.detached(bundle) as detached:
        pid = env.runtime.state(detached)["pid"]
        groups = read(f"/proc/{pid}/cgroup")
        expect.contains(groups, path, "cgroups of the init process")
    expect.equal(host.cgroups_named(f"{container}-group"), [], "cgroups after delete")


def test_ten_containers_at_once(env):
    bundles = [env.bundle(env.shared_root("busybox"), ["/bin/echo", str(i)]) for i in range(10)]
    running = []
    for bundle in bundles:
        output = open(os.path.join(bundle, "output"), "wb")  # pylint: disable=consider-using-with
        running.append((env.runtime.popen("run", "--bundle", bundle, env.runtime.new_id(),
                                          stdout=output, stderr=output), bundle, output))
    for number, (process, bundle, output) in enumerate(running):
        code = process.wait(60)
        output.close()
        expect.equal((code, read(os.path.join(bundle, "output"))), (0, f"{number}\n"),
                     f"container {number}")


def test_calls_as_docker_makes_them(env):
    """Flags, order, working directory and leaked descriptors of Docker's shim."""
    container = env.runtime.new_id()

    def like_docker(config):
        config["process"]["oomScoreAdj"] = 0
        config["linux"].update({
            "cgroupsPath": f"/{container}-docker/{container}",
            "sysctl": {"net.ipv4.ip_unprivileged_port_start": "0"},
            "resources": {"devices": [{"allow": False, "access": "rwm"}],
                          "cpu": {"shares": 0}, "blockIO": {"weight": 0}},
            "seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
                        "syscalls": [{"names": ALL_CALLS, "action": "SCMP_ACT_ALLOW"}]},
            "maskedPaths": ["/proc/acpi", "/proc/kcore", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/sys"],
        })
    bundle = env.bundle(env.shared_root("busybox"), SLEEPER, change=like_docker)
    log, pid_file = os.path.join(bundle, "log.json"), os.path.join(bundle, "init.pid")
    runtime = env.runtime.with_flags("--log", log, "--log-format", "json")
    leaks = [os.open("/etc/passwd", os.O_RDONLY) for _ in range(4)]
    try:
        with open(os.path.join(bundle, "output"), "wb") as output:
            done = runtime.call("create", "--bundle", bundle, "--pid-file", pid_file, container,
                                cwd=bundle, pass_fds=leaks, stdout=output, stderr=output)
        expect.equal(done.code, 0, "create: " + read(os.path.join(bundle, "output")))
        pid = int(read(pid_file))
        held = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        expect.true("/etc/passwd" not in held, "a leaked descriptor reached the init process")
        expect.success(runtime.call("start", container, cwd=bundle), "start")
        expect.success(runtime.call("kill", container, "9", cwd=bundle), "kill")
        wait_stopped(env, container)
        expect.success(runtime.call("delete", container, cwd=bundle), "delete")
        expect.success(runtime.call("delete", "--force", container, cwd=bundle), "delete again")
    finally:
        env.runtime.call("delete", "--force", container)
        for fd in leaks:
            os.close(fd)
        for path in sorted(host.cgroups_named(f"{container}-docker"), reverse=True):
            host.remove_cgroup(path)


def sandbox_processes(env, container):
    """name -> pids of our processes that belong to this container."""
    found = {}
    for pid in host.descendants(os.getpid()):
        found.setdefault(host.command_name(pid), []).append(pid)
    found["init"] = [env.runtime.state(container)["pid"]]
    return found


def kill_one_and_clean_up(env, name):
    if not env.runtime.is_ours:
        raise expect.Skip("this runtime has no such process")
    bundle = env.bundle(env.shared_root("busybox"),
                        ["/bin/sh", "-c", "echo ready; (sleep 1000 & sleep 1000 &) ; sleep 1000"])
    container = env.runtime.new_id()
    with open(os.path.join(bundle, "output"), "wb") as output:
        runner = env.runtime.popen("run", "--bundle", bundle, container, stdout=output,
                                   stderr=output)
    try:
        expect.true(host.wait_until(lambda: "ready" in read(os.path.join(bundle, "output"))),
                    "not ready: " + read(os.path.join(bundle, "output")))
        victims = sandbox_processes(env, container).get(name)
        expect.true(victims, f"no process named {name}")
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        expect.success(env.runtime.call("delete", "--force", container), "delete --force")
        expect.true(host.wait_until(lambda: runner.poll() is not None, 10), "`run` still waits")
        expect.true(runner.returncode != 0, "`run` reported success")
    finally:
        if runner.poll() is None:
            runner.kill()
        runner.wait()
        env.runtime.call("delete", "--force", container)


def test_killed_boot_leaves_nothing(env):
    kill_one_and_clean_up(env, "runsc-boot")


def test_killed_gofer_leaves_nothing(env):
    kill_one_and_clean_up(env, "runsc-gofer")


def test_killed_controller_leaves_nothing(env):
    kill_one_and_clean_up(env, "runsc-create")


def test_killed_init_process_leaves_nothing(env):
    kill_one_and_clean_up(env, "init")


def test_kill_during_create_leaves_nothing(env):
    """The controller dies at some moment of create; delete --force takes away the rest."""
    if not env.runtime.is_ours:
        raise expect.Skip("runc itself leaves cgroups behind here")
    for milliseconds in (1, 3, 6, 10, 15, 25):
        bundle = env.bundle(env.shared_root("busybox"), SLEEPER)
        container = env.runtime.new_id()
        with open(os.devnull, "wb") as null:
            process = env.runtime.popen("create", "--bundle", bundle, container, stdout=null,
                                        stderr=null)
        time.sleep(milliseconds / 1000)
        process.kill()
        process.wait()
        expect.success(env.runtime.call("delete", "--force", container),
                       f"delete --force after {milliseconds} ms")
