"""A dockerd of its own: data, sockets, containerd.

The daemon gets no bridge and no iptables, so nothing reaches the machine's
network configuration.
"""

import json
import os

from .containerd import GLOBAL_DIRECTORY
from .engine import DaemonEngine


class Docker(DaemonEngine):
    """`with Docker(path, flags) as docker: docker("run", ...)`."""

    def __init__(self, runtime_path, runtime_arguments=()):
        super().__init__("docker")
        self.socket = self.path("docker.sock")
        config = {
            "runtimes": {"tested": {"path": runtime_path, "runtimeArgs": list(runtime_arguments)}},
            "bridge": "none",
            "iptables": False,
            "ip6tables": False,
            "hosts": ["unix://" + self.socket],
            "data-root": self.path("data"),
            "exec-root": self.path("exec"),
            "pidfile": self.path("docker.pid"),
            "storage-driver": "overlay2",
            "exec-opts": ["native.cgroupdriver=cgroupfs"],
            "cgroup-parent": "/" + self.cgroup,
            "live-restore": False,
        }
        with open(self.path("daemon.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)

    def __enter__(self):
        # Its containerd's.
        self.cover(GLOBAL_DIRECTORY)
        return super().__enter__()

    def daemon_command(self):
        return ["dockerd", "--config-file", self.path("daemon.json")]

    def command(self, *arguments):
        return ["docker", "-H", "unix://" + self.socket, *arguments]

    def environment(self):
        return {**os.environ, "DOCKER_CONFIG": self.directory}
