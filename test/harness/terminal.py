"""Drives programs on a pseudo terminal, as a person would."""

import array
import contextlib
import fcntl
import os
import re
import select
import socket
import struct
import subprocess
import termios
import time

PROMPT = "ready> "


class Screen:
    """The master end of a terminal: what is typed, and what has been shown."""

    def __init__(self, fd):
        self.fd = fd
        self.shown = ""  # since the last match
        self.everything = ""
        self.ended = False

    def type(self, text):
        os.write(self.fd, text.encode())

    def _read(self, seconds):
        if self.ended or not select.select([self.fd], [], [], max(seconds, 0))[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        if not data:
            self.ended = True
            return False
        text = data.decode("utf-8", "replace")
        self.shown += text
        self.everything += text
        return True

    def wait_for(self, pattern, seconds=20):
        """Until the regular expression is shown; what was shown up to its end."""
        deadline = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.shown)
            if found:
                before, self.shown = self.shown[:found.end()], self.shown[found.end():]
                return before
            if not self._read(deadline - time.monotonic()) and (
                    self.ended or time.monotonic() >= deadline):
                raise AssertionError(f"{pattern!r} was not shown: {self.everything[-1500:]!r}"
                                     + (" (terminal closed)" if self.ended else ""))

    def wait_for_end(self, seconds=20):
        """Until the other end is closed; all that was shown since the last match."""
        deadline = time.monotonic() + seconds
        while not self.ended:
            if not self._read(deadline - time.monotonic()) and not self.ended:
                raise AssertionError(f"the terminal is still open: {self.everything[-1500:]!r}")
        return self.shown

    def run(self, command, seconds=20):
        """Types a command at the prompt; its output."""
        self.type(command + "\n")
        text = self.wait_for(re.escape(PROMPT), seconds)
        return text[:-len(PROMPT)].replace(command + "\r\n", "", 1).replace("\r\n", "\n")

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def receive_terminal(listener, seconds=20):
    """The descriptor that a runtime sends to a console socket, and its name."""
    listener.settimeout(seconds)
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(seconds)
        size = array.array("i").itemsize
        data, control, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(size))
    fds = [struct.unpack("i", payload[:size])[0] for level, kind, payload in control
           if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS]
    if len(fds) != 1:
        raise AssertionError(f"the console socket got {len(fds)} descriptors")
    return fds[0], data.decode()


@contextlib.contextmanager
def console_listener(directory):
    path = os.path.join(directory, "console.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen(4)
        try:
            yield listener, path
        finally:
            os.unlink(path)


@contextlib.contextmanager
def on_console_socket(runtime, bundle):
    """A detached container whose terminal goes to us: (screen, container id)."""
    container = runtime.new_id()
    with console_listener(bundle) as (listener, path):
        with open(os.path.join(bundle, "output"), "wb") as output:
            done = runtime.call("run", "--detach", "--console-socket", path, "--bundle", bundle,
                                container, stdout=output, stderr=output)
        fd = -1
        try:
            if done.code != 0:
                with open(os.path.join(bundle, "output"), encoding="utf-8") as output:
                    raise AssertionError(f"run --detach: {output.read()}")
            fd, name = receive_terminal(listener)
            if name != "/dev/ptmx":
                raise AssertionError(f"the console socket got the name {name!r}")
            yield Screen(fd), container
        finally:
            if fd >= 0:
                with contextlib.suppress(OSError):
                    os.close(fd)
            runtime.call("delete", "--force", container)


def _take_terminal():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@contextlib.contextmanager
def on_own_terminal(command, rows=24, columns=80):
    """A command in the foreground of a terminal of ours: (screen, process, slave)."""
    master, slave = os.openpty()
    screen = Screen(master)
    screen.resize(rows, columns)
    # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave,
                               preexec_fn=_take_terminal)
    try:
        yield screen, process, slave
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for fd in (master, slave):
            with contextlib.suppress(OSError):
                os.close(fd)
