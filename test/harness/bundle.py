"""OCI bundles for the tests: a root file system and a config.json."""

import json
import os

_CAPABILITY_NAMES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP "
    "LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER "
    "SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE "
    "SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP"
).split()


def _machine_capabilities():
    """The bounding set: runc refuses what the machine itself does not have."""
    with open("/proc/self/status", encoding="ascii") as file:
        bits = next(int(line.split()[1], 16) for line in file if line.startswith("CapBnd"))
    return ["CAP_" + name for bit, name in enumerate(_CAPABILITY_NAMES) if bits >> bit & 1]


ALL_CAPABILITIES = _machine_capabilities()

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def default_mounts():
    return [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
         "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs",
         "options": ["nosuid", "noexec", "nodev", "ro"]},
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "nodev", "mode=1777"]},
    ]


def make_config(root, args, *, env=(), cwd="/", uid=0, gid=0, groups=(), readonly=False,
                mounts=(), terminal=False, rlimits=(("RLIMIT_NOFILE", 1024),)):
    """The specification of a container with all capabilities and its own namespaces."""
    capabilities = ALL_CAPABILITIES if uid == 0 else []
    return {
    "ociVersion": "1.0.2",
    "hostname": "sandbox",
    "process": {
        "terminal": terminal,
        "user": {"uid": uid, "gid": gid, "additionalGids": list(groups)},
        "args": list(args),
        "env": [PATH, "HOME=/root", "LC_ALL=C", *env],
        "cwd": cwd,
        "capabilities": {
            "bounding": ALL_CAPABILITIES,
            "effective": capabilities,
            "permitted": capabilities,
            },
        "rlimits": [{"type": name, "soft": value, "hard": value} for name, value in rlimits],
        "noNewPrivileges": False,
        },
    "root": {"path": root, "readonly": readonly},
    "mounts": default_mounts() + list(mounts),
    "linux": {
        "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
        },
    }


def bind(source, destination, *options):
    return {"destination": destination, "type": "bind", "source": source,
        "options": ["rbind", *options]}


def write_bundle(directory, config):
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "config.json"), "w", encoding="utf-8") as file:
        if isinstance(config, str):
            file.write(config)
        else:
            json.dump(config, file)
    return directory
