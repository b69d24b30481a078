"""A process of our own beside the one that answers: started again when it dies, ended with us."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Final, TypeAlias

from fondaco.app.say import say
from fondaco.settings import PREFIX

END_S: Final = 10.0
AGAIN_S: Final = 0.1  # before a dead one is started again; each death doubles it
AGAIN_MAX_S: Final = 30.0
WELL_AFTER_S: Final = 3.0
POLL_S: Final = 0.01

CommandLine: TypeAlias = Callable[[Sequence[str]], int]  # `fondaco …`


def begin_child(niceness: int) -> Flag:
    """Called in the child. What it returns is set when standard input ends, which it does when the
    parent is gone."""
    os.nice(niceness)
    for each in (signal.SIGINT, signal.SIGTERM):  # which a terminal or an init sends to all of us
        signal.signal(each, signal.SIG_IGN)
    stop = Flag()
    Thread(target=_end_with_parent, args=(stop,), daemon=True).start()
    return stop


def _end_with_parent(stop: Flag) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop.set()


class Forked:
    """A process forked before there are threads, which waits until it is wanted.

    It has what its parent has imported: a house on a small machine need not wait while a second
    Python reads the same modules. It shows what is used of `subprocess.Popen`.
    """

    def __init__(
        self, command: CommandLine, options: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        """In the child this runs the command and raises `SystemExit` with its status."""
        wake, to_wake = os.pipe()
        self.returncode: int | None = None
        self.pid = os.fork()
        if not self.pid:
            os.close(to_wake)
            raise SystemExit(_as_told(wake, command, options, environment))
        os.close(wake)
        self.stdin = open(to_wake, "wb", buffering=0)  # noqa: SIM115  # closed by `end`

    def begin(self) -> None:
        with suppress(BrokenPipeError):  # it is gone: whoever looks after it finds that out
            self.stdin.write(b"\n")

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Raises `subprocess.TimeoutExpired`."""
        until = time.monotonic() + (float("inf") if timeout is None else timeout)
        while (status := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired("a child", timeout or 0.0)
            time.sleep(POLL_S)
        return status

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def _as_told(
    wake: int, command: CommandLine, options: Sequence[str], environment: Mapping[str, str]
) -> int:
    """The child's life. Its standard input is what its parent holds."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    os.dup2(wake, 0)
    os.close(wake)
    if not os.read(0, 1):
        return 0  # it was never wanted
    os.environ.update(environment)
    with suppress(OSError):  # what `ps` shows, where there is such a file
        Path("/proc/self/comm").write_text(f"fondaco-{options[0]}", "utf-8")
    return command(options)


class Child:
    """The child process, as its parent sees it."""

    def __init__(self, does: str, options: Sequence[str], settings: Mapping[str, str]) -> None:
        """`does` is for the log: "fills the views". `options` begin with the command."""
        self._does = does
        self._options = options
        # Not as an option: an address may hold a password, and everybody can list commands.
        self._environment = {PREFIX + name: value for name, value in settings.items()}
        self.deaths = 0
        self.failures = 0  # deaths one soon after the other
        self.trouble = ""  # why there is none just now, or was none a moment ago
        self._again_at = 0.0
        self._process: subprocess.Popen[bytes] | Forked | None = None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def fork(self, command: CommandLine) -> None:
        """Have it ready; to be called while there is one thread and nothing to be taken back."""
        if sys.platform == "linux":  # libraries of others do not bear it
            self._process = Forked(command, self._options, self._environment)

    def begin(self) -> None:
        if isinstance(self._process, Forked):
            self._began = time.monotonic()
            self._process.begin()
        else:
            self._start()

    def keep_alive(self) -> None:
        """Start it again if it has died: it goes on where the rows are. To be called often."""
        if self._process is None:
            return
        status, now = self._process.poll(), time.monotonic()
        if status is None:
            if self.trouble and now - self._began > WELL_AFTER_S:
                self.trouble, self.failures = "", 0
        elif not self._again_at:
            self.deaths += 1
            self.failures += 1
            self.trouble = f"the process that {self._does} has ended with {status}"
            self._again_at = now + min(AGAIN_S * 2.0 ** (self.failures - 1), AGAIN_MAX_S)
            say(f"{self.trouble}; it is started again")
        elif now >= self._again_at:
            with suppress(OSError):  # no room for another process just now
                self._start()
                self._again_at = 0.0

    def end(self, within_s: float = END_S) -> None:
        """Close its standard input, at which it ends, and wait."""
        if self._process is None:
            return
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        self._began = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603  # ourselves
            [sys.executable, "-m", "fondaco", *self._options],
            stdin=subprocess.PIPE,
            env={**os.environ, **self._environment},
        )
