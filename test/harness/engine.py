"""What container engines have in common: where they live, and what goes with them.

The whole test run is already in its own mount and network namespace (see
tools/test).
"""

import os
import shutil
import signal
import subprocess
import tempfile

from . import expect, host
from .runtime import run_command

START_SECONDS = 40


class Engine:
    """A client with a directory and a cgroup of its own; `with Engine() as engine`.

    Subclasses have command(*arguments), the client's command line.
    """

    def __init__(self, name):
        self.directory = tempfile.mkdtemp(prefix=f"rt-{name}-", dir="/run")
        self.cgroup = f"rt{os.getpid()}-{name}"
        self._covered = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for point in sorted((p for p in host.mount_points() if p.startswith(self.directory)),
                            reverse=True):
            subprocess.run(["umount", "-l", point], stderr=subprocess.DEVNULL, check=False)
        for path, made in self._covered:
            subprocess.run(["umount", "-l", path], check=False)
            if made:
                os.rmdir(path)
        shutil.rmtree(self.directory, ignore_errors=True)
        for path in sorted(host.cgroups_named(self.cgroup), reverse=True):
            for directory, _, _ in os.walk(path, topdown=False):
                host.remove_cgroup(directory)

    def path(self, name):
        return os.path.join(self.directory, name)

    def cover(self, path):
        """Puts an empty directory where the engine writes whatever its options say."""
        made = not os.path.exists(path)
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "covered", path], check=True)
        self._covered.append((path, made))

    def environment(self):
        return dict(os.environ)

    def __call__(self, *arguments, **options):
        return run_command(self.command(*arguments), env=self.environment(), **options)

    def import_root(self, root, name):
        """An image from a tree."""
        tar = subprocess.Popen(  # pylint: disable=consider-using-with
            ["tar", "-C", root, "--one-file-system", "-c", "."], stdout=subprocess.PIPE)
        done = subprocess.run(self.command("import", "-", name), stdin=tar.stdout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=self.environment(), check=False)
        tar.stdout.close()
        if tar.wait() != 0 or done.returncode != 0:
            raise AssertionError(f"import of {root}: {done.stderr[-500:]!r}")


class DaemonEngine(Engine):
    """One whose client needs a daemon, which answers `version` once it is up.

    Subclasses have daemon_command(), the daemon's command line.
    """

    def __init__(self, name):
        super().__init__(name)
        self.log = self.path("daemon.log")
        self.daemon = None

    def __enter__(self):
        with open(self.log, "wb") as log:
            # pylint: disable=consider-using-with
            self.daemon = subprocess.Popen(self.daemon_command(), stdin=subprocess.DEVNULL,
                                           stdout=log, stderr=log)
        started = host.wait_until(
            lambda: self.daemon.poll() is not None or self("version").code == 0, START_SECONDS, 0.1)
        if not started or self.daemon.poll() is not None:
            text = self.daemon_log()
            self.__exit__()
            raise AssertionError(f"{self.daemon.args[0]} did not start: {text}")
        return self

    def __exit__(self, *_):
        if self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGTERM)
            try:
                self.daemon.wait(20)
            except subprocess.TimeoutExpired:
                pass
        host.kill_all(host.descendants(self.daemon.pid))
        if self.daemon.poll() is None:
            self.daemon.kill()
            self.daemon.wait()
        super().__exit__()

    def daemon_log(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()[-2500:]


class EngineSession:
    """One engine for all tests of a suite, started by the first and ended by the last."""

    def __init__(self, env):
        self.env = env
        self.engine = None

    def start(self):
        self.engine = self.make_engine()
        self.engine.__enter__()
        # What is mounted and runs from one test to the next is the engine's.
        self.env.daemon_running = True

    def stop(self):
        left = [host.command_name(p) for p in host.descendants(os.getpid())
                if host.command_name(p).startswith("runsc-")]
        self.env.daemon_running = False
        containers = self.engine(*self.list_command).out.decode()
        self.engine.__exit__()
        expect.equal((left, containers), ([], ""), "processes and containers left")

    def run(self, *arguments, **options):
        """A container of command(*arguments), removed when it ends."""
        return self.engine(*self.command("--rm", *arguments), **options)

    @staticmethod
    def split(arguments):
        """Flags, and what stands behind "--": the container's command."""
        at = arguments.index("--")
        return arguments[:at], arguments[at + 1:]

    def cases(self, tests):
        yield "engine_starts", self.start
        for function in tests:
            yield function.__name__, lambda function=function: function(self)
        yield "engine_ends_and_nothing_is_left", self.stop
