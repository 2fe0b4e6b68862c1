"""The guest programs of test/guest print the same in the sandbox as on the host kernel.

Each case is a test. The reference run is under runc with the same
specification, so that namespaces, mounts, ids and capabilities agree and only
the kernel differs.
"""

import os
import shutil

from harness.binaries import REPOSITORY

# Programs about files run on each file system of the sandbox.
FILE_PROGRAMS = {"open_cases", "names_cases", "io_cases", "attr_cases", "directory_cases",
                 "inotify_cases"}
# name: (working directory, further flags of our runtime).
PLACES = {"root": ("/data", ()), "tmpfs": ("/tmp", ()), "overlay": ("/data", ("--overlay",))}
PROGRAM_SECONDS = 120
SUITE = "differential"


def program_directory():
    return os.path.join(REPOSITORY, "bazel-bin/test/guest")


def programs(filter_text):
    """Those of which a case may have a name that contains the filter."""
    names = sorted(name for name in os.listdir(program_directory()) if name.endswith("_cases"))
    if not filter_text.startswith(f"{SUITE}."):
        return names
    prefixes = {name: f"{SUITE}.{name[:-len('_cases')]}." for name in names}
    return [name for name in names if prefixes[name].startswith(filter_text)
            or filter_text.startswith(prefixes[name])]


def run_program(env, runtime, program, place):
    """name -> line, in the order in which the program printed them."""
    root = env.fresh_root("busybox")
    os.chmod(os.path.join(root, "data"), 0o777)
    shutil.copy(os.path.join(program_directory(), program), os.path.join(root, "bin/cases"))
    done = runtime.run(env.bundle(root, ["/bin/cases", place]), seconds=PROGRAM_SECONDS)
    shutil.rmtree(root)
    lines = {}
    for line in done.out.decode("utf-8", "backslashreplace").splitlines():
        name, _, rest = line.partition(":")
        lines[name] = rest.strip()
    return lines, done


def compare(program, lines, done, name, expected):
    def check():
        if name not in lines:
            raise AssertionError(f"{program} did not get to this case: {done}")
        if lines[name] != expected:
            raise AssertionError(f"host:    {expected}\nsandbox: {lines[name]}")
    return check


def cases(env):
    for program in programs(env.filter):
        places = PLACES if program in FILE_PROGRAMS else {"root": PLACES["root"]}
        for place_name, (place, flags) in places.items():
            if flags and not env.runtime.is_ours:
                continue
            expected, reference = run_program(env, env.reference, program, place)
            if not expected:
                raise RuntimeError(f"reference run of {program} printed nothing: {reference}")
            actual, done = run_program(env, env.runtime.with_flags(*flags), program, place)
            short = program[:-len("_cases")]
            for name, line in expected.items():
                yield f"{short}.{place_name}.{name}", compare(program, actual, done, name, line)
