"""podman with its own storage and state, which needs no daemon."""

from .engine import Engine

# Where podman remembers things whatever its options say.
GLOBAL_DIRECTORY = "/var/lib/containers"


class Podman(Engine):
    """`with Podman(path, ["--flag"]) as podman: podman("run", ...)`."""

    def __init__(self, runtime_path, runtime_flags=()):
        super().__init__("podman")
        self.options = [
            "--root", self.path("root"), "--runroot", self.path("run"), "--tmpdir", self.path("tmp"),
            "--storage-driver", "overlay", "--cgroup-manager", "cgroupfs",
            "--events-backend", "file", "--runtime", runtime_path,
            *(word for flag in runtime_flags for word in ("--runtime-flag", flag.lstrip("-"))),
        ]

    def __enter__(self):
        self.cover(GLOBAL_DIRECTORY)
        return self

    def __exit__(self, *_):
        self("rm", "--all", "--force", "--time", "0")
        super().__exit__()

    def command(self, *arguments):
        return ["podman", *self.options, *arguments]

    def run_options(self):
        """For `podman run` and `create`."""
        return ["--network", "none", "--cgroup-parent", "/" + self.cgroup]
