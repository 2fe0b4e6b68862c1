"""A containerd of its own, driven by ctr: no images, no network, no CRI."""

from .engine import DaemonEngine

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


class Containerd(DaemonEngine):
    """`with Containerd() as containerd: containerd("tasks", "ls")`."""

    def __init__(self):
        super().__init__("containerd")
        with open(self.path("config.toml"), "w", encoding="utf-8") as file:
            file.write(CONFIG.format(self.directory))

    def __enter__(self):
        self.cover(GLOBAL_DIRECTORY)
        return super().__enter__()

    def daemon_command(self):
        return ["containerd", "--config", self.path("config.toml")]

    def command(self, *arguments):
        return ["ctr", "--address", self.path("containerd.sock"), *arguments]
