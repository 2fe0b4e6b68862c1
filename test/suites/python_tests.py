"""Python's own tests fail in the sandbox where they fail on the host kernel.

Each module runs under runc and in the sandbox; the sets of tests that fail are
compared. Differences that are meant are listed, with the reason, in
python_differences.txt beside this file; a line that is no longer true fails,
too.
"""

import os
import re

from harness import expect

KIND = "debian-tests"
SECONDS = 900
MODULES = ("test_os test_signal test_subprocess test_threading test_posix test_pty test_time "
           "test_select test_selectors test_resource test_thread test_concurrent_futures "
           "test_faulthandler test_fork1 test_wait4 test_ioctl test_tty test_epoll test_poll "
           "test_eintr test_mmap test_fcntl test_tempfile test_shutil test_pathlib test_io "
           "test_wait3 test_pipes test_stat test_glob "
           "test_posixpath test_file test_fileio test_file_eintr test_bufio test_largefile "
           "test_fileinput test_mailbox test_tarfile test_zipfile test_gzip test_shelve test_dbm "
           "test_pwd test_grp test_openpty test_readline test_getpass test_popen test_atexit "
           "test_threadsignals test_threadedtempfile test_threading_local test_queue test_gc "
           "test_interpreters test_multiprocessing_main_handling test_pdb test_repl test_runpy "
           "test_cmd_line test_cmd_line_script test_c_locale_coercion test_ctypes test_traceback "
           "test_uuid").split()


def expected_differences():
    """module -> {test: reason}."""
    differences = {}
    path = os.path.join(os.path.dirname(__file__), "python_differences.txt")
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.strip() or line.startswith("#"):
                continue
            module, test, reason = line.split(None, 2)
            differences.setdefault(module, {})[test] = reason.strip()
    return differences


def failures(env, runtime, module):
    """(names of tests that failed, how the run ended)."""
    command = ["python3", "-m", "test", "-u", "none", "-v", "--timeout", "300", module]
    done = runtime.run(env.bundle(env.shared_root(KIND), command), seconds=SECONDS)
    text = (done.out + done.err).decode("utf-8", "replace")
    failed = set()
    for line in text.splitlines():
        found = re.match(r"(?:FAIL|ERROR|UNEXPECTED SUCCESS): (\w+) \(([\w.]+)\)", line)
        if found:
            name, place = found.groups()
            failed.add(place if place.endswith("." + name) else f"{place}.{name}")
    if not re.search(r"^(Ran \d+ test|No test)|No module named|test(s)? skipped|skipped", text,
                     re.MULTILINE):
        failed.add("(did not finish)")
    return failed, done


def compare(env, module, expected):
    def check():
        if not env.everything:
            raise expect.Skip("long: only with --all")
        if env.runtime.is_ours:
            on_host, _ = failures(env, env.reference, module)
        else:
            on_host = set()
        here, done = failures(env, env.runtime, module)
        new = {test for test in here - on_host if test not in expected}
        gone = {test for test in expected if test not in here}
        text = ""
        if new:
            text += "fail only in the sandbox: " + ", ".join(sorted(new)) + "\n"
        if gone:
            text += "listed, but do not fail: " + ", ".join(sorted(gone)) + "\n"
        if text:
            raise AssertionError(f"{text}{done}")
    return check


def cases(env):
    expected = expected_differences()
    for module in MODULES:
        yield module, compare(env, module, expected.get(module, {}))
