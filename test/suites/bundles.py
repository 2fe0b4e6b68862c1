"""Wrong bundles: one line that names the fault, a failing exit code, nothing left behind."""

import json
import os

from harness import bundle as bundles
from harness import expect

ABSENT = object()


def set_field(config, path, value):
    """set_field(c, "process.args", []) and so on; ABSENT removes the field."""
    *parents, last = path.split(".")
    target = config
    for name in parents:
        target = target[int(name)] if name.isdigit() else target.setdefault(name, {})
    if value is ABSENT:
        del target[last]
    elif last.isdigit():
        target[int(last)] = value
    else:
        target[last] = value


# name: (field, wrong value, what the error must contain)
FIELDS = {
    "no_version": ("ociVersion", ABSENT, "ociVersion"),
    "version_is_number": ("ociVersion", 1, "ociVersion"),
    "version_unparsable": ("ociVersion", "banana", "ociVersion"),
    "no_process": ("process", ABSENT, "process"),
    "process_is_list": ("process", [], "process"),
    "no_args": ("process.args", ABSENT, "args"),
    "empty_args": ("process.args", [], "args"),
    "args_is_string": ("process.args", "/bin/sh", "args"),
    "args_has_number": ("process.args", ["/bin/sh", 5], "args"),
    "args_has_null": ("process.args", [None], "args"),
    "env_is_object": ("process.env", {"A": "b"}, "env"),
    "env_has_number": ("process.env", [1], "env"),
    "no_cwd": ("process.cwd", ABSENT, "cwd"),
    "cwd_relative": ("process.cwd", "not/absolute", "cwd"),
    "cwd_is_number": ("process.cwd", 7, "cwd"),
    "terminal_is_string": ("process.terminal", "yes", "terminal"),
    "uid_is_string": ("process.user.uid", "root", "uid"),
    "uid_negative": ("process.user.uid", -1, "uid"),
    "uid_too_large": ("process.user.uid", 1 << 40, "uid"),
    "gid_is_float": ("process.user.gid", 1.5, "gid"),
    "additional_gids_is_number": ("process.user.additionalGids", 5, "additionalGids"),
    "capability_unknown": ("process.capabilities.bounding", ["CAP_FLY"], "CAP_FLY"),
    "capability_is_number": ("process.capabilities.effective", [3], "effective"),
    "capabilities_is_list": ("process.capabilities", ["CAP_KILL"], "capabilities"),
    "rlimit_unknown": ("process.rlimits.0.type", "RLIMIT_HAPPINESS", "RLIMIT_HAPPINESS"),
    "rlimit_soft_above_hard": ("process.rlimits.0.soft", 5000, "rlimits"),
    "rlimit_is_string": ("process.rlimits.0.hard", "many", "hard"),
    "no_root": ("root", ABSENT, "root"),
    "root_is_string": ("root", "/", "root"),
    "root_path_missing_field": ("root.path", ABSENT, "root.path"),
    "root_path_empty": ("root.path", "", "root.path"),
    "root_path_absent_on_disk": ("root.path", "/no/such/root", "/no/such/root"),
    "root_path_is_file": ("root.path", "/etc/passwd", "/etc/passwd"),
    "root_readonly_is_string": ("root.readonly", "true", "readonly"),
    "hostname_is_number": ("hostname", 5, "hostname"),
    "mounts_is_object": ("mounts", {}, "mounts"),
    "mount_is_string": ("mounts.0", "/proc", "mounts"),
    "mount_without_destination": ("mounts.0.destination", ABSENT, "destination"),
    "mount_destination_relative": ("mounts.0.destination", "proc", "destination"),
    "mount_options_is_string": ("mounts.1.options", "ro", "options"),
    "mount_type_unknown": ("mounts.0.type", "cheesefs", "cheesefs"),
    "namespaces_is_object": ("linux.namespaces", {}, "namespaces"),
    "namespace_type_unknown": ("linux.namespaces.0.type", "quantum", "quantum"),
    "namespace_path_missing": ("linux.namespaces.1.path", "/no/such/netns", "/no/such/netns"),
    "linux_is_list": ("linux", [], "linux"),
    "hooks_is_list": ("hooks", [], "hooks"),
    "hook_path_relative": ("hooks.prestart", [{"path": "hook"}], "hook"),
    "hook_path_missing": ("hooks.prestart", [{"path": "/no/such/hook"}], "/no/such/hook"),
    "hook_timeout_negative": ("hooks.prestart", [{"path": "/bin/true", "timeout": -5}], "timeout"),
    "annotations_is_list": ("annotations", [], "annotations"),
    "annotation_is_number": ("annotations", {"a": 1}, "annotations"),
    "selinux_label": ("process.selinuxLabel", "system_u:system_r:t", "elinux"),
    "solaris": ("solaris", {"milestone": "x"}, "olaris"),
    "windows": ("windows", {"layerFolders": ["x"]}, "indows"),
    "cri_container_type_unknown": (
        "annotations", {"io.kubernetes.cri.container-type": "pod"}, "container-type"),
    "cri_container_without_sandbox_id": (
        "annotations", {"io.kubernetes.cri.container-type": "container"}, "sandbox-id"),
}

# name: (a further mount, what the error must contain)
MOUNTS = {
    "bind_source_missing": (bundles.bind("/no/such/source", "/mnt"), "/no/such/source"),
    "bind_source_empty": (bundles.bind("", "/mnt"), "source"),
    "bind_onto_root": (bundles.bind("/tmp", "/"), "/"),
}

