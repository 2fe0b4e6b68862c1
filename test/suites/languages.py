"""Programs of Go, Java, node and C++: compiled where that is needed, and run with many threads.

One small program of each language always runs; the larger ones are long.
"""

import time

from harness import expect

SECONDS = 300
KIND = "debian-languages"

HELLO_GO = """
package main
import ("fmt"; "sync")
func main() {
  var group sync.WaitGroup
  results := make(chan int, 100)
  for i := 0; i < 100; i++ {
    group.Add(1)
    go func(n int) { defer group.Done(); results <- n * n }(i)
  }
  group.Wait()
  close(results)
  sum := 0
  for r := range results { sum += r }
  fmt.Println(sum)
}
"""

# Blocked system calls take threads, signals preempt goroutines, panics unwind
# from faults.
BUSY_GO = """
package main
import ("fmt"; "os"; "os/exec"; "os/signal"; "runtime"; "sync"; "sync/atomic"; "syscall"; "time")
func fault() (text string) {
  defer func() { text = fmt.Sprint(recover()) }()
  var pointer *int
  return fmt.Sprint(*pointer)
}
func main() {
  var count int64
  var group sync.WaitGroup
  for i := 0; i < 200; i++ {
    group.Add(1)
    go func() {
      defer group.Done()
      r, w, _ := os.Pipe()
      go func() { time.Sleep(10 * time.Millisecond); w.Write([]byte("x")); w.Close() }()
      b := make([]byte, 1)
      r.Read(b)
      r.Close()
      atomic.AddInt64(&count, 1)
    }()
  }
  group.Wait()
  fmt.Println(count)
  for i := 0; i < runtime.NumCPU() * 2; i++ { go func() { for {} }() }
  runtime.Gosched()
  fmt.Println(fault())
  got := make(chan os.Signal, 1)
  signal.Notify(got, syscall.SIGUSR1)
  syscall.Kill(os.Getpid(), syscall.SIGUSR1)
  fmt.Println(<-got)
  for i := 0; i < 20; i++ {
    if out, err := exec.Command("/bin/echo", "child").Output(); err != nil || string(out) != "child\\n" {
      fmt.Println("exec:", err)
    }
  }
  for i := 0; i < 5; i++ { runtime.GC() }
  fmt.Println("done")
}
"""

# What the runtime reads by the vDSO.
CLOCK_GO = """
package main
import ("fmt"; _ "unsafe")
//go:linkname nanotime runtime.nanotime
func nanotime() int64
func main() { fmt.Println(nanotime() / 1000000000) }
"""

HELLO_JAVA = """
import java.util.concurrent.*;
public class Hello {
  public static void main(String[] arguments) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(16);
    java.util.List<Future<Integer>> results = new java.util.ArrayList<>();
    for (int i = 0; i < 100; i++) { int n = i; results.add(pool.submit(() -> n * n)); }
    int sum = 0;
    for (Future<Integer> result : results) sum += result.get();
    pool.shutdown();
    System.out.println(sum);
  }
}
"""

# Null pointers and safepoints are faults in the HotSpot compiler's code.
BUSY_JAVA = """
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
public class Busy {
  static int depth(int n) { return depth(n + 1) + 1; }
  public static void main(String[] arguments) throws Exception {
    AtomicLong sum = new AtomicLong();
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 50; t++) {
      Thread thread = new Thread(() -> {
        for (int i = 0; i < 2000; i++) {
          try { Object o = i % 7 == 0 ? null : "x"; sum.addAndGet(o.hashCode() > 0 ? 1 : 0); }
          catch (NullPointerException e) { sum.addAndGet(100); }
        }
      });
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) thread.join();
    System.out.println(sum);
    try { depth(0); } catch (StackOverflowError e) { System.out.println("overflow"); }
    List<byte[]> memory = new ArrayList<>();
    for (int i = 0; i < 400; i++) { memory.add(new byte[1 << 20]); if (memory.size() > 20) memory.clear(); }
    System.gc();
    Process child = new ProcessBuilder("/bin/sh", "-c", "echo child; exit 3").start();
    System.out.print(new String(child.getInputStream().readAllBytes()));
    System.out.println(child.waitFor());
    Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
    ProcessHandle.current().children().count();
  }
}
"""

