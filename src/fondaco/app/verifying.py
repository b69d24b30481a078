"""The journal verified on demand, in a process of its own: what `fondaco verify` says, kept.

A child reads every byte, so the process that decides does none of that work; its last result lies
in the data directory and outlives us.
"""

import asyncio
import os
import re
import sys
import time
from contextlib import suppress
from typing import Any, Final

import msgspec

from fondaco.app.files import Files
from fondaco.app.say import say
from fondaco.kernel.event import Instant
from fondaco.settings import PREFIX

AGAIN_S: Final = 5.0  # who asks again sooner is told the same
LINES_KEPT: Final = 5
END_S: Final = 5.0
_NICE: Final = (
    "import os, sys; os.nice(10); from fondaco.cli import main; sys.exit(main(sys.argv[1:]))"
)
_PROGRESS: Final = re.compile(r"^([\d,]+) of ([\d,]+) entries")


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was found: `wrong` is empty where everything is what was written. `first` names the
    first entry that is not, where one is to blame."""

    at: Instant  # when it ended
    took_ms: int
    entries: int
    root: str  # of all of them, "hash@size"
    roots: int  # published ones that fit
    wrong: list[str]
    first: Any = None


class _Told(msgspec.Struct, frozen=True):
    """What `fondaco verify` prints."""

    journal_entries: int
    root: str
    roots: int
    wrong: list[str]
    first: Any = None


class Verifying:
    """Belongs to the loop's thread."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._ended_s = -AGAIN_S
        self.started_at = Instant(0)  # of the one that runs
        self.entries = self.total = 0  # read so far by it
        self.trouble = ""  # why the last one came to no end
        self.last = self._kept()

    @property
    def is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    def start(self, now: Instant, head: int) -> bool:
        """Whether a new one was begun; one at a time, and not again at once."""
        if self.is_running or time.monotonic() - self._ended_s < AGAIN_S:
            return False
        self.started_at, self.entries, self.total, self.trouble = now, 0, head, ""
        self._task = asyncio.create_task(self._run(), name="verification")
        return True

    async def close(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=END_S)

    async def _run(self) -> None:
        began = time.monotonic()
        try:
            process = self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _NICE, "verify", "--data", str(self._files.root),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                # Not as an option: an address may hold a password, and everybody can list commands.
                env={**os.environ, f"{PREFIX}JOURNAL": self._files.journal_at},
            )  # fmt: skip
            assert process.stdout  # noqa: S101  # it is a pipe
            told, said = await asyncio.gather(process.stdout.read(), self._overhear(process))
            await process.wait()
        except OSError as error:
            self.trouble = f"it could not be begun: {error.strerror or error}"
            return
        finally:
            self._ended_s = time.monotonic()
        try:
            found = msgspec.json.decode(told, type=_Told)
        except msgspec.MsgspecError:
            self.trouble = said or f"it ended with {process.returncode} and said nothing"
            say(f"no verification: {self.trouble}")
            return
        self.last = Verified(
            at=Instant(time.time_ns()),
            took_ms=round((time.monotonic() - began) * 1_000),
            entries=found.journal_entries,
            root=found.root,
            roots=found.roots,
            wrong=found.wrong,
            first=found.first,
        )
        if found.wrong:
            say(f"VERIFICATION FAILED: {found.wrong[0]}")
        await asyncio.to_thread(self._keep, self.last)

    async def _overhear(self, process: asyncio.subprocess.Process) -> str:
        """How far it is; what else it says, the end of it."""
        assert process.stderr  # noqa: S101  # it is a pipe
        others: list[str] = []
        async for raw in process.stderr:
            line = raw.decode(errors="replace").strip()
            found = _PROGRESS.match(line)
            if found:
                self.entries, self.total = (int(each.replace(",", "")) for each in found.groups())
            elif line:
                others = [*others, line][-LINES_KEPT:]
        return "; ".join(others)

    def _kept(self) -> Verified | None:
        try:
            return msgspec.json.decode(self._files.verified.read_bytes(), type=Verified)
        except (OSError, msgspec.MsgspecError):
            return None

    def _keep(self, found: Verified) -> None:
        partial = self._files.verified.with_suffix(".part")
        with suppress(OSError):  # a full disk: it is known until we stop
            partial.write_bytes(msgspec.json.encode(found))
            partial.replace(self._files.verified)
