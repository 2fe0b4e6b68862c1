"""stress-ng --verify: no stressor fails in the sandbox that passes on the host kernel."""

from harness import expect

KIND = "debian-tests"
SECONDS_EACH = 3
# What a stressor may take beyond its time, on a busy machine.
PATIENCE = 90
STRESSORS = {
    "process": "fork vfork clone exec daemon zombie wait kill pthread spawn session forkheavy "
               "vforkmany mmapfork pidfd prctl rlimit waitcpu",
    "signal": "sigabrt sigchld sigfd sigfpe sigio signal signest sigpending sigpipe sigq sigrt "
              "sigsegv sigsuspend sigtrap",
    "pipe": "pipe pipeherd splice tee vm-splice sockpair fifo poll eventfd epoll inotify",
    "scheduler": "switch yield affinity nice schedpolicy context mutex sem futex resched "
                 "race-sched ioprio",
    "ipc": "sem-sysv shm-sysv msg mq shm",
    "timer": "timer timerfd itimer clock nanosleep alarm hrtimers sleep",
}


def outcome(env, runtime, stressor):
    command = ["stress-ng", "--verify", f"--{stressor}", "1", "--timeout", f"{SECONDS_EACH}s",
               "--temp-path", "/tmp", "--no-rand-seed"]
    return runtime.run(env.bundle(env.shared_root(KIND), command),
                       seconds=SECONDS_EACH + PATIENCE)


def compare(env, stressor):
    def check():
        if not env.everything:
            raise expect.Skip("long: only with --all")
        here = outcome(env, env.runtime, stressor)
        if here.code == 0 and not here.timed_out:
            return
        if env.runtime.is_ours:
            on_host = outcome(env, env.reference, stressor)
            if on_host.code != 0 or on_host.timed_out:
                raise expect.Skip(f"fails on the host kernel, too: exit code {on_host.code}")
        raise AssertionError(str(here))
    return check


def cases(env):
    for group, names in STRESSORS.items():
        for stressor in names.split():
            yield f"{group}.{stressor}", compare(env, stressor)