# name: (text of config.json, what the error must contain)
TEXTS = {
    "empty_file": ("", "config.json"),
    "not_json": ("this is not json", "config.json"),
    "cut_json": ('{"ociVersion": "1.0.2", "process": {', "config.json"),
    "json_list": ("[]", "config.json"),
    "json_number": ("17", "config.json"),
    "deeply_nested": ("[" * 100000, "config.json"),
    "binary": ("\x00\x01\x02\x7f", "config.json"),
    "trailing_garbage": ('{"ociVersion": "1.0.2"} x', "config.json"),
}



def check_fails(env, bundle, part):
    log = os.path.join(env.directory(), "log")
    runtime = env.runtime.with_flags("--log", log, "--log-format", "json")
    container = env.runtime.new_id()
    done = runtime.run(bundle, container, seconds=20)
    expect.true(not done.timed_out, f"no answer: {done}")
    if done.code == 0 and not env.runtime.is_ours:
        raise expect.Skip("this runtime accepts it")
    expect.true(done.code != 0, f"the bundle was accepted: {done}")
    expect.equal(env.runtime.state(container), None, "state afterwards")
    if not env.runtime.is_ours:
        return
    expect.true(done.code in (1, 126, 127, 128), f"exit code {done.code}")
    lines = [line for line in done.err.decode("utf-8", "replace").splitlines() if line]
    expect.equal(len(lines), 1, f"lines of the message {lines}")
    expect.contains(lines[0], part, "message")
    with open(log, encoding="utf-8") as file:
        logged = [json.loads(line) for line in file]
    expect.true(any(part in entry["msg"] for entry in logged if entry["level"] == "error"),
                f"{part!r} in the log's error: {logged}")


def cases(env):
    root = env.shared_root("busybox")

    def with_config(edit):
        config = bundles.make_config(root, ["/bin/true"])
        edit(config)
        return bundles.write_bundle(env.directory(), config)

    for name, (field, value, part) in FIELDS.items():
        bundle = with_config(lambda c, field=field, value=value: set_field(c, field, value))
        yield name, lambda b=bundle, p=part: check_fails(env, b, p)
    for name, (mount, part) in MOUNTS.items():
        bundle = with_config(lambda c, mount=mount: c["mounts"].append(mount))
        yield name, lambda b=bundle, p=part: check_fails(env, b, p)
    for name, (text, part) in TEXTS.items():
        bundle = bundles.write_bundle(env.directory(), text)
        yield name, lambda b=bundle, p=part: check_fails(env, b, p)
    yield "no_config_json", lambda: check_fails(env, env.directory(), "config.json")
    yield "no_bundle", lambda: check_fails(env, "/no/such/bundle", "/no/such/bundle")
    yield "bundle_is_file", lambda: check_fails(env, "/etc/passwd", "/etc/passwd")
    yield "config_is_directory", lambda: check_fails(env, config_is_directory(env), "config.json")


def config_is_directory(env):
    bundle = env.directory()
    os.mkdir(os.path.join(bundle, "config.json"))
    return bundle


def run_with_symlink(env, link, target, mount):
    """Runs with a mount whose destination leads through a symlink in the root."""
    root = env.fresh_root("busybox")
    os.symlink(target, os.path.join(root, link))
    return root, env.runtime.run(env.bundle(
        root, ["/bin/sh", "-c", "cat /*/marker /*/*/*/marker 2>/dev/null; true"], mounts=[mount]))


def test_symlink_destination_stays_inside_the_root(env):
    """A destination behind a symlink to a host path is resolved within the root."""
    source, outside = env.directory(), env.directory(0o777)
    with open(os.path.join(source, "marker"), "w", encoding="utf-8") as file:
        file.write("mounted\n")
    for number, target in enumerate((outside, "../../../../../.." + outside)):
        _, done = run_with_symlink(env, f"escape{number}", target,
                                   bundles.bind(source, f"/escape{number}/sub"))
        expect.success(done)
        expect.equal(os.listdir(outside), [], "entries made outside the root")


def test_destination_with_dots_stays_inside_the_root(env):
    source = env.directory()
    with open(os.path.join(source, "marker"), "w", encoding="utf-8") as file:
        file.write("mounted\n")
    done = env.run("busybox", ["/bin/cat", "/mnt/marker"],
                   mounts=[bundles.bind(source, "/../../../mnt")])
    expect.output(done, "mounted\n")


def test_symlink_loop_as_destination(env):
    root = env.fresh_root("busybox")
    os.symlink("loop", os.path.join(root, "loop"))
    bundle = env.bundle(root, ["/bin/true"], mounts=[bundles.bind("/tmp", "/loop/x")])
    check_fails(env, bundle, "/loop/x")


def test_apparmor_profile_is_ignored(env):
    def add(config):
        config["process"]["apparmorProfile"] = "no-such-profile"
    if not env.runtime.is_ours:
        raise expect.Skip("runc applies it")
    expect.output(env.run("busybox", ["/bin/echo", "runs"], change=add), "runs\n")


def test_unknown_fields_are_ignored(env):
    def add(config):
        config["futureField"] = {"x": [1, 2]}
        config["process"]["futureField"] = 1
    expect.output(env.run("busybox", ["/bin/echo", "runs"], change=add), "runs\n")


def test_docker_sample_fields_are_accepted(env):
    """The fields that Docker writes, with an OCI seccomp profile among them."""
    def add(config):
        config["linux"].update({
            "resources": {"devices": [{"allow": False, "access": "rwm"}], "pids": {"limit": 0},
                          "memory": {}, "cpu": {"shares": 0},
                          "blockIO": {"weight": 0}},
            "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
                        "syscalls": []},
            "maskedPaths": ["/proc/kcore", "/proc/keys"],
            "readonlyPaths": ["/proc/sys", "/proc/bus"],
        })
        config["process"]["oomScoreAdj"] = 0
    expect.output(env.run("busybox", ["/bin/echo", "runs"], change=add), "runs\n")
