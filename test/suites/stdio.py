"""stdin, stdout and stderr are the caller's own descriptors."""

import os
import subprocess
import tempfile

from harness import expect
from harness.environment import read


def test_stdout_and_stderr_are_separate(env):
    done = env.run("busybox", ["/bin/sh", "-c", "echo out; echo err >&2"])
    expect.equal((done.out, done.err), (b"out\n", b"err\n"), "outputs")


def test_stdin_from_pipe(env):
    expect.output(env.run("busybox", ["/bin/cat"], stdin=b"through the pipe"), "through the pipe")


def test_stdin_end_of_file(env):
    expect.output(env.run("busybox", ["/bin/sh", "-c", "cat; echo done"]), "done\n")


def test_megabytes_through_pipes(env):
    data = os.urandom(1 << 20) * 8
    done = expect.success(env.run("busybox", ["/bin/cat"], stdin=data))
    expect.true(done.out == data, f"{len(done.out)} bytes came back, or they differ")


def test_binary_bytes_pass(env):
    data = bytes(range(256)) * 100
    expect.equal(expect.success(env.run("busybox", ["/bin/cat"], stdin=data)).out, data, "bytes")


def run_with_files(env, args, stdin_content=b""):
    bundle = env.bundle(env.shared_root("busybox"), args)
    with tempfile.TemporaryFile(dir=env.scratch) as source:
        source.write(stdin_content)
        source.seek(0)
        with open(os.path.join(bundle, "out"), "wb") as out:
            process = subprocess.run(
                env.runtime.command("run", "--bundle", bundle, env.runtime.new_id()),
                stdin=source, stdout=out, stderr=subprocess.PIPE, timeout=60, check=False)
    expect.equal(process.returncode, 0, f"exit code ({process.stderr[-500:]!r})")
    return read(os.path.join(bundle, "out"))


def test_stdio_on_files(env):
    expect.equal(run_with_files(env, ["tr", "a-z", "A-Z"], b"from a file\n"),
                 "FROM A FILE\n", "output file")


def test_file_offsets_are_shared(env):
    out = run_with_files(env, ["/bin/sh", "-c", "echo one; echo two; head -c 3"], b"abcdef")
    expect.equal(out, "one\ntwo\nabc", "output file")


def test_append_redirection_of_caller(env):
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/echo", "added"])
    path = os.path.join(bundle, "log")
    with open(path, "wb") as file:
        file.write(b"before\n")
    with open(path, "ab") as file:
        subprocess.run(env.runtime.command("run", "--bundle", bundle, env.runtime.new_id()),
                       stdin=subprocess.DEVNULL, stdout=file, check=True, timeout=60)
    expect.equal(read(path), "before\nadded\n", "file")


def test_dev_null_as_all_three(env):
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/sh", "-c", "cat; echo x; echo y >&2"])
    process = subprocess.run(
        env.runtime.command("run", "--bundle", bundle, env.runtime.new_id()),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        timeout=60, check=False)
    expect.equal(process.returncode, 0, "exit code")


def test_closed_reader_gives_sigpipe(env):
    bundle = env.bundle(env.shared_root("busybox"),
                        ["/bin/sh", "-c", "yes; echo status $? >&2"])
    process = env.runtime.popen("run", "--bundle", bundle, env.runtime.new_id(),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)
    process.stdout.read(1000)
    process.stdout.close()
    _, error = process.communicate(timeout=60)
    expect.contains(error.decode(), "status 141", "status of the writer")


def test_interactive_conversation(env):
    bundle = env.bundle(env.shared_root("busybox"),
                        ["/bin/sh", "-c", "while read line; do echo \"<$line>\"; done"])
    process = env.runtime.popen("run", "--bundle", bundle, env.runtime.new_id(),
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        for word in (b"one", b"two", b"three"):
            process.stdin.write(word + b"\n")
            process.stdin.flush()
            expect.equal(process.stdout.readline(), b"<" + word + b">\n", "answer")
        process.stdin.close()
        expect.equal(process.wait(20), 0, "exit code")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_leaked_descriptors_do_not_reach_the_container(env):
    leaks = [os.open("/etc/passwd", os.O_RDONLY) for _ in range(5)]
    try:
        bundle = env.bundle(env.shared_root("busybox"), ["/bin/sh", "-c", "ls /proc/self/fd"])
        done = env.runtime.run(bundle, pass_fds=leaks)
        # 3 is the directory that ls itself reads.
        expect.output(done, "0\n1\n2\n3\n")
    finally:
        for fd in leaks:
            os.close(fd)


def test_stdin_isnt_a_terminal(env):
    expect.output(env.run("busybox", ["/bin/sh", "-c", "test -t 0 || echo no terminal"]),
                  "no terminal\n")
