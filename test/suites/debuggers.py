"""strace and gdb of Debian on programs in the container."""

import re
import shlex

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

# Each mode is one function, so that line numbers of others do not matter.
WATCHED = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
volatile long counter;
volatile char text[64];
struct point { int x, y; } origin = {1, 2};
int add(int a, int b) {
  int sum = a + b;
  counter = counter + sum;
  return sum;
}
int loop(int times) {
  int total = 0;
  for (int i = 0; i < times; i++) total += add(i, 1);
  return total;
}
void fill(void) {
  memset((char *)text, 'x', 40);
  strcpy((char *)text, "watched");
}
void handler(int signo) { counter = -signo; }
void *thread(void *argument) {
  for (int i = 0; i < 3; i++) __atomic_add_fetch(&counter, 1, __ATOMIC_SEQ_CST);
  return argument;
}
void threads(void) {
  pthread_t first, second;
  pthread_create(&first, 0, thread, 0);
  pthread_join(first, 0);
  pthread_create(&second, 0, thread, 0);
  pthread_join(second, 0);
}
int forks(void) {
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    counter = 77;
    execl("/bin/true", "true", (char *)0);
    _exit(9);
  }
  waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}
int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "loop";
  if (!strcmp(mode, "loop")) printf("loop %d\n", loop(4));
  if (!strcmp(mode, "fill")) fill();
  if (!strcmp(mode, "threads")) threads();
  if (!strcmp(mode, "forks")) printf("forks %d\n", forks());
  if (!strcmp(mode, "signals")) {
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
    printf("counter %ld\n", counter);
  }
  if (!strcmp(mode, "wait")) {
    while (counter == 0) usleep(10000);
    printf("told %ld\n", counter);
  }
  return origin.x + 2;
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


def watch_program(env, commands):
    """gdb's `commands` on WATCHED: what it prints here and under the reference runtime."""
    script = "cd /tmp\ncat > watched.c << 'END'\n" + WATCHED + "END\n"
    script += "gcc -g -O0 -pthread watched.c -o watched || exit 90\n" + commands + "\nexit $?"
    root = env.shared_root("debian-debug")
    texts = []
    for runtime in (env.runtime, env.reference):
        done = runtime.run(env.bundle(root, ["/bin/bash", "-c", script]), seconds=SECONDS)
        expect.success(done)
        texts.append(without_numbers(done.out.decode("utf-8", "backslashreplace")))
    return texts


def without_numbers(text):
    """What changes from run to run: addresses, process ids."""
    text = re.sub(r"0x[0-9a-f]{5,}", "ADDRESS", text)
    text = re.sub(r"(LWP|process|PID|pid) \d+", r"\1 N", text)
    return re.sub(r"core\.\d+", "core.N", text)


def gdb(*commands, arguments="./watched"):
    return ("gdb -q -batch -ex 'set width 0' -ex 'set confirm off' "
            "-ex 'set print thread-events off' " +
            " ".join(f"-ex {shlex.quote(command)}" for command in commands) +
            f" --args {arguments} 2>&1")


def test_gdb_watches_in_hardware(env):
    ours, theirs = watch_program(
        env, gdb("break loop", "run", "delete", "watch counter", "continue", "continue", "info watchpoints",
                 "backtrace", "delete", "continue"))
    expect.contains(ours, "Hardware watchpoint 2: counter", "kind")
    expect.contains(ours, "Old value = 0\nNew value = 1", "first change")
    expect.equal(ours, theirs, "output")


def test_gdb_watches_reads_and_accesses(env):
    ours, theirs = watch_program(
        env, gdb("break loop", "run", "delete", "rwatch counter", "continue", "continue", "delete",
                 "awatch counter", "continue", "continue", "continue", "delete", "continue"))
    expect.contains(ours, "Hardware read watchpoint 2: counter", "kind")
    expect.contains(ours, "Hardware access (read/write) watchpoint 3: counter", "kind")
    expect.equal(ours, theirs, "output")


def test_gdb_watches_with_conditions_and_in_scopes(env):
    ours, theirs = watch_program(
        env, gdb("watch counter if counter > 5", "run", "print counter", "delete", "break add if a == 3",
                 "continue", "watch sum", "continue", "continue", "delete", "continue"))
    expect.contains(ours, "which its expression is valid", "scope")
    expect.equal(ours, theirs, "output")


def test_gdb_watches_what_the_library_writes(env):
    ours, theirs = watch_program(
        env, gdb("break fill", "run", "watch text[33]", "watch text[2]", "watch text[48]", "continue",
                 "print text[33]", "continue", "finish", "x/s text", "delete", "continue",
                 arguments="./watched fill"))
    expect.contains(ours, "Hardware watchpoint 2: text[33]", "kind")
    expect.contains(ours, '"watched"', "text")
    ours, theirs = (re.sub(r"(?m)^(#0 )?.*in .* \(\).*$|^\d+.*\.S.*$|^__mem.*$|^__str.*$", "LIBRARY", text)
                    for text in (ours, theirs))
    expect.equal(ours, theirs, "output")


def test_gdb_breaks_in_hardware(env):
    ours, theirs = watch_program(
        env, gdb("break main", "run", "thbreak loop", "hbreak add", "continue", "continue",
                 "backtrace", "continue", "stepi", "stepi", "info registers eflags",
                 "info breakpoints", "hbreak add if a == 3", "delete 3", "continue", "print a",
                 "delete", "continue"))
    expect.contains(ours, "Hardware assisted breakpoint 3 at", "kind")
    expect.equal(ours, theirs, "output")


