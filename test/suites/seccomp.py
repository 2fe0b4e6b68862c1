"""linux.seccomp of config.json."""

from harness import expect


def with_profile(env, script, profile, kind="busybox"):
    def change(config):
        config["linux"]["seccomp"] = profile

    root = env.shared_root(kind)
    return env.runtime.run(env.bundle(root, ["/bin/sh", "-c", script], change=change), seconds=60)


def rule(action, *names, **settings):
    return {"names": list(names), "action": "SCMP_ACT_" + action, **settings}


def profile(default, *rules, **settings):
    return {"defaultAction": "SCMP_ACT_" + default, "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": list(rules), **settings}


def test_error_of_one_call(env):
    done = with_profile(env, "mkdir /tmp/x; echo $?; grep ^Seccomp: /proc/self/status",
                        profile("ALLOW", rule("ERRNO", "mkdir", "mkdirat", errnoRet=122)))
    expect.output(done, "1\nSeccomp:\t2\n")
    expect.contains(done.err.decode(), "Disk quota exceeded", "error")


def test_unknown_names_are_ignored(env):
    done = with_profile(env, "echo fine", profile("ALLOW", rule("KILL", "not_a_call_at_all")))
    expect.output(done, "fine\n")


def test_kill_of_the_process(env):
    done = with_profile(env, "(mkdir /tmp/x); echo $?",
                        profile("ALLOW", rule("KILL_PROCESS", "mkdir", "mkdirat")))
    expect.output(done, "159\n")


def test_kill_of_init(env):
    done = with_profile(env, "exec mkdir /tmp/x", profile("ALLOW", rule("KILL", "mkdir", "mkdirat")))
    expect.equal(done.code, 159, "exit code")


def test_condition_on_an_argument(env):
    condition = {"index": 1, "value": 0o7777, "valueTwo": 0o700, "op": "SCMP_CMP_MASKED_EQ"}
    done = with_profile(env, "mkdir -m 700 /tmp/x; mkdir -m 755 /tmp/y && echo made",
                        profile("ALLOW", rule("ERRNO", "mkdir", args=[condition])))
    expect.output(done, "made\n")


def test_default_refuses(env):
    names = ["execve", "read", "write", "exit_group", "exit", "brk", "mmap", "munmap", "mprotect",
             "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "getrandom",
             "readlink", "readlinkat", "getuid", "getpid", "getppid", "rt_sigaction",
             "rt_sigprocmask", "rt_sigreturn", "ioctl", "stat", "newfstatat", "fstat", "close",
             "wait4", "fork", "clone", "vfork", "openat", "open", "fcntl", "getcwd", "uname",
             "geteuid", "getgid", "getegid"]
    done = with_profile(env, "echo start; mkdir /tmp/x; echo $?",
                        profile("ERRNO", rule("ALLOW", *names), defaultErrnoRet=1))
    expect.output(done, "start\n1\n")


def test_native_call(env):
    # The heap is the host's to grow.
    done = with_profile(env, "sleep 0; echo $?",
                        profile("ALLOW", rule("ERRNO", "nanosleep", "clock_nanosleep",
                                              errnoRet=95)))
    expect.success(done)


def test_listener_is_refused(env):
    done = with_profile(env, "true", profile("ALLOW", listenerPath="/run/listener.sock"))
    expect.equal(done.code != 0, True, "failure")
    expect.contains(done.err.decode(), "linux.seccomp.listenerPath", "error")


def test_listener_metadata_alone_means_nothing(env):
    done = with_profile(env, "echo fine", profile("ALLOW", listenerMetadata="for nobody"))
    expect.output(done, "fine\n")


def test_listener_error_is_one_line(env):
    if not env.runtime.is_ours:
        raise expect.Skip("runc supports it")
    for settings in ({"listenerPath": "/run/listener.sock", "listenerMetadata": "for an agent"},
                     {"listenerPath": "/run/listener.sock"}):
        done = with_profile(env, "true", profile("ALLOW", rule("NOTIFY", "mkdir"), **settings))
        lines = done.err.decode().strip().split("\n")
        expect.equal(len(lines), 1, "lines")
        expect.contains(lines[0], "linux.seccomp.listenerPath", "error")


# --- What exec starts has the profile of config.json as well.

def exec_with_profile(env, script, settings, *flags):
    def change(config):
        config["linux"]["seccomp"] = settings

    bundle = env.bundle(env.shared_root("busybox"), ["/bin/sleep", "1000"], change=change)
    with env.detached(bundle) as container:
        return env.runtime.call("exec", *flags, container, "/bin/sh", "-c", script)


def test_exec_gets_the_profile(env):
    done = exec_with_profile(env, "mkdir /tmp/x; echo $?; grep ^Seccomp: /proc/self/status",
                             profile("ALLOW", rule("ERRNO", "mkdir", "mkdirat", errnoRet=122)))
    expect.output(done, "1\nSeccomp:\t2\n")
    expect.contains(done.err.decode(), "Disk quota exceeded", "error")


def test_exec_of_a_user_gets_the_profile(env):
    done = exec_with_profile(env, "mkdir /tmp/x; echo $?",
                             profile("ALLOW", rule("ERRNO", "mkdir", "mkdirat", errnoRet=122)),
                             "-u", "1000:1000")
    expect.output(done, "1\n")
    expect.contains(done.err.decode(), "Disk quota exceeded", "error")


def test_exec_is_killed_by_the_profile(env):
    done = exec_with_profile(env, "exec mkdir /tmp/x",
                             profile("ALLOW", rule("KILL_PROCESS", "mkdir", "mkdirat")))
    expect.equal(done.code, 159, "exit code")


def test_exec_without_profile_has_none(env):
    def no_profile(config):
        config["linux"].pop("seccomp", None)

    bundle = env.bundle(env.shared_root("busybox"), ["/bin/sleep", "1000"], change=no_profile)
    with env.detached(bundle) as container:
        expect.output(env.runtime.call("exec", container, "grep", "^Seccomp:",
                                       "/proc/self/status"), "Seccomp:\t0\n")