HELLO_NODE = """
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
if (isMainThread) {
  let sum = 0, left = 4;
  for (let i = 0; i < 4; i++) {
    const worker = new Worker(__filename, { workerData: i });
    worker.on('message', (n) => { sum += n; if (--left === 0) console.log(sum); });
  }
} else {
  parentPort.postMessage(workerData * workerData);
}
"""

BUSY_NODE = """
const fs = require('fs'), { spawn, execFileSync } = require('child_process'), crypto = require('crypto');
(async () => {
  const names = [];
  for (let i = 0; i < 100; i++) names.push('/tmp/f' + i);
  await Promise.all(names.map((n) => fs.promises.writeFile(n, n)));
  const texts = await Promise.all(names.map((n) => fs.promises.readFile(n, 'utf8')));
  console.log(texts.every((t, i) => t === names[i]));
  const keys = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((n) => new Promise((resolve, reject) =>
      crypto.pbkdf2('secret', 'salt' + n, 1000, 32, 'sha256', (e, k) => e ? reject(e) : resolve(k)))));
  console.log(keys.length);
  console.log(execFileSync('/bin/echo', ['child']).toString().trim());
  const seen = new Promise((resolve) => {
    const watcher = fs.watch('/tmp', (event, name) => { if (name === 'watched') { watcher.close(); resolve(event); } });
  });
  fs.writeFileSync('/tmp/watched', '');
  console.log(await seen);
  const child = spawn('/bin/sh', ['-c', 'kill -TERM $$']);
  console.log(await new Promise((resolve) => child.on('exit', (code, signal) => resolve(signal))));
  process.on('SIGUSR2', () => { console.log('signal'); process.exit(5); });
  process.kill(process.pid, 'SIGUSR2');
  setTimeout(() => {}, 10000);
})();
"""

HELLO_CPP = """
#include <atomic>
#include <future>
#include <iostream>
#include <stdexcept>
#include <thread>
#include <vector>
int deep(int n) { if (n == 0) throw std::runtime_error("deep"); return deep(n - 1) + 1; }
int main() {
  std::atomic<int> caught{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 32; ++t) threads.emplace_back([&] {
    for (int i = 0; i < 200; ++i) try { deep(20); } catch (const std::exception&) { ++caught; }
  });
  for (auto& thread : threads) thread.join();
  auto failing = std::async(std::launch::async, []() -> int { throw std::logic_error("async"); });
  try { failing.get(); } catch (const std::logic_error& e) { std::cout << e.what() << "\\n"; }
  std::cout << caught << "\\n";
}
"""

# Exceptions out of signal handlers (-fnon-call-exceptions), thread-local
# storage, cancellation, condition variables.
BUSY_CPP = """
#include <condition_variable>
#include <csignal>
#include <iostream>
#include <mutex>
#include <pthread.h>
#include <stdexcept>
#include <thread>
#include <unistd.h>
#include <vector>
struct Fault : std::exception {};
void handler(int) {
  sigset_t set; sigemptyset(&set); sigaddset(&set, SIGSEGV); sigprocmask(SIG_UNBLOCK, &set, nullptr);
  throw Fault();
}
thread_local int counter = 0;
struct Guard { ~Guard() { write(1, "unwound\\n", 8); } };
void* sleeper(void*) { Guard guard; while (true) pause(); }
int main() {
  signal(SIGSEGV, handler);
  int faults = 0;
  for (int i = 0; i < 50; ++i) try { *(volatile int*)8 = 1; } catch (const Fault&) { ++faults; }
  std::cout << faults << std::endl;
  pthread_t thread;
  pthread_create(&thread, nullptr, sleeper, nullptr);
  usleep(20000);
  pthread_cancel(thread);
  void* result;
  pthread_join(thread, &result);
  std::cout << (result == PTHREAD_CANCELED) << std::endl;
  std::mutex mutex; std::condition_variable ready; int turn = 0; long sum = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) threads.emplace_back([&, t] {
    for (int i = 0; i < 200; ++i) {
      std::unique_lock lock(mutex);
      ready.wait(lock, [&] { return turn % 8 == t; });
      ++turn; ++counter; sum += counter;
      ready.notify_all();
    }
  });
  for (auto& t : threads) t.join();
  std::cout << turn << " " << sum << " " << counter << std::endl;
}
"""