def test_gdb_watches_in_threads(env):
    ours, theirs = watch_program(
        env, gdb("break threads", "run", "delete", "watch counter", *["continue"] * 6, "info threads",
                 "delete", "continue", arguments="./watched threads"))
    expect.contains(ours, "New value = 6", "last change")
    expect.equal(re.sub(r"Thread ADDRESS", "Thread", ours), re.sub(r"Thread ADDRESS", "Thread", theirs), "output")


def test_gdb_locks_the_scheduler(env):
    ours, theirs = watch_program(
        env, gdb("break thread", "run", "set scheduler-locking on", "next", "next", "print counter",
                 "set scheduler-locking off", "delete", "continue", arguments="./watched threads"))
    expect.equal(ours, theirs, "output")


def test_gdb_changes_breakpoints_while_threads_run(env):
    ours, theirs = watch_program(
        env, gdb("set non-stop on", "break thread", "run", "thread 2", "delete", "continue",
                 arguments="./watched threads") + "\n" +
        gdb("break thread", "run", "advance handler", arguments="./watched threads"))
    expect.true("Cannot access memory" not in ours, "breakpoints are removed: " + ours)
    expect.equal(re.sub("Thread ADDRESS", "Thread", ours),
                 re.sub("Thread ADDRESS", "Thread", theirs), "output")


def test_gdb_catches_calls_forks_and_execs(env):
    ours, theirs = watch_program(
        env, gdb("catch fork", "catch exec", "catch syscall wait4", "set follow-fork-mode child", "run",
                 "continue", "delete", "continue", arguments="./watched forks") + "\n" +
        gdb("catch syscall wait4", "run", "continue", "delete", "continue",
            arguments="./watched forks"))
    expect.contains(ours, "Catchpoint 1 (forked process", "fork")
    expect.contains(ours, "(returned from syscall wait4)", "call")
    # The parent that gdb has let go prints its line when it likes.
    expect.equal(sorted(ours.splitlines()), sorted(theirs.splitlines()), "output")


def test_gdb_keeps_both_sides_of_a_fork(env):
    ours, theirs = watch_program(
        env, gdb("set detach-on-fork off", "set follow-exec-mode same", "catch fork", "run", "delete", "next",
                 "info inferiors", "inferior 2", "watch counter", "continue", "delete", "continue",
                 "inferior 1", "continue", arguments="./watched forks"))
    expect.contains(ours, "New value = 77", "child")
    expect.equal(ours, theirs, "output")


def test_gdb_calls_and_returns(env):
    ours, theirs = watch_program(
        env, gdb("break add", "run", "call add(20, 22)", "print counter", "call loop(2)", "delete",
                 "print loop(3)", "finish", "tbreak add", "continue", "return 1000", "next", "print total", "continue",
                 "print $_exitcode"))
    expect.contains(ours, "$1 = 0", "counter")
    expect.equal(ours, theirs, "output")


def test_gdb_handles_signals(env):
    ours, theirs = watch_program(
        env, gdb("handle SIGUSR1 stop print", "run", "info signals SIGUSR1", "signal 0",
                 arguments="./watched signals") + "\n" +
        gdb("handle SIGUSR1 nostop print pass", "break handler", "watch counter", "run", "continue", "delete",
            "continue", arguments="./watched signals") + "\n" +
        gdb("handle SIGUSR1 nostop noprint nopass", "run", arguments="./watched signals"))
    expect.equal(ours, theirs, "output")


def test_gdb_attaches_watches_and_detaches(env):
    ours, theirs = watch_program(
        env, "./watched wait & sleep 0.5\n"
        "gdb -q -batch -ex 'set width 0' -ex 'set confirm off' -ex 'watch counter' "
        "-ex 'print counter' -ex detach -p $! 2>&1 | grep -v -i 'warning\\|nanosleep\\|libc\\|symbols'\n"
        "gdb -q -batch -ex 'set confirm off' -ex 'set var counter = 5' -ex detach -p $! > /dev/null 2>&1\n"
        "wait $!; echo status $?")
    expect.contains(ours, "told 5\nstatus 3", "it goes on")
    expect.equal(ours, theirs, "output")


def test_gdb_makes_and_reads_core_files(env):
    ours, theirs = watch_program(
        env, gdb("break add if a == 2", "run", "gcore /tmp/core.made", "kill") + " | grep -v -i warning\n" +
        "gdb -q -batch -ex 'set width 0' -ex backtrace -ex 'print counter' -ex 'info locals' "
        "-ex 'info threads' -ex 'x/2i $pc' -ex 'info auxv' ./watched /tmp/core.made 2>&1 | "
        "grep -v -i 'warning\\|AT_\\|???\\|New LWP'")
    expect.contains(ours, "Saved corefile /tmp/core.made", "core file")
    expect.equal(re.sub("Thread ADDRESS", "Thread", ours), re.sub("Thread ADDRESS", "Thread", theirs), "output")


def test_gdb_shows_vector_registers(env):
    ours, theirs = watch_program(
        env, gdb("break add", "run", "print $ymm0.v8_int32", "set var $ymm1.v4_int64[3] = 77",
                 "stepi", "print $ymm1.v4_int64[3]", "print $st0", "info registers cs ss ds es",
                 "print $mxcsr", "kill"))
    expect.contains(ours, "$2 = 77", "value")
    expect.equal(ours, theirs, "output")


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
