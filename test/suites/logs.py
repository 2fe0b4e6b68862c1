"""--log, --log-format, --debug, --debug-log."""

import json
import os
import re

from harness import expect
from harness.environment import read


def run_with(env, *flags, args=("/bin/true",)):
    if not env.runtime.is_ours:
        raise expect.Skip("flags of this project's runtime")
    return env.runtime.with_flags(*flags).run(env.bundle(env.shared_root("busybox"), args))


def test_no_debug_output_by_default(env):
    done = run_with(env, args=("/bin/echo", "x"))
    expect.equal((done.out, done.err), (b"x\n", b""), "output")


def test_text_log_of_an_error(env):
    log = os.path.join(env.directory(), "log")
    done = run_with(env, "--log", log, "--log-format", "text", args=("/no/such",))
    expect.true(done.code != 0, "run succeeded")
    expect.contains(read(log), "/no/such", "log")


def test_json_log_is_one_object_a_line(env):
    log = os.path.join(env.directory(), "log")
    run_with(env, "--log", log, "--log-format", "json", "--debug", args=("/no/such",))
    lines = [json.loads(line) for line in read(log).splitlines()]
    expect.true(lines, "the log is empty")
    for line in lines:
        for field in ("level", "msg", "time"):
            expect.true(field in line, f"{field} in {line}")


def test_log_appends(env):
    log = os.path.join(env.directory(), "log")
    for _ in range(2):
        run_with(env, "--log", log, args=("/no/such",))
    expect.equal(read(log).count("/no/such"), 2, "errors in the log")


def test_debug_log_directory_gets_a_file_of_each_command(env):
    directory = env.directory()
    expect.success(run_with(env, "--debug", "--debug-log", directory + "/"))
    names = sorted(os.listdir(directory))
    expect.true(names, "no file")
    for name in names:
        expect.true(re.fullmatch(r"runsc\.log\.\d{8}-\d{6}\.\d{6}\.[a-z]+", name), f"name {name}")
    commands = {name.rsplit(".", 1)[1] for name in names}
    expect.true({"boot", "gofer", "run"} <= commands, f"commands {commands}")


def test_debug_log_pattern_is_expanded(env):
    directory = env.directory()
    pattern = os.path.join(directory, "%ID%--%COMMAND%--%TIMESTAMP%.txt")
    expect.success(run_with(env, "--debug", "--debug-log", pattern))
    for name in os.listdir(directory):
        expect.true(re.fullmatch(r"rt\d+-\d+--[a-z]+--\d{8}-\d{6}\.\d{6}\.txt", name),
                    f"name {name}")
    expect.true(len(os.listdir(directory)) >= 3, f"files {os.listdir(directory)}")


def test_debug_log_has_the_specification(env):
    directory = env.directory()
    expect.success(run_with(env, "--debug", "--debug-log", directory + "/",
                            args=("/bin/echo", "a-rare-argument")))
    text = "".join(read(os.path.join(directory, name)) for name in os.listdir(directory))
    expect.contains(text, "a-rare-argument", "debug logs")


def test_log_path_that_cannot_be_opened(env):
    done = run_with(env, "--log", "/no/such/directory/log")
    expect.true(done.code != 0, "run succeeded")
    expect.contains(done.err.decode(), "/no/such/directory/log", "error")


def test_bad_log_format_is_refused(env):
    done = run_with(env, "--log-format", "xml")
    expect.true(done.code != 0, "run succeeded")
