"""Settings of the specification: sysctls, tmpfs that copies up, hooks after the end, networks."""

import json
import os
import subprocess
import time

from harness import expect, host
from harness.environment import read


def sysctl(**settings):
    def change(config):
        config["linux"]["sysctl"] = {name.replace("__", "."): value
                                     for name, value in settings.items()}
    return change


def show(env, path, change):
    return env.run("busybox", ["/bin/cat", *(f"/proc/sys/{p}" for p in path.split())],
                   change=change)


def test_sysctls_of_the_containers_namespaces(env):
    done = show(env, "kernel/msgmax net/ipv4/ip_unprivileged_port_start fs/mqueue/queues_max",
                sysctl(kernel__msgmax="4000", net__ipv4__ip_unprivileged_port_start="0",
                       fs__mqueue__queues_max="100"))
    expect.output(done, "4000\n0\n100\n")


def test_sysctl_with_slashes(env):
    def change(config):
        config["linux"]["sysctl"] = {"net/ipv4/ip_forward": "1"}

    expect.output(show(env, "net/ipv4/ip_forward", change), "1\n")


def test_sysctls_of_ipc_have_their_effect(env):
    script = ("ipcmk -M 5000; ipcmk -M 4000 >/dev/null && echo made; ipcmk -Q >/dev/null && echo made; "
              "ipcmk -Q; cat /proc/sys/kernel/sem")
    change = sysctl(kernel__shmmax="4096", kernel__msgmni="1", kernel__sem="10 20 30 40")
    done = env.run("debian", ["/bin/sh", "-c", script + " 2>&1"], change=change)
    text = done.out.decode()
    expect.equal(text.count("made"), 2, text)
    expect.contains(text, "10\t20\t30\t40\n", "settings")
    expect.contains(done.err.decode(), "create share memory failed", "message")
    expect.contains(done.err.decode(), "create message queue failed", "message")


def test_sysctls_of_ipc_are_checked(env):
    for name, value in (("kernel.shmmni", "40000"), ("kernel.sem", "1 2 3 40000"),
                        ("fs.mqueue.msg_max", "0"), ("kernel.msgmax", "word")):
        def change(config, name=name, value=value):
            config["linux"]["sysctl"] = {name: value}

        done = env.run("busybox", ["/bin/true"], change=change)
        expect.true(done.code != 0, f"{name}={value} was accepted")
        if env.runtime.is_ours:
            expect.contains(done.err.decode(), "linux.sysctl", "message")


