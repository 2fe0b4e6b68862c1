"""Runs containers under an OCI runtime, ours or another one."""

import itertools
import json
import os
import subprocess

from . import host

DEFAULT_SECONDS = 60


class Completed:
    """How a command ended; `out` and `err` are bytes."""

    def __init__(self, code, out, err, timed_out=False):
        self.code, self.out, self.err, self.timed_out = code, out, err, timed_out

    def __str__(self):
        ending = "timed out" if self.timed_out else f"exit code {self.code}"
        return f"{ending}\n--- stdout\n{_tail(self.out)}\n--- stderr\n{_tail(self.err)}"


def _tail(data, limit=1500):
    return data[-limit:].decode("utf-8", "replace")


def run_command(command, *, stdin=b"", seconds=DEFAULT_SECONDS, **options):
    """Runs a command to its end. On a timeout it and all it started are killed."""
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    # pylint: disable=consider-using-with
    process = subprocess.Popen(command, stdin=subprocess.PIPE, **options)
    try:
        out, err = process.communicate(stdin, timeout=seconds)
        return Completed(process.returncode, out or b"", err or b"")
    except subprocess.TimeoutExpired:
        host.kill_all(host.descendants(process.pid) + [process.pid])
        try:
            out, err = process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            out, err = b"", b"output still open after kill"
        return Completed(-1, out or b"", err or b"", timed_out=True)


class Runtime:
    """An OCI runtime with its own state directory.

    `flags` are global flags, before the command.
    """

    _numbers = itertools.count(1)

    def __init__(self, path, state_directory, flags=()):
        self.path = path
        self.name = os.path.basename(path)
        self.state_directory = state_directory
        self.flags = list(flags)

    @property
    def is_ours(self):
        return self.name == "runsc-create"

    def with_flags(self, *flags):
        return Runtime(self.path, self.state_directory, self.flags + list(flags))

    def command(self, *arguments):
        return [self.path, "--root", self.state_directory, *self.flags, *arguments]

    def call(self, *arguments, **options):
        return run_command(self.command(*arguments), **options)

    def new_id(self):
        return f"rt{os.getpid()}-{next(self._numbers)}"

    def run(self, bundle, container=None, **options):
        """`run` in the foreground; the container is gone afterwards."""
        container = container or self.new_id()
        done = self.call("run", "--bundle", bundle, container, **options)
        if done.timed_out:
            self.call("delete", "--force", container, seconds=20)
        return done

    def popen(self, *arguments, **options):
        return subprocess.Popen(self.command(*arguments), **options)

    def state(self, container):
        """The state object, or None when the container does not exist."""
        done = self.call("state", container)
        return json.loads(done.out) if done.code == 0 else None

    def status(self, container):
        state = self.state(container)
        return state["status"] if state else None

    def leftovers(self):
        """Names of containers in the state directory."""
        try:
            return sorted(os.listdir(self.state_directory))
        except FileNotFoundError:
            return []