def run_script(env, name, source, script, expected, code=0):
    """Writes `source` to /tmp/NAME in the container and runs the script there."""
    whole = f"cd /tmp && cat > {name} && {script}"
    # Compilers want their cache somewhere, and room for what they write.
    done = env.run(KIND, ["/bin/bash", "-c", whole], stdin=source.encode(), seconds=SECONDS,
                   env=["GOCACHE=/tmp/go", "GO111MODULE=off", "GOFLAGS=-p=2"])
    expect.equal(done.code, code, str(done))
    expect.equal(done.out.decode(), expected, str(done))


def long(env):
    if not env.everything:
        raise expect.Skip("long: only with --all")


def test_go(env):
    run_script(env, "hello.go", HELLO_GO, "go build -o hello hello.go && ./hello", "328350\n")


def test_go_threads_signals_and_processes(env):
    long(env)
    run_script(env, "busy.go", BUSY_GO, "go build -o busy busy.go && ./busy",
               "200\nruntime error: invalid memory address or nil pointer dereference\n"
               "user defined signal 1\ndone\n")


def test_clocks_of_a_time_namespace(env):
    if not env.runtime.is_ours:
        raise expect.Skip("the reference runtime may be too old for time namespaces")
    offset = 7000000

    def change(config):
        config["linux"]["namespaces"].append({"type": "time"})
        config["linux"]["timeOffsets"] = {"monotonic": {"secs": offset}}

    script = ("cd /tmp && mkdir clock && cat > clock/clock.go && touch clock/empty.s && "
              "(cd clock && go build -o ../now) && ./now && "
              "python3 -c 'import time; print(int(time.monotonic()))' && "
              "node -p 'process.hrtime()[0]' && "
              "perl -MTime::HiRes=clock_gettime,CLOCK_MONOTONIC "
              "-e 'printf \"%d\\n\", clock_gettime(CLOCK_MONOTONIC)'")
    before = int(time.monotonic())
    done = env.run(KIND, ["/bin/bash", "-c", script], stdin=CLOCK_GO.encode(), seconds=SECONDS,
                   change=change, env=["GOCACHE=/tmp/go", "GO111MODULE=off", "GOFLAGS=-p=2"])
    after = int(time.monotonic()) + 1
    expect.equal(done.code, 0, str(done))
    clocks = [int(line) - offset for line in done.out.split()]
    expect.equal(len(clocks), 4, str(done))
    expect.true(all(before <= clock <= after for clock in clocks), f"{before} {clocks} {after}")


def test_java(env):
    run_script(env, "Hello.java", HELLO_JAVA, "java Hello.java", "328350\n")


def test_java_faults_memory_and_processes(env):
    long(env)
    expected = 50 * (286 * 100 + (2000 - 286))
    run_script(env, "Busy.java", BUSY_JAVA, "javac Busy.java && java -Xmx256m Busy",
               f"{expected}\noverflow\nchild\n3\nhook\n")


def test_node(env):
    run_script(env, "hello.js", HELLO_NODE, "node hello.js", "14\n")


def test_node_files_processes_and_signals(env):
    long(env)
    run_script(env, "busy.js", BUSY_NODE, "node busy.js",
               "true\n8\nchild\nrename\nSIGTERM\nsignal\n", code=5)


def test_cpp_exceptions_and_threads(env):
    run_script(env, "hello.cc", HELLO_CPP, "g++ -O1 -pthread -o hello hello.cc && ./hello",
               "async\n6400\n")


def test_cpp_faults_and_cancellation(env):
    long(env)
    run_script(env, "busy.cc", BUSY_CPP,
               "g++ -O1 -pthread -fnon-call-exceptions -o busy busy.cc 2>/dev/null && ./busy",
               "50\nunwound\n1\n1600 160800 0\n")
