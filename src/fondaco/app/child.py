"""A process of our own beside the one that answers: started again when it dies, ended with us."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import Event as Flag
from threading import Thread
from typing import Final

from fondaco.app.say import say
from fondaco.settings import PREFIX

END_S: Final = 10.0
AGAIN_S: Final = 0.1  # before a dead one is started again; each death doubles it
AGAIN_MAX_S: Final = 30.0
WELL_AFTER_S: Final = 3.0


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


class Child:
    """The child process, as its parent sees it."""

    def __init__(self, does: str, options: Sequence[str], settings: Mapping[str, str]) -> None:
        """`does` is for the log: "fills the views". `options` begin with the command."""
        self._does = does
        self._command = [sys.executable, "-m", "fondaco", *options]
        # Not as an option: an address may hold a password, and everybody can list commands.
        self._environment = {
            **os.environ, **{PREFIX + name: value for name, value in settings.items()}
        }  # fmt: skip
        self.deaths = 0
        self.failures = 0  # deaths one soon after the other
        self.trouble = ""  # why there is none just now, or was none a moment ago
        self._again_at = 0.0
        self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def keep_alive(self) -> None:
        """Start it again if it has died: it goes on where the rows are. To be called often."""
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
            self._command, stdin=subprocess.PIPE, env=self._environment
        )
