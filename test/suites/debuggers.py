"""strace and gdb of Debian on programs in the container."""

import re

from harness import expect

SECONDS = 240

PROGRAM = r"""
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int counter;
int inner(int depth) {
  if (depth == 0) {
    counter = counter + 5;
    return counter;
  }
  return inner(depth - 1) + 1;
}
void *thread(void *argument) {
  long number = (long)argument;
  char *text = malloc(100);
  snprintf(text, 100, "thread %ld", number);
  sleep(number == 0 ? 0 : 1);
  free(text);
  return argument;
}
int main(int argc, char **argv) {
  pthread_t threads[3];
  int result = inner(3);
  counter = 1;
  counter = 2;
  for (long i = 0; i < 3; i++) pthread_create(&threads[i], 0, thread, (void *)i);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], 0);
  if (argc > 1 && !strcmp(argv[1], "crash")) *(volatile int *)0 = 1;
  printf("result %d\n", result);
  return 3;
}
"""


def shell(env, commands, **settings):
    # Not as the container's init: the shell would execute the last command.
    done = env.run("debian-debug", ["/bin/bash", "-c", commands + "\nexit $?"], seconds=SECONDS,
                   **settings)
    return done, done.out.decode("utf-8", "backslashreplace")


def script(env, commands, **settings):
    """Runs `commands` where /tmp/program.c has been compiled to /tmp/program."""
    return shell(env, "cd /tmp\ncat > program.c << 'END'\n" + PROGRAM + "END\n"
                 "gcc -g -O0 -pthread program.c -o program || exit 90\n" + commands, **settings)


def test_strace_shows_calls_and_results(env):
    done, text = shell(env, "strace -o /tmp/log cat /etc/hostname; cat /tmp/log")
    expect.success(done)
    expect.true(re.search(r"^execve\(\"/usr/bin/cat\"", text, re.M), "execve is shown: " + text)
    expect.true(re.search(r"^openat\(AT_FDCWD, \"/etc/hostname\", O_RDONLY\) = 3", text, re.M),
                "openat is shown: " + text)
    expect.true(re.search(r"^mmap\(NULL, .*MAP_PRIVATE\|MAP_ANONYMOUS.*= 0x", text, re.M),
                "native calls are shown: " + text)
    expect.contains(text, "+++ exited with 0 +++", "end")


def test_strace_lists_the_same_calls_as_under_runc(env):
    commands = ("strace -o /tmp/log -e 'trace=!set_robust_list,rseq,getrandom,brk,prlimit64' "
                "wc -c /etc/hostname > /dev/null; sed 's/(.*//' /tmp/log | grep -v +++ ")
    root = env.shared_root("debian-debug")
    bundle = env.bundle(root, ["/bin/bash", "-c", commands])
    ours = env.runtime.run(bundle, seconds=SECONDS)
    expect.success(ours)
    theirs = env.reference.run(env.bundle(root, ["/bin/bash", "-c", commands]), seconds=SECONDS)
    expect.equal(ours.out, theirs.out, "calls")


def test_strace_follows_children(env):
    done, text = shell(env, "strace -f -o /tmp/log sh -c 'echo one | cat; (exit 3); echo $?'; "
                            "grep -c 'exited with' /tmp/log; grep -o 'exited with 3' /tmp/log")
    expect.success(done)
    expect.equal(text, "one\n3\n4\nexited with 3\n", "output")


def test_strace_follows_threads(env):
    done, text = script(env, "strace -f -o log ./program; echo status $?; "
                             "grep -c 'exited with' log; grep -c 'clone3*(.*CLONE_THREAD' log; "
                             "grep -q futex log && echo futex")
    expect.success(done)
    expect.equal(text, "result 8\nstatus 3\n4\n3\nfutex\n", "output")


def test_strace_counts(env):
    done, text = shell(env, "strace -c -o /tmp/log true; grep -c execve /tmp/log")
    expect.success(done)
    expect.equal(text, "1\n", "output")


def test_strace_shows_signals_and_restarts(env):
    done, text = shell(env, "strace -o /tmp/log bash -c 'trap \"echo trapped\" USR1; "
                            "(sleep 0.2; kill -USR1 $$) & wait; wait'; cat /tmp/log")
    expect.success(done)
    expect.true("--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER" in text, "signal: " + text)
    expect.contains(text, "rt_sigreturn(", "return")


