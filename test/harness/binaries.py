"""Where the build puts programs."""

import os
import shutil

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

NAMES = ("runsc-create", "runsc-boot", "runsc-gofer")


def built(path):
    return os.path.join(REPOSITORY, "bazel-bin", path)


def stage(directory):
    """Copies the three binaries side by side, as `tools/install` does; gives the controller."""
    os.makedirs(directory, exist_ok=True)
    for name in NAMES:
        shutil.copy(built(f"bin/{name}/{name}"), os.path.join(directory, name))
    return os.path.join(directory, NAMES[0])
