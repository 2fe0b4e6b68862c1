#!/usr/bin/env python3
"""Runs the test suites that need a running system and counts the tests.

  test/run.py [--runtime PATH] [--reference PATH] [--suite NAME]... [--filter TEXT] [--all]

Suites are the modules of test/suites. A suite has functions test_*(env), or
cases(env), which yields (name, function) pairs. A test fails when it raises,
and when it leaves processes, mounts, cgroups or containers behind.
"""

import argparse
import importlib
import inspect
import json
import os
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import binaries, expect, host  # pylint: disable=wrong-import-position
from harness.environment import Environment

SUITES = ["lifecycle", "exec", "bundles", "mounts", "settings", "logs", "privileges", "main_job",
          "stdio", "terminal", "user_namespaces", "differential", "robustness", "debuggers", "seccomp",
          "docker", "podman", "containerd", "languages", "python_tests", "stress_ng"]


def tests_of(suite, env):
    module = importlib.import_module(f"suites.{suite}")
    if hasattr(module, "cases"):
        yield from module.cases(env)
    functions = [f for n, f in inspect.getmembers(module, inspect.isfunction)
                 if n.startswith("test_") and f.__module__ == module.__name__]
    for function in sorted(functions, key=lambda f: f.__code__.co_firstlineno):
        yield function.__name__[len("test_"):], lambda function=function: function(env)


def left_behind(env):
    """What a test left on the machine, in words; and takes it away."""
    host.reap()
    if env.daemon_running:
        return ""
    host.wait_until(lambda: (host.reap(), not host.descendants(os.getpid()))[1], 3)
    found = []
    processes = host.descendants(os.getpid())
    if processes:
        found.append("processes " + ", ".join(f"{p} ({host.command_name(p)})" for p in processes))
        host.kill_all(processes)
    mounts = env.new_mounts()
    if mounts:
        found.append("mounts " + ", ".join(sorted(mounts)))
        env.close_mounts()
    cgroups = host.cgroups_named(f"rt{os.getpid()}-")
    if cgroups:
        found.append("cgroups " + ", ".join(cgroups))
        for path in sorted(cgroups, reverse=True):
            host.remove_cgroup(path)
    containers = env.runtime.leftovers()
    if containers:
        found.append("containers " + ", ".join(containers))
        for name in containers:
            env.runtime.call("delete", "--force", name, seconds=20)
        env.clear_state()
    return "; ".join(found)


def run_test(name, function, env):
    """(outcome, detail): outcome is passed, failed or skipped."""
    try:
        function()
        outcome, detail = "passed", ""
    except expect.Skip as reason:
        outcome, detail = "skipped", str(reason)
    except AssertionError as error:
        outcome, detail = "failed", str(error)
    except Exception:  # pylint: disable=broad-except
        outcome, detail = "failed", traceback.format_exc()
    left = left_behind(env)
    if left:
        outcome, detail = "failed", f"{detail}\nleft behind: {left}".strip()
    return outcome, detail


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runtime", help="instead of the binaries that were built here")
    parser.add_argument("--reference", default="/usr/sbin/runc")
    parser.add_argument("--suite", action="append", choices=SUITES)
    parser.add_argument("--filter", default="", help="only tests whose name contains this")
    parser.add_argument("--all", action="store_true", help="also the long tests")
    parser.add_argument("--verbose", action="store_true", help="name passed tests too")
    parser.add_argument("--json", help="write the outcomes to this file")
    options = parser.parse_args()

    host.become_subreaper()
    outcomes = {}
    env = Environment(options.runtime, options.reference, options.all, options.filter)
    try:
        for suite in options.suite or SUITES:
            started, before = time.monotonic(), len(outcomes)
            for short_name, function in tests_of(suite, env):
                name = f"{suite}.{short_name}"
                if options.filter not in name:
                    continue
                outcome, detail = run_test(name, function, env)
                outcomes[name] = {"outcome": outcome, "detail": detail}
                if outcome != "passed" or options.verbose:
                    print(f"{outcome.upper()} {name}" + (f"\n    " + detail.replace(
                        "\n", "\n    ") if detail else ""), flush=True)
            print(f"suite {suite}: {len(outcomes) - before} tests, "
                  f"{time.monotonic() - started:.1f} s", flush=True)
    finally:
        env.close()
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(outcomes, file, indent=1)
    counts = {kind: sum(o["outcome"] == kind for o in outcomes.values())
              for kind in ("passed", "failed", "skipped")}
    print(f"{counts['passed']} passed, {counts['failed']} failed"
          + (f", {counts['skipped']} skipped" if counts["skipped"] else ""))
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
