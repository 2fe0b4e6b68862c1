"""Hostile programs: the sandbox survives them, or ends alone."""

import os
import shutil

from harness import expect
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
