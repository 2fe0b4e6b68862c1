#!/usr/bin/env python3
"""The benchmark behind tools/bench.

Every round runs every runtime once, so that a slow moment of the machine hits
all of them; of the rounds the fastest value of each case counts. Natively
means: in the same tree by chroot, on the host kernel.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from bench import chart  # pylint: disable=wrong-import-position
from harness import binaries, host
from harness.environment import Environment
from harness.runtime import Runtime

OURS = "ours"
START_ROUNDS = 15
# $0 is the tree: /proc and /dev as a container has them, then the program.
NATIVE_SETUP = ('mount --bind /proc "$0/proc"; mount --bind /dev "$0/dev"; '
                'mount -t tmpfs tmpfs "$0/tmp"; exec chroot "$0" "$@"')
IDLE_SETTLE_SECONDS = 0.5


class Contestant:
    """One column: native, or a runtime."""

    def __init__(self, name, runtime=None):
        self.name, self.runtime = name, runtime

    def micro(self, env, root, arguments, pin):
        """case -> ns."""
        command = ["/bin/guest_micro", *arguments]
        if self.runtime is None:
            done = subprocess.run([*pin, "unshare", "--mount", "sh", "-c", NATIVE_SETUP, root,
                                   *command], stdout=subprocess.PIPE,
                                  env={**os.environ, "BENCH_DIR": "/data"}, check=True,
                                  timeout=600)
            out = done.stdout
        else:
            bundle = env.bundle(root, command, env=["BENCH_DIR=/data"])
            done = subprocess.run([*pin, *self.runtime.command("run", "--bundle", bundle,
                                                               self.runtime.new_id())],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  stdin=subprocess.DEVNULL, check=False, timeout=600)
            out = done.stdout
            if done.returncode != 0:
                print(f"{self.name}: exit code {done.returncode}: {done.stderr[-400:]!r}",
                      file=sys.stderr)
        lines = (line.split() for line in out.decode().splitlines())
        return {fields[0]: float(fields[1]) for fields in lines if len(fields) == 2}

    def start_up(self, bundle):
        """Milliseconds of `run true` with its deletion."""
        started = time.monotonic()
        done = self.runtime.run(bundle, seconds=60)
        return (time.monotonic() - started) * 1000 if done.code == 0 else None

    def idle_memory(self, env, root):
        """KiB of PSS of all processes of a sandbox that sleeps."""
        bundle = env.bundle(root, ["/bin/sleep", "1000"])
        with env.detached(bundle, self.runtime):
            time.sleep(IDLE_SETTLE_SECONDS)
            return sum(host.pss_kib(pid) for pid in host.descendants(os.getpid()))


def contestants(env, wanted, with_ours):
    found = [Contestant("native")]
    others = {"runc": ["runc"], "crun": ["crun", "--cgroup-manager=disabled"],
              "gvisor": ["runsc", "--network=none", "--ignore-cgroups"]}
    if with_ours:
        path = binaries.stage(os.path.join(env.scratch, "bin"))
        found.append(Contestant(OURS, Runtime(path, os.path.join(env.scratch, "state-ours"))))
    for name, (program, *flags) in others.items():
        path = shutil.which(program)
        if path:
            found.append(Contestant(name, Runtime(path, os.path.join(env.scratch, "state-" + name),
                                                  flags)))
        else:
            print(f"{name} is not installed, left out", file=sys.stderr)
    return [c for c in found if not wanted or c.name in wanted or c.name == "native"]


def run_micro(env, root, competing, options, pin):
    """case -> contestant -> ns."""
    results = {}
    arguments = ["--ms", str(options.ms), "--filter", options.filter]
    for number in range(options.rounds):
        for contestant in competing:
            print(f"round {number + 1}/{options.rounds}: {contestant.name}", file=sys.stderr)
            for case, value in contestant.micro(env, root, arguments, pin).items():
                row = results.setdefault(case, {})
                row[contestant.name] = min(value, row.get(contestant.name, value))
    return results


def run_start_up(env, root, competing):
    bundle = env.bundle(root, ["/bin/true"])
    times = {c.name: [] for c in competing if c.runtime}
    for _ in range(START_ROUNDS):
        for contestant in competing:
            if contestant.runtime:
                times[contestant.name].append(contestant.start_up(bundle))
    return {name: statistics.median(values) for name, values in times.items()
            if None not in values}


def print_table(title, rows, names):
    print(f"\n{title}")
    print(f"{'case':28}{'native ns':>12}" + "".join(f"{n:>10}" for n in names if n != "native"))
    for case, row in rows.items():
        native = row.get("native")
        cells = "".join(f"{row[n] / native:10.2f}" if native and n in row else f"{'-':>10}"
                        for n in names if n != "native")
        print(f"{case:28}{native or 0:12.0f}{cells}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", default="bench-results")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ms", type=float, default=60, help="budget of a case in each round")
    parser.add_argument("--filter", default="")
    parser.add_argument("--cores", choices=("spare", "one", "both"), default="both")
    parser.add_argument("--runtimes", default="", help="comma-separated; all when empty")
    parser.add_argument("--without-ours", action="store_true")
    options = parser.parse_args()

    host.become_subreaper()
    env = Environment("/bin/true", "/bin/true")
    try:
        root = env.fresh_root("busybox")
        shutil.copy(binaries.built("test/bench/guest_micro"), os.path.join(root, "bin"))
        os.chmod(os.path.join(root, "data"), 0o777)
        competing = contestants(env, set(filter(None, options.runtimes.split(","))),
                                not options.without_ours)
        names = [c.name for c in competing]
        report = {
            "machine": {"kernel": platform.release(), "cpus": os.cpu_count(),
                        "date": time.strftime("%Y-%m-%d")},
            "unit": "ns", "micro": {},
        }
        kinds = ("spare", "one") if options.cores == "both" else (options.cores,)
        for kind in kinds:
            pin = ["taskset", "-c", "0"] if kind == "one" else []
            report["micro"][kind] = run_micro(env, root, competing, options, pin)
        report["start_up_ms"] = run_start_up(env, root, competing)
        report["idle_pss_kib"] = {c.name: c.idle_memory(env, root)
                                  for c in competing if c.runtime}
    finally:
        env.close()

    titles = {"spare": "a core to spare: ratio to native", "one": "one core: ratio to native"}
    for kind, rows in report["micro"].items():
        print_table(titles[kind], rows, names)
    print("\nrun true (create, start, exit, delete), median ms: " + ", ".join(
        f"{name} {value:.1f}" for name, value in report["start_up_ms"].items()))
    print("idle sandbox, PSS of all its processes, MiB: " + ", ".join(
        f"{name} {value / 1024:.1f}" for name, value in report["idle_pss_kib"].items()))
    os.makedirs(options.output, exist_ok=True)
    with open(os.path.join(options.output, "bench.json"), "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    with open(os.path.join(options.output, "bench.svg"), "w", encoding="utf-8") as file:
        file.write(chart.svg(report, names))
    print(f"\nwritten: {options.output}/bench.json, {options.output}/bench.svg")


if __name__ == "__main__":
    main()
