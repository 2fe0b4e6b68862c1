"""Hostile programs: the sandbox survives them, or ends alone."""

import os
import shutil
import subprocess
import time

from harness import bundle as bundles
from harness import expect, host
from harness.binaries import built


def fuzz(env, seed, seconds):
    if not env.runtime.is_ours:
        raise expect.Skip("random system calls only in a sandbox")
    root = env.fresh_root("busybox")
    shutil.copy(built("test/guest/syscall_fuzzer"), os.path.join(root, "bin"))
    done = env.runtime.run(env.bundle(root, ["/bin/syscall_fuzzer", str(seed), str(seconds)]),
                           seconds=seconds + 60)
    expect.output(done, "still here\n", f"fuzzer with seed {seed}")


def test_random_system_calls(env):
    fuzz(env, 1, 8)


def test_random_system_calls_as_other_user(env):
    if not env.runtime.is_ours:
        raise expect.Skip("random system calls only in a sandbox")
    root = env.fresh_root("busybox")
    shutil.copy(built("test/guest/syscall_fuzzer"), os.path.join(root, "bin"))
    done = env.runtime.run(env.bundle(root, ["/bin/syscall_fuzzer", "500", "5"], uid=1000,
                                      gid=1000), seconds=60)
    expect.output(done, "still here\n", "fuzzer")


def test_random_system_calls_for_long(env):
    if not env.everything:
        raise expect.Skip("long: only with --all")
    for seed in range(10000, 20000, 1000):
        fuzz(env, seed, 60)


def test_fork_bomb_ends_with_the_container(env):
    if not env.runtime.is_ours:
        raise expect.Skip("only in a sandbox")
    script = "ulimit -u 200 2>/dev/null; b() { b | b & }; for i in 1 2 3; do b & done; sleep 1; echo end"
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/sh", "-c", script],
                        rlimits=(("RLIMIT_NOFILE", 64), ("RLIMIT_NPROC", 100)))
    done = env.runtime.run(bundle, seconds=60)
    expect.true(not done.timed_out, f"the container did not end: {done}")


def test_memory_hog_is_refused_or_dies_alone(env):
    program = ("x=a; i=0; while [ $i -lt 22 ]; do x=$x$x; i=$((i+1)); done; echo ${#x}")
    done = env.run("busybox", ["/bin/sh", "-c", program],
                   rlimits=(("RLIMIT_AS", 64 << 20), ("RLIMIT_NOFILE", 64)))
    expect.true(not done.timed_out, f"{done}")
    expect.equal(env.run("busybox", ["/bin/echo", "next"]).out, b"next\n", "next container")


def test_thousand_open_files_and_pipes(env):
    program = ("import os\nfds=[]\nfor i in range(400): fds += os.pipe()\n"
               "for r, w in zip(fds[::2], fds[1::2]): os.write(w, b'x'); assert os.read(r, 1) == b'x'\n"
               "print(len(fds))")
    expect.output(env.run("debian", ["python3", "-c", program]), "800\n")


def test_trees_deeper_than_any_stack(env):
    """Made and left in a memory file system and a shared bind mount."""
    if not env.runtime.is_ours:
        raise expect.Skip("a matter of the sandbox's stacks")
    program = """
import os, subprocess, sys
for top in sys.argv[1:]:
    os.chdir(top)
    for depth in range(5000):
        os.mkdir('d')
        os.chdir('d')
    os.chdir('/')
subprocess.run(['umount', '-l', '/memory'], check=True)
print('end')
"""
    shared = env.directory()
    try:
        done = env.run("debian", ["python3", "-c", program, "/memory", "/mnt"], seconds=120,
                       mounts=[{"destination": "/memory", "type": "tmpfs", "source": "tmpfs"},
                               bundles.bind(shared, "/mnt", "rw")])
        expect.output(done, "end\n")
    finally:
        # Too deep for what tidies up after the tests.
        subprocess.run(["rm", "-rf", shared], check=True)


def crowd_bundle(env, *arguments):
    root = env.fresh_root("busybox")
    shutil.copy(built("test/guest/crowd"), os.path.join(root, "bin"))
    limits = (("RLIMIT_NPROC", 30000), ("RLIMIT_NOFILE", 1024))
    return env.bundle(root, ["/bin/crowd", *arguments], rlimits=limits)


def test_thousand_threads_at_once(env):
    done = env.runtime.run(crowd_bundle(env, "threads", "1000"), seconds=120)
    expect.output(done, "threads 1000\n")


def test_thousand_processes_at_once(env):
    done = env.runtime.run(crowd_bundle(env, "processes", "1000"), seconds=180)
    expect.output(done, "processes 1000\n")


def resources(pid):
    """Resident KiB, descriptors and threads of a process of the host."""
    status = host.status(pid)
    return {"kib": int(status["VmRSS"].split()[0]), "threads": int(status["Threads"]),
            "descriptors": len(os.listdir(f"/proc/{pid}/fd"))}


# Boot ends idle workers after two seconds; how many of the few that it keeps
# exist by then depends on what ran side by side.
IDLE_SECONDS = 3
KEPT_WORKERS = 5


def fork_and_compare(env, per_round, rounds):
    """What boot holds after `rounds` rounds of forks is what it held after the first two."""
    if not env.runtime.is_ours:
        raise expect.Skip("looks at this sandbox's processes")
    container = env.runtime.new_id()
    command = ("run", "--bundle", crowd_bundle(env, "forks", str(per_round)), container)
    with env.runtime.popen(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        def round_of_forks():
            process.stdin.write(b"\n")
            process.stdin.flush()
            expect.equal(process.stdout.readline(), b"forks %d\n" % per_round, "a round")
        round_of_forks()
        round_of_forks()
        boot = next(pid for pid in host.descendants(os.getpid())
                    if host.command_name(pid) == "runsc-boot")
        # What is put away some seconds after a process's end counts as put away.
        time.sleep(IDLE_SECONDS)
        before, started = resources(boot), time.monotonic()
        for _ in range(rounds):
            round_of_forks()
        seconds = time.monotonic() - started
        time.sleep(IDLE_SECONDS)
        after = resources(boot)
        process.stdin.close()
        expect.equal(process.wait(30), 0, "exit code")
    figures = f"{per_round * rounds} forks in {seconds:.1f} s: {before} -> {after}"
    print(figures, flush=True)
    expect.true(after["threads"] <= before["threads"] + KEPT_WORKERS, figures)
    expect.true(after["descriptors"] <= before["descriptors"] + 2, figures)
    expect.true(after["kib"] <= before["kib"] + 1024, figures)


def test_forks_leave_nothing_in_boot(env):
    fork_and_compare(env, 500, 6)


def test_hundred_thousand_forks_leave_nothing_in_boot(env):
    if not env.everything:
        raise expect.Skip("long: only with --all")
    fork_and_compare(env, 2000, 50)
