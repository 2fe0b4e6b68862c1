"""What a test gets: the runtime under test, root file systems, scratch space."""

import contextlib
import os
import shutil
import subprocess
import tempfile

from . import binaries
from . import bundle as bundles
from . import host
from .binaries import REPOSITORY
from .runtime import Runtime


class Environment:
    """`runtime_path` None means the binaries that were built."""

    def __init__(self, runtime_path, reference_path, everything=False, filter_text=""):
        self.everything = everything
        self.filter = filter_text  # what the names of the wanted tests contain
        self.scratch = tempfile.mkdtemp(prefix="runsc-test-")
        os.chmod(self.scratch, 0o755)
        if runtime_path is None:
            runtime_path = binaries.stage(os.path.join(self.scratch, "bin"))
        self.runtime = Runtime(os.path.abspath(runtime_path), os.path.join(self.scratch, "state"))
        self.reference = Runtime(reference_path, os.path.join(self.scratch, "reference-state"))
        # Set while a test suite has a daemon running from one test to the next.
        self.daemon_running = False
        self._copies = {}
        self._mounts_before = host.mount_points()

    def close(self):
        self.close_mounts()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def close_mounts(self):
        for point in sorted(self.new_mounts(), reverse=True):
            subprocess.run(["umount", "-l", point], check=False)

    def clear_state(self):
        shutil.rmtree(self.runtime.state_directory, ignore_errors=True)

    def new_mounts(self):
        return {p for p in host.mount_points() - self._mounts_before if p.startswith(self.scratch)}

    def directory(self, mode=0o755):
        path = tempfile.mkdtemp(dir=self.scratch)
        os.chmod(path, mode)
        return path

    def cached_root(self, kind):
        """The shared tree of this kind; nobody may write to it."""
        done = subprocess.run([os.path.join(REPOSITORY, "tools/rootfs"), kind],
                              stdout=subprocess.PIPE, check=True)
        return done.stdout.decode().strip()

    def fresh_root(self, kind):
        """A copy of the tree that the test may change."""
        path = os.path.join(self.directory(), "root")
        subprocess.run(["cp", "-a", "--reflink=auto", self.cached_root(kind), path], check=True)
        return path

    def shared_root(self, kind):
        """One copy for all tests of a run, for those that clean up after themselves."""
        if kind not in self._copies:
            self._copies[kind] = self.fresh_root(kind)
        return self._copies[kind]

    def bundle(self, root, args, *, change=None, **settings):
        """A bundle directory; `change(config)` may edit the specification."""
        config = bundles.make_config(root, args, **settings)
        if change:
            config = change(config) or config
        return bundles.write_bundle(self.directory(), config)

    def run(self, kind, args, *, stdin=b"", seconds=60, **settings):
        """Runs a command in the shared root of this kind, under the runtime under test."""
        return self.runtime.run(self.bundle(self.shared_root(kind), args, **settings),
                                stdin=stdin, seconds=seconds)

    @contextlib.contextmanager
    def detached(self, bundle, runtime=None):
        """A started container in the background, removed at the end; gives its id."""
        runtime = runtime or self.runtime
        container = runtime.new_id()
        with open(os.path.join(bundle, "output"), "wb") as output:
            done = runtime.call("run", "--detach", "--bundle", bundle, container,
                                stdout=output, stderr=output)
        try:
            if done.code != 0:
                raise AssertionError(f"run --detach: exit code {done.code}: " + read(
                    os.path.join(bundle, "output")))
            yield container
        finally:
            runtime.call("delete", "--force", container)


def read(path):
    with open(path, "rb") as file:
        return file.read().decode("utf-8", "replace")