def test_strace_attaches(env):
    done, text = shell(env, "sleep 1 & sleep 0.2; strace -o /tmp/log -p $!; wait $!; echo $?; "
                            "grep -c 'exited with 0' /tmp/log")
    expect.success(done)
    expect.true(text.endswith("0\n1\n"), "output: " + text)


def test_strace_changes_results(env):
    done, text = shell(env, "strace -o /tmp/log -e inject=mkdir:error=EDQUOT mkdir /tmp/made 2>&1; "
                            "echo $?; test -d /tmp/made; echo $?")
    expect.success(done)
    expect.contains(text, "Disk quota exceeded", "error")
    expect.true(text.endswith("1\n1\n"), "output: " + text)


def test_strace_stops_by_filters(env):
    done, text = shell(env, "strace -f --seccomp-bpf -e trace=openat -o /tmp/log "
                            "sh -c 'cat /etc/hostname'; grep -c /etc/hostname /tmp/log; "
                            "grep -c read /tmp/log")
    expect.equal(text, "sandbox\n1\n0\n", "output")


def test_gdb_breakpoint_and_backtrace(env):
    done, text = script(env, "gdb -q -batch -ex 'break inner if depth == 0' -ex run -ex backtrace "
                             "-ex 'print depth' -ex 'finish' -ex 'kill' ./program 2>&1")
    expect.success(done)
    expect.true(re.search(r"#0 +inner \(depth=0\).*#1 .*inner \(depth=1\).*#4 .*main", text, re.S),
                "backtrace: " + text)
    expect.contains(text, "$1 = 0", "print")
    expect.contains(text, "Value returned is $2 = 5", "finish")


def test_gdb_steps(env):
    done, text = script(env, "gdb -q -batch -ex 'break main' -ex run -ex step -ex next "
                             "-ex stepi -ex 'info registers rip' -ex 'print counter' -ex kill "
                             "./program 2>&1")
    expect.success(done)
    expect.contains(text, "inner (depth=3)", "step")
    expect.contains(text, "<inner+", "registers")


def test_gdb_sets_and_calls(env):
    done, text = script(env, "gdb -q -batch -ex 'break inner' -ex run -ex 'delete' "
                             "-ex 'set var counter = 100' -ex 'print inner(0)' "
                             "-ex continue ./program 2>&1")
    expect.success(done)
    expect.contains(text, "$1 = 105", "call")
    expect.contains(text, "result 113", "output of the program")
    expect.contains(text, "exited with code 03", "end")


def test_gdb_watches_in_software(env):
    done, text = script(env, "gdb -q -batch -ex 'set can-use-hw-watchpoints 0' "
                             "-ex 'break program.c:26' -ex run -ex 'watch counter' -ex continue "
                             "-ex kill ./program 2>&1")
    expect.success(done)
    expect.true(re.search(r"Old value = \d+\nNew value = \d+", text), "watch: " + text)


def test_gdb_threads(env):
    done, text = script(env, "gdb -q -batch -ex 'break free if $_thread != 1' -ex run "
                             "-ex 'info threads' -ex 'thread apply all backtrace 3' -ex delete "
                             "-ex continue ./program 2>&1")
    expect.success(done)
    expect.true(text.count("[New Thread") == 3, "threads: " + text)
    expect.contains(text, "thread (argument=", "backtrace")
    expect.contains(text, "exited with code 03", "end")


def test_gdb_shows_a_crash(env):
    done, text = script(env, "gdb -q -batch -ex run -ex backtrace -ex kill --args "
                             "./program crash 2>&1")
    expect.success(done)
    expect.contains(text, "received signal SIGSEGV", "signal")
    expect.true(re.search(r"#0 .*main \(argc=2", text), "backtrace: " + text)


def test_gdb_attaches(env):
    done, text = script(env, "sleep 30 & sleep 0.3; gdb -q -batch -p $! -ex 'info inferiors' "
                             "-ex detach 2>&1; kill $!; wait $!; echo $?")
    expect.success(done)
    expect.contains(text, "process ", "inferior")
    expect.true(text.endswith("143\n"), "it goes on: " + text)


def test_gdb_follows_a_fork(env):
    done, text = shell(env, "gdb -q -batch -ex 'set follow-fork-mode child' "
                            "-ex 'set detach-on-fork on' -ex run --args sh -c '(exit 4); exit 5' "
                            "2>&1")
    expect.success(done)
    expect.contains(text, "exited with code 04", "child")
