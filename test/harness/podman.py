"""podman with its own storage and state, which needs no daemon.

The whole test run is already in its own mount and network namespace (see
tools/test); containers get no network, so nothing reaches the machine's
configuration.
"""

import os
import shutil
import subprocess
import tempfile

from . import host
from .runtime import run_command

# Where podman remembers things whatever its options say.
GLOBAL_DIRECTORY = "/var/lib/containers"


class Podman:
    """`with Podman(path, ["--flag"]) as podman: podman("run", ...)`."""

    def __init__(self, runtime_path, runtime_flags=()):
        self.directory = tempfile.mkdtemp(prefix="rtp-", dir="/run")
        self.cgroup = f"rt{os.getpid()}-podman"
        self.made_directory = not os.path.exists(GLOBAL_DIRECTORY)
        self.options = [
            "--root", os.path.join(self.directory, "root"),
            "--runroot", os.path.join(self.directory, "run"),
            "--tmpdir", os.path.join(self.directory, "tmp"),
            "--storage-driver", "overlay", "--cgroup-manager", "cgroupfs",
            "--events-backend", "file", "--runtime", runtime_path,
            *(word for flag in runtime_flags for word in ("--runtime-flag", flag.lstrip("-"))),
        ]

    def __enter__(self):
        os.makedirs(GLOBAL_DIRECTORY, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "podman", GLOBAL_DIRECTORY], check=True)
        return self

    def __exit__(self, *_):
        self("rm", "--all", "--force", "--time", "0")
        for point in sorted((p for p in host.mount_points() if p.startswith(self.directory)),
                            reverse=True):
            subprocess.run(["umount", "-l", point], stderr=subprocess.DEVNULL, check=False)
        subprocess.run(["umount", GLOBAL_DIRECTORY], check=False)
        if self.made_directory:
            os.rmdir(GLOBAL_DIRECTORY)
        shutil.rmtree(self.directory, ignore_errors=True)
        for path in sorted(host.cgroups_named(self.cgroup), reverse=True):
            for directory, _, _ in os.walk(path, topdown=False):
                host.remove_cgroup(directory)

    def command(self, *arguments):
        return ["podman", *self.options, *arguments]

    def __call__(self, *arguments, **options):
        return run_command(self.command(*arguments), **options)

    def run_options(self):
        """For `podman run` and `create`."""
        return ["--network", "none", "--cgroup-parent", "/" + self.cgroup]

    def import_root(self, root, name):
        """An image from a tree."""
        tar = subprocess.Popen(  # pylint: disable=consider-using-with
            ["tar", "-C", root, "--one-file-system", "-c", "."], stdout=subprocess.PIPE)
        done = subprocess.run(self.command("import", "-", name), stdin=tar.stdout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        tar.stdout.close()
        if tar.wait() != 0 or done.returncode != 0:
            raise AssertionError(f"podman import: {done.stderr[-500:]!r}")
