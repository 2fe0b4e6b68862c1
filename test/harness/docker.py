"""A dockerd of its own: data, sockets, containerd, mount and network namespace.

The whole test run is already in its own mount and network namespace (see
tools/test); the daemon gets no bridge and no iptables, so nothing reaches the
machine's network configuration.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile

from . import host
from .runtime import run_command

START_SECONDS = 40


class Docker:
    """`with Docker(runtimes) as docker: docker("run", ...)`."""

    def __init__(self, runtime_path, runtime_arguments=()):
        self.directory = tempfile.mkdtemp(prefix="rtd-", dir="/run")
        self.socket = os.path.join(self.directory, "docker.sock")
        self.log = os.path.join(self.directory, "dockerd.log")
        config = {
            "runtimes": {"tested": {"path": runtime_path, "runtimeArgs": list(runtime_arguments)}},
            "bridge": "none",
            "iptables": False,
            "ip6tables": False,
            "hosts": ["unix://" + self.socket],
            "data-root": os.path.join(self.directory, "data"),
            "exec-root": os.path.join(self.directory, "exec"),
            "pidfile": os.path.join(self.directory, "docker.pid"),
            "storage-driver": "overlay2",
            "exec-opts": ["native.cgroupdriver=cgroupfs"],
            "cgroup-parent": f"/rt{os.getpid()}-docker",
            "live-restore": False,
        }
        with open(os.path.join(self.directory, "daemon.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        self.daemon = None

    def __enter__(self):
        with open(self.log, "wb") as log:
            # pylint: disable=consider-using-with
            self.daemon = subprocess.Popen(
                ["dockerd", "--config-file", os.path.join(self.directory, "daemon.json")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        started = host.wait_until(
            lambda: self.daemon.poll() is not None or self("version").code == 0, START_SECONDS, 0.1)
        if not started or self.daemon.poll() is not None:
            text = self.daemon_log()
            self.__exit__()
            raise AssertionError(f"dockerd did not start: {text}")
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
        shutil.rmtree(self.directory, ignore_errors=True)
        for path in sorted(host.cgroups_named(f"rt{os.getpid()}-docker"), reverse=True):
            for directory, _, _ in os.walk(path, topdown=False):
                host.remove_cgroup(directory)

    def command(self, *arguments):
        return ["docker", "-H", "unix://" + self.socket, *arguments]

    def __call__(self, *arguments, **options):
        return run_command(self.command(*arguments),
                           env={**os.environ, "DOCKER_CONFIG": self.directory}, **options)

    def daemon_log(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()[-2500:]

    def import_root(self, root, name):
        """An image from a tree."""
        tar = subprocess.Popen(  # pylint: disable=consider-using-with
            ["tar", "-C", root, "--one-file-system", "-c", "."], stdout=subprocess.PIPE)
        done = subprocess.run(["docker", "-H", "unix://" + self.socket, "import", "-", name],
                              stdin=tar.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**os.environ, "DOCKER_CONFIG": self.directory}, check=False)
        tar.stdout.close()
        if tar.wait() != 0 or done.returncode != 0:
            raise AssertionError(f"docker import: {done.stderr[-500:]!r}")