def test_queues_of_the_specification_s_mount(env):
    def change(config):
        config["mounts"].append({"destination": "/dev/mqueue", "type": "mqueue",
                                 "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]})

    script = "touch /dev/mqueue/queue; ls /dev/mqueue; cat /dev/mqueue/queue; rm /dev/mqueue/queue"
    expect.output(env.run("busybox", ["/bin/sh", "-c", script], change=change),
                  "queue\nQSIZE:0          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n")


def test_domain_name(env):
    done = show(env, "kernel/domainname", sysctl(kernel__domainname="the.domain"))
    expect.output(done, "the.domain\n")


def test_sysctls_of_the_whole_host_are_refused(env):
    for name in ("kernel.panic", "vm.swappiness", "fs.file-max", "kernel.hostname",
                 "kernel.core_pattern"):
        def change(config, name=name):
            config["linux"]["sysctl"] = {name: "1"}

        done = env.run("busybox", ["/bin/true"], change=change)
        expect.true(done.code != 0, f"{name} was accepted")
        if env.runtime.is_ours:
            expect.contains(done.err.decode(), "linux.sysctl", "message")


def test_unknown_and_strange_sysctls_are_refused(env):
    for name in ("net.no.such.setting", "net..", "net/../kernel/panic", "", ".", "kernel",
                 "fs.mqueue."):
        def change(config, name=name):
            config["linux"]["sysctl"] = {name: "1"}

        expect.true(env.run("busybox", ["/bin/true"], change=change).code != 0,
                    f"{name!r} was accepted")


def test_sysctl_needs_the_namespace(env):
    for kind, name in (("ipc", "kernel.msgmax"), ("network", "net.ipv4.ip_forward"),
                       ("uts", "kernel.domainname")):
        def change(config, kind=kind, name=name):
            config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"]
                                             if n["type"] != kind]
            config["linux"]["sysctl"] = {name: "1"}
            if kind == "uts":
                del config["hostname"]

        expect.true(env.run("busybox", ["/bin/true"], change=change).code != 0,
                    f"{name} was accepted without a {kind} namespace")


def time_offsets(**offsets):
    def change(config):
        config["linux"]["namespaces"].append({"type": "time"})
        config["linux"]["timeOffsets"] = offsets
    return change


def needs_time_namespaces(env):
    if not env.runtime.is_ours:
        raise expect.Skip("the reference runtime may be too old for time namespaces")


def check_clocks(text):
    """`text`: /proc/uptime, then /proc/self/timens_offsets."""
    uptime, monotonic, boottime = text.splitlines()
    expect.true(1000000 <= float(uptime.split()[0]) < 1000600, text)
    expect.equal((monotonic.split(), boottime.split()),
                 (["monotonic", "500000", "5"], ["boottime", "1000000", "0"]), text)


def test_offsets_of_a_time_namespace(env):
    needs_time_namespaces(env)
    show_clocks = ["/bin/cat", "/proc/uptime", "/proc/self/timens_offsets"]
    change = time_offsets(monotonic={"secs": 500000, "nanosecs": 5}, boottime={"secs": 1000000})
    check_clocks(env.run("busybox", show_clocks, change=change).out.decode())
    bundle = env.bundle(env.shared_root("busybox"), ["/bin/sleep", "1000"], change=change)
    with env.detached(bundle) as container:
        done = env.runtime.call("exec", container, *show_clocks)
        check_clocks(done.out.decode())


def test_offsets_that_no_clock_can_show_are_refused(env):
    needs_time_namespaces(env)
    for seconds in (-2**40, 2**40, -2**63):
        done = env.run("busybox", ["/bin/true"], change=time_offsets(boottime={"secs": seconds}))
        expect.true(done.code != 0, str(done))
        expect.contains(done.err.decode(), "linux.timeOffsets", "message")


def copying_tmpfs(*options):
    return [{"destination": "/covered", "type": "tmpfs", "source": "tmpfs",
             "options": ["tmpcopyup", *options]}]


def covered_root(env):
    root = env.fresh_root("busybox")
    top = os.path.join(root, "covered")
    os.makedirs(os.path.join(top, "deep", "er"))
    os.chmod(os.path.join(top, "deep"), 0o2751)
    os.chown(os.path.join(top, "deep"), 3, 4)
    with open(os.path.join(top, "deep", "file"), "wb") as file:
        file.write(b"x" * 200000)
    os.chmod(os.path.join(top, "deep", "file"), 0o640)
    os.symlink("deep/file", os.path.join(top, "link"))
    return root


def test_tmpfs_copies_up(env):
    root = covered_root(env)
    script = ("grep -c ' /covered tmpfs' /proc/mounts; stat -c '%a %u %g' /covered/deep; "
              "stat -c '%a %s' /covered/deep/file; readlink /covered/link; wc -c < /covered/link; "
              "ls -d /covered/deep/er; echo new > /covered/deep/new")
    bundle = env.bundle(root, ["/bin/sh", "-c", script], mounts=copying_tmpfs())
    done = env.runtime.run(bundle)
    expect.output(done, "1\n2751 3 4\n640 200000\ndeep/file\n200000\n/covered/deep/er\n")
    expect.true(not os.path.exists(os.path.join(root, "covered/deep/new")), "written through")


def test_read_only_tmpfs_copies_up(env):
    bundle = env.bundle(covered_root(env), ["/bin/sh", "-c", "ls /covered; touch /covered/x"],
                        mounts=copying_tmpfs("ro"))
    done = env.runtime.run(bundle)
    expect.equal(done.out, b"deep\nlink\n", "entries")
    expect.contains(done.err.decode(), "Read-only file system", "message")


def test_copy_that_does_not_fit_is_an_error(env):
    bundle = env.bundle(covered_root(env), ["/bin/true"], mounts=copying_tmpfs("size=64k"))
    done = env.runtime.run(bundle)
    expect.true(done.code != 0, "it was accepted")


def test_poststop_hook_runs_while_the_waiting_controller_is_without_privileges(env):
    if not env.runtime.is_ours:
        raise expect.Skip("about this project's binaries")
    directory = env.directory()
    script = os.path.join(directory, "hook")
    with open(script, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\ncat > {directory}/state\n"
                   f"grep CapEff /proc/self/status > {directory}/caps\n")
    os.chmod(script, 0o755)

    def hooks(config):
        config["hooks"] = {"poststop": [{"path": script}]}

    bundle = env.bundle(env.shared_root("busybox"), ["/bin/sleep", "1"], change=hooks)
    container = env.runtime.new_id()
    with env.runtime.popen("run", "--bundle", bundle, container,
                           stdin=subprocess.DEVNULL) as runner:
        time.sleep(0.5)
        expect.equal(host.status(runner.pid)["Seccomp"].strip(), "2", "seccomp while it waits")
        expect.equal(runner.wait(20), 0, "exit code")
    expect.equal(json.loads(read(os.path.join(directory, "state")))["status"], "stopped", "state")
    mine = host.status("self")["CapEff"].strip()
    expect.equal(read(os.path.join(directory, "caps")).split()[1], mine, "the hook's capabilities")


def test_network_host_takes_the_containers_namespace(env):
    """What there is of it: boot is in the namespace that the specification means."""
    if not env.runtime.is_ours:
        raise expect.Skip("about this project's flag")
    runtime = env.runtime.with_flags("--network=host")
    for own in (True, False):
        def change(config, own=own):
            if not own:
                config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"]
                                                 if n["type"] != "network"]

        bundle = env.bundle(env.shared_root("busybox"), ["/bin/sleep", "1000"], change=change)
        with env.detached(bundle, runtime) as container:
            boot = runtime.state(container)["pid"]
            same = os.readlink(f"/proc/{boot}/ns/net") == os.readlink("/proc/self/ns/net")
            expect.equal(same, not own, "boot is in the caller's network namespace")


def test_memory_limit_of_less_than_a_page(env):
    """What is computed from it must not fail; no other runtime gets as far."""
    if not env.runtime.is_ours:
        raise expect.Skip("the limit would be enforced")

    def tiny(config):
        config["linux"]["resources"] = {"memory": {"limit": 1}}

    done = env.run("busybox", ["/bin/sh", "-c", "cat /proc/self/oom_score > /data/score; free; "
                               "echo on"], change=tiny)
    expect.true(expect.success(done).out.decode().endswith("on\n"), f"output {done}")
