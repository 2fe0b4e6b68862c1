"""A containerd of its own, driven by ctr: no images, no network, no CRI.

The whole test run is already in its own mount and network namespace (see
tools/test).
"""

import os
import shutil
import signal
import subprocess
import tempfile

from . import host
from .runtime import run_command

START_SECONDS = 40
# Where the shim keeps its sockets and the runtime's state whatever the
# configuration says.
GLOBAL_DIRECTORY = "/run/containerd"
CONFIG = """version = 2
root = "{0}/root"
state = "{0}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{0}/containerd.sock"
"""


class Containerd:
    """`with Containerd() as containerd: containerd("tasks", "ls")`."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="rtc-", dir="/run")
        self.log = os.path.join(self.directory, "containerd.log")
        self.cgroup = f"rt{os.getpid()}-containerd"
        self.config = os.path.join(self.directory, "config.toml")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(self.directory))
        self.made_directory = not os.path.exists(GLOBAL_DIRECTORY)
        self.daemon = None

    def __enter__(self):
        os.makedirs(GLOBAL_DIRECTORY, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "containerd", GLOBAL_DIRECTORY], check=True)
        with open(self.log, "wb") as log:
            # pylint: disable=consider-using-with
            self.daemon = subprocess.Popen(["containerd", "--config", self.config],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        started = host.wait_until(
            lambda: self.daemon.poll() is not None or self("version").code == 0, START_SECONDS, 0.1)
        if not started or self.daemon.poll() is not None:
            text = self.daemon_log()
            self.__exit__()
            raise AssertionError(f"containerd did not start: {text}")
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
        for point in sorted((p for p in host.mount_points() if p.startswith(self.directory)),
                            reverse=True):
            subprocess.run(["umount", "-l", point], check=False)
        subprocess.run(["umount", "-l", GLOBAL_DIRECTORY], check=False)
        if self.made_directory:
            os.rmdir(GLOBAL_DIRECTORY)
        shutil.rmtree(self.directory, ignore_errors=True)
        for path in sorted(host.cgroups_named(self.cgroup), reverse=True):
            for directory, _, _ in os.walk(path, topdown=False):
                host.remove_cgroup(directory)

    def command(self, *arguments):
        return ["ctr", "--address", os.path.join(self.directory, "containerd.sock"), *arguments]

    def __call__(self, *arguments, **options):
        return run_command(self.command(*arguments), **options)

    def daemon_log(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()[-2500:]
