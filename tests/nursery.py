"""Houses that need not import what others have imported before them.

Most of a house's start on a small machine is Python reading modules. A nursery is one process for
each process of tests that has read them; it forks, and its child goes on as `python -m fondaco`
would: a session of its own, its own files, directory and environment.
"""

import array
import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any, Final

_REQUEST_MAX: Final = 1 << 20
_POLL_S: Final = 0.01
_FDS: Final = array.array("i").itemsize * 4


class Born:
    """A process that a nursery made, as `subprocess.Popen` would show it."""

    def __init__(self, line: socket.socket, stdout: IO[bytes], stderr: IO[bytes] | None) -> None:
        self._line = line
        self.stdout, self.stderr = stdout, stderr
        self.returncode: int | None = None
        self.pid = int(line.recv(32))

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0.0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status; raises `subprocess.TimeoutExpired`."""
        if self.returncode is None:
            self._line.settimeout(timeout or (_POLL_S if timeout == 0.0 else None))
            try:
                self.returncode = int(self._line.recv(32))
            except TimeoutError:
                raise subprocess.TimeoutExpired("a house", timeout or 0.0) from None
            self._line.close()
        return self.returncode

    def terminate(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)


def born(arguments: Sequence[str], environment: Mapping[str, str], log: Path | None) -> Born:
    """`python -m fondaco …`; its stderr goes to the end of `log`, or to be read."""
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    out, to_out = os.pipe()
    err, to_err = (-1, os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)) if log else os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    wanted = [its.fileno(), nothing, to_out, to_err]
    asked = json.dumps([list(arguments), dict(environment), os.getcwd()]).encode()
    try:
        socket.send_fds(_nursery(), [asked], wanted)
    finally:
        its.close()
        for each in (nothing, to_out, to_err):
            os.close(each)
    return Born(mine, os.fdopen(out, "rb"), None if err < 0 else os.fdopen(err, "rb"))


@cache
def _nursery() -> socket.socket:
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _REQUEST_MAX)
    path = os.pathsep.join(entry for entry in sys.path if entry)
    subprocess.Popen(  # it ends when nobody can ask it any more
        [sys.executable, __file__, str(its.fileno())],
        pass_fds=[its.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )
    its.close()
    return mine


def _next_house(asking: socket.socket) -> list[str]:
    """Returns only in a child, as the house that was asked for; the nursery ends in here."""
    while True:
        text, files, _, _ = socket.recv_fds(asking, _REQUEST_MAX, 4)
        if not text:
            os._exit(0)
        keeper = os.fork()
        if not keeper:
            asking.close()
            return _kept(json.loads(text), files)
        for each in files:
            os.close(each)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                continue


def _kept(asked: Any, files: list[int]) -> list[str]:
    """The house in its own session; between it and the nursery stays one who says how it ended."""
    arguments, environment, folder = asked
    line = socket.socket(fileno=files[0])
    house = os.fork()
    if house:
        for each in files[1:]:
            os.close(each)
        line.send(str(house).encode())
        _, status = os.waitpid(house, 0)
        with contextlib.suppress(OSError):  # nobody asks any more
            line.send(str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)
    os.setsid()
    for number, each in enumerate(files[1:]):
        os.dup2(each, number)
        os.close(each)
    line.close()
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    return [str(each) for each in arguments]


if __name__ == "__main__":
    import fondaco.app.follower
    import fondaco.app.live
    import fondaco.cli

    gc.collect()
    gc.freeze()
    sys.argv = ["fondaco", *_next_house(socket.socket(fileno=int(sys.argv[1])))]
    sys.exit(fondaco.cli.main())
