"""What was decided, kept in files of lines in the format of OPA's decision log, the oldest of which
go first. It has no names of people: users and keys are called what they chose to be called.

It is no evidence: every denial and every privileged act is in the journal. It is what questions
about other rules are answered from.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import msgspec

from fondaco import __version__
from fondaco.domain.identity.policy.model import ENTRYPOINT, MINUTE_NS, Decision
from fondaco.kernel.errors import Corrupt
from fondaco.kernel.event import Instant
from fondaco.kernel.instants import rfc_3339
from fondaco.ports.at_rest import AtRest, is_sealed_line, opened_line, sealed_line

SEGMENT_BYTES: Final = 4 << 20
WAITING_MAX: Final = 20_000  # lines of one second; what is beyond is counted
ALIKE_MAX: Final = 20  # denials of one caller, operation and code in a minute, each of them kept
ALIKE_EVERY: Final = 100  # and then one of so many
_ABOUT: Final = b"decision"
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode


class DecisionLog:
    """`note` and `take` belong to the loop's thread; `write` and `read` may be called on others,
    one at a time each."""

    def __init__(
        self,
        folder: Path,
        quota_bytes: int,
        now: Callable[[], Instant],
        at_rest: AtRest | None = None,
    ) -> None:
        self._at_rest = at_rest
        self._folder, self._quota, self._now = folder, quota_bytes, now
        self._waiting: list[bytes] = []
        self._alike: dict[tuple[str, str, str], int] = {}
        self._minute = 0
        self._prefix, self._count = token_hex(6), 0
        self.lost = 0
        self.is_failing = False  # the disk has not taken the last lines

    def note(self, given: dict[str, Any], decision: Decision, weight: int) -> None:
        at = self._now()
        if not decision.allow:
            weight = self._weight(given, decision, at)
        if not weight:
            return
        if len(self._waiting) >= WAITING_MAX:
            self.lost += 1
            return
        self._count += 1
        line = {
            "decision_id": f"{self._prefix}-{self._count:x}",
            "timestamp": rfc_3339(at),
            "path": ENTRYPOINT,
            "bundles": {"fondaco": {"revision": decision.revision}},
            "labels": {"id": "fondaco", "version": __version__, "weight": str(weight)},
            "input": given,
            "result": {
                "allow": decision.allow,
                "reasons": decision.reasons,
                "obligations": decision.obligations,
            },
        }
        self._waiting.append(_encode(line) + b"\n")

    def _weight(self, given: dict[str, Any], decision: Decision, at: Instant) -> int:
        minute = at // MINUTE_NS
        if minute != self._minute:
            self._minute, self._alike = minute, {}
        subject, action = given["subject"], given["action"]
        key = (subject["caller"], action["operation"], decision.reasons[0]["code"])
        count = self._alike[key] = self._alike.get(key, 0) + 1
        if count <= ALIKE_MAX:
            return 1
        return 0 if (count - ALIKE_MAX) % ALIKE_EVERY else ALIKE_EVERY

    def take(self) -> list[bytes]:
        """What waits to be written."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def write(self, waiting: list[bytes]) -> None:
        """The oldest goes where there would be too much. A disk that fails loses lines, and they
        are counted."""
        if not (waiting or self.is_failing) or not self._quota:  # one that fails is tried again
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            files = self._files()
            newest = files[-1] if files else self._folder / "0000000001.jsonl"
            if newest.exists() and newest.stat().st_size >= min(SEGMENT_BYTES, self._quota // 4):
                newest = self._folder / f"{int(newest.stem) + 1:010}.jsonl"
            with newest.open("ab") as file:
                if self._at_rest is not None:
                    waiting = [self._sealed(each) for each in waiting]
                file.write(b"".join(waiting))
            self._forget()
        except OSError:
            self.lost += len(waiting)
            self.is_failing = True
        else:
            self.is_failing = False

    def _sealed(self, line: bytes) -> bytes:
        return sealed_line(self._at_rest, line.removesuffix(b"\n"), _ABOUT) + b"\n"

    def _forget(self) -> None:
        files = self._files()
        size = sum(each.stat().st_size for each in files)
        for each in files[:-1]:
            if size <= self._quota:
                return
            size -= each.stat().st_size
            each.unlink()

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.jsonl"))

    def read(self, tenant: str, since: int = 0) -> Iterator[dict[str, Any]]:
        """Newest first; lines that were cut off by a crash are passed over."""
        first = rfc_3339(Instant(since)) if since else ""
        for path in reversed(self._files()):
            try:
                lines = path.read_bytes().splitlines()
            except FileNotFoundError:  # it was forgotten meanwhile
                continue
            for text in reversed(lines):
                try:
                    line = _decode(opened_line(self._at_rest, text, _ABOUT))
                except (msgspec.DecodeError, Corrupt):
                    continue
                if line["timestamp"] < first:
                    return
                if line["input"]["subject"].get("tenant") == tenant:
                    yield line


def sealed_lines(at_rest: AtRest, content: bytes) -> bytes:
    """A file of the log, encrypted line by line; lines that are already stay as they are."""
    lines = (line for line in content.splitlines() if line)
    return b"".join(
        (line if is_sealed_line(line) else sealed_line(at_rest, line, _ABOUT)) + b"\n"
        for line in lines
    )


def opened_lines(at_rest: AtRest | None, content: bytes) -> bytes:
    """The same in the clear; lines that were cut off are left out."""
    found = []
    for line in content.splitlines():
        with suppress(Corrupt):
            found.append(opened_line(at_rest, line, _ABOUT) + b"\n")
    return b"".join(found)
