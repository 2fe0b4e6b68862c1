"""What the host shows of a sandbox: processes, mounts, cgroups, /proc files."""

import ctypes
import os
import signal
import time

PR_SET_CHILD_SUBREAPER = 36


def become_subreaper():
    """Orphans of whatever a test starts become children of this process."""
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError("prctl(PR_SET_CHILD_SUBREAPER)")


def parents():
    """pid -> parent's pid, of every process."""
    result = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="latin-1") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z":
                result[int(entry)] = int(fields[1])
    return result


def descendants(pid):
    table = parents()
    found, frontier = [], [pid]
    while frontier:
        frontier = [child for child, parent in table.items() if parent in frontier]
        found += frontier
    return found


def reap():
    """Collects all ended children, orphans that became ours among them.

    To be called between tests: it also takes the status of a subprocess object
    that nobody has waited for.
    """
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def command_name(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="latin-1") as file:
            return file.read().strip()
    except OSError:
        return "?"


def kill_all(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    wait_until(lambda: (reap(), not any(os.path.exists(f"/proc/{p}") for p in pids))[1], 5)


def wait_until(condition, seconds=10, pause=0.02):
    """True as soon as `condition()` is, False if it is not within the time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True


def mount_points():
    with open("/proc/self/mountinfo", encoding="latin-1") as file:
        return {line.split()[4] for line in file}


def cgroups_named(part, top="/sys/fs/cgroup", depth=4):
    found = []
    for directory, children, _ in os.walk(top):
        if directory.count("/") - top.count("/") >= depth:
            children.clear()
        found += [os.path.join(directory, child) for child in children if part in child]
    return found


def remove_cgroup(path):
    try:
        os.rmdir(path)
    except OSError:
        pass


def status(pid):
    """The fields of /proc/PID/status."""
    with open(f"/proc/{pid}/status", encoding="latin-1") as file:
        return dict(line.rstrip("\n").split(":", 1) for line in file if ":" in line)


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="latin-1") as file:
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
