"""FIX messages in log files: any prefix, any delimiter, messages broken over lines.

The delimiter is whatever stands between BeginString and "9=": SOH, |, ^A, ;, the four characters
\\x01, <SOH> or another. It is put back as SOH, so that BodyLength and CheckSum can be judged.
"""

import re
from datetime import UTC, datetime
from typing import Final

from fondaco.domain.fix.capture.flows import Endpoint, Flow
from fondaco.domain.fix.capture.sighting import Sighting
from fondaco.domain.fix.capture.wire import Half

_LINES_MAX: Final = 64  # over which one message may be broken
_LINE_MAX: Final = 1 << 20
_BEGIN: Final = re.compile(rb"(?<![0-9])8=FIX")
_HEAD: Final = re.compile(rb"8=(FIXT?\.\d\.\d(?:SP\d)?)(.{1,8}?)9=", re.DOTALL)
_END: Final[dict[bytes, re.Pattern[bytes]]] = {}
_SOH: Final = b"\x01"
_NS: Final = 1_000_000_000
_CLOCK: Final = rb"[-T _]+(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
_STAMPS: Final = (
    # 20060410-06:19:00.123456 and 2018/02/23 19:14:25.174454 and 2018-02-23T19:14:25,174
    (
        re.compile(rb"(\d{4})[-/]?(\d\d)[-/]?(\d\d)[-T _]+(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"),
        "ymd",
    ),
    # 04/10/2006  15:20:27
    (re.compile(rb"(\d\d)/(\d\d)/(\d{4})" + _CLOCK), "mdy"),
)


class LogLines:
    """A log, chunk by chunk: `feed` gives the messages that became complete, `finish` the rest.

    A log has no connections: there is one flow for each pair of CompIDs, whose client is the end
    that spoke first. A message's time is that of its line's prefix, as far as that can be read,
    and SendingTime otherwise; `offset` is the place of its first byte in the file.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.flows: list[Flow] = []
        self.format = "log"
        self.octets = 0
        self.packets = 0  # lines
        self.first_at = self.last_at = 0
        self.snapped = 0
        self.passed_over: dict[str, int] = {}
        self._halves: dict[tuple[bytes, bytes], Half] = {}
        self._rest = b""
        self._at = 0
        self._broken: list[bytes] = []
        self._broken_at = 0
        self._prefix = b""

    def feed(self, chunk: bytes) -> list[Sighting]:
        """The messages that end in this chunk."""
        out: list[Sighting] = []
        data = self._rest + chunk
        self.octets += len(chunk)
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._line(data[start:end], self._at + start, out)
            start = end + 1
        self._rest = data[start:]
        self._at += start
        if len(self._rest) > _LINE_MAX:
            self._line(self._rest, self._at, out)
            self._at += len(self._rest)
            self._rest = b""
        return out

    def finish(self) -> list[Sighting]:
        """What the last line has, and a message that never ended."""
        out: list[Sighting] = []
        if self._rest:
            self._line(self._rest, self._at, out)
        self._close(out)
        return out

    def _line(self, line: bytes, offset: int, out: list[Sighting]) -> None:
        self.packets += 1
        line = line.rstrip(b"\r")
        begins = [found.start() for found in _BEGIN.finditer(line)]
        if self._broken:
            head = line[: begins[0]] if begins else line
            self._broken.append(head)
            joined = b"".join(self._broken)
            if (found := _message(joined)) is not None:
                self._told(found[0], self._broken_at, out)
                self._broken = []
            elif begins or len(self._broken) > _LINES_MAX:
                if begins:
                    self._broken.pop()
                self._close(out)
        for place, begin in enumerate(begins):
            piece = line[begin : begins[place + 1] if place + 1 < len(begins) else len(line)]
            self._prefix = line[max(0, begin - 80) : begin] if place == 0 else b""
            found = _message(piece)
            if found is not None:
                self._told(found[0], offset + begin, out)
            elif place + 1 < len(begins):
                self._broken, self._broken_at = [piece], offset + begin
                self._close(out)
            else:
                self._broken, self._broken_at = [piece], offset + begin

    def _close(self, out: list[Sighting]) -> None:
        """A message whose end never came."""
        if self._broken:
            joined = b"".join(self._broken)
            self._broken = []
            if (head := _HEAD.match(joined)) is not None:
                self._told(joined.replace(head.group(2), _SOH), self._broken_at, out)

    def _told(self, raw: bytes, offset: int, out: list[Sighting]) -> None:
        fields = dict(
            field.partition(b"=")[::2] for field in raw[:512].split(_SOH) if field[:3] in _WANTED
        )
        at = _stamp(self._prefix) or _stamp(fields.get(b"52", b""))
        half = self._half(fields.get(b"49", b""), fields.get(b"56", b""), at, offset)
        self.first_at = min(self.first_at or at, at)
        self.last_at = max(self.last_at, at)
        half.line(raw, at, offset, out)

    def _half(self, sender: bytes, target: bytes, at: int, offset: int) -> Half:
        known = self._halves.get((sender, target))
        if known is None:
            name = self.name.encode("utf-8", "replace") + b"#"
            client, server = Endpoint(name + sender, 0), Endpoint(name + target, 0)
            flow = Flow(len(self.flows) + 1, client, server, at)
            flow.is_log = True
            flow.first_offset = offset
            flow.halves = (Half(flow, 0), Half(flow, 1))
            self.flows.append(flow)
            self._halves[sender, target] = known = flow.halves[0]
            self._halves.setdefault((target, sender), flow.halves[1])
        return known


_WANTED: Final = (b"49=", b"52=", b"56=")


def _message(text: bytes) -> tuple[bytes, int] | None:
    """A message at the beginning of a text, with SOH as its delimiter, and where it ends."""
    head = _HEAD.match(text)
    if head is None:
        return None
    delimiter = head.group(2)
    end = _END.get(delimiter)
    if end is None:
        pattern = re.escape(delimiter) + rb"10=(\d{1,3})(?:" + re.escape(delimiter) + rb"|(?!\d)|$)"
        end = _END[delimiter] = re.compile(pattern)
    found = end.search(text)
    if found is None or (found.end() == len(text) and len(found.group(1)) < 3):
        return None
    raw = text[: found.end()].replace(delimiter, _SOH)
    return (raw if raw.endswith(_SOH) else raw + _SOH), found.end()


def _stamp(text: bytes) -> int:
    """The last time that a text tells, as nanoseconds since 1970; 0 where there is none."""
    for pattern, order in _STAMPS:
        found = list(pattern.finditer(text))
        if found:
            first, second, third, hour, minute, clock, fraction = found[-1].groups()
            date = (first, second, third) if order == "ymd" else (third, first, second)
            try:
                moment = datetime(
                    int(date[0]),
                    int(date[1]),
                    int(date[2]),
                    int(hour),
                    int(minute),
                    int(clock),
                    tzinfo=UTC,
                )
            except ValueError:  # 31 February, say
                return 0
            return int(moment.timestamp()) * _NS + int((fraction or b"0").ljust(9, b"0"))
    return 0
