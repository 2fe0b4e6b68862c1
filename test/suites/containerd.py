"""The runtime under containerd's runc shim, as its binary."""

import itertools
import os

from harness import expect, host
from harness.containerd import Containerd
from harness.engine import EngineSession
from harness.terminal import on_own_terminal


class Session(EngineSession):
    list_command = ("containers", "ls", "-q")
    numbers = itertools.count(1)

    def make_engine(self):
        return Containerd()

    def new_id(self):
        return f"c{next(self.numbers)}"

    def command(self, *arguments, container=None):
        """ctr run with arguments: flags, and after "--" the command."""
        flags, command = self.split(arguments)
        return ["run", "--runc-binary", self.env.runtime.path, "--cgroup", "/" + self.engine.cgroup,
                *flags, "--rootfs", self.env.shared_root("busybox"),
                container or self.new_id(), *command]

    def started(self, *command):
        container = self.new_id()
        expect.success(self.engine(*self.command("-d", "--", *command, container=container)))
        return container

    def remove(self, container):
        self.engine("tasks", "kill", "--signal", "KILL", container)
        expect.true(host.wait_until(
            lambda: self.engine("tasks", "delete", container).code == 0), "task stays")
        expect.success(self.engine("containers", "delete", container))

    def status(self, container):
        rows = self.engine("tasks", "ls").out.decode().splitlines()
        return next((row.split()[2] for row in rows if row.split()[0] == container), None)


def cases(env):
    return Session(env).cases(TESTS)


def output_and_exit_code(s):
    done = s.run("--", "sh", "-c", "echo out; echo err >&2; exit 42")
    expect.equal((done.out, done.err, done.code), (b"out\n", b"err\n", 42), "ctr run")


def program_that_is_missing(s):
    done = s.run("--", "/no/such/program")
    expect.true(done.code != 0, "it was accepted")
    expect.contains(done.err.decode(), "no such file or directory", "message")


def environment_and_directory(s):
    done = s.run("--env", "NAME=a b", "--cwd", "/data", "--", "sh", "-c", "echo $NAME; pwd")
    expect.output(done, "a b\n/data\n")


def bind_mount(s):
    directory = s.env.directory(0o777)
    done = s.run("--mount", f"type=bind,src={directory},dst=/vol,options=rbind:rw", "--", "sh", "-c",
                 "echo made > /vol/out")
    expect.success(done)
    expect.equal(os.listdir(directory), ["out"], "entries on the host")


def tasks_run_and_end(s):
    container = s.started("sleep", "1000")
    expect.equal(s.status(container), "RUNNING", "status")
    expect.success(s.engine("tasks", "kill", "--signal", "KILL", container))
    expect.true(host.wait_until(lambda: s.status(container) == "STOPPED"), "it still runs")
    s.remove(container)


def exec_in_a_task(s):
    container = s.started("sleep", "1000")
    done = s.engine("tasks", "exec", "--exec-id", "e1", "--cwd", "/data", container, "sh", "-c",
                        "pwd; echo err >&2; exit 9")
    expect.equal((done.out, done.err, done.code), (b"/data\n", b"err\n", 9), "tasks exec")
    s.remove(container)


def pause_and_resume(s):
    container = s.started("sleep", "1000")
    expect.success(s.engine("tasks", "pause", container))
    expect.equal(s.status(container), "PAUSED", "status")
    expect.success(s.engine("tasks", "resume", container))
    expect.equal(s.status(container), "RUNNING", "status")
    s.remove(container)


def processes_of_a_task(s):
    container = s.started("sh", "-c", "sleep 1000 & wait")
    expect.true(host.wait_until(
        lambda: len(s.engine("tasks", "ps", container).out.splitlines()) == 3), "tasks ps")
    s.remove(container)


def terminal_of_the_caller(s):
    command = s.engine.command(*s.command("--rm", "-t", "--", "sh"))
    with on_own_terminal(command, rows=30, columns=90) as (screen, process, _):
        screen.wait_for("# ")
        screen.type("tty; while [ \"$(stty size)\" != '30 90' ]; do sleep 0.1; done; echo $((1+1))\n")
        screen.wait_for("/dev/pts/0")
        screen.wait_for("2")
        screen.type("exit 9\n")
        host.wait_until(lambda: process.poll() is not None, 30)
        expect.equal(process.poll(), 9, "exit code")


TESTS = [
    output_and_exit_code, program_that_is_missing, environment_and_directory, bind_mount,
    tasks_run_and_end, exec_in_a_task, pause_and_resume, processes_of_a_task,
    terminal_of_the_caller,
]
