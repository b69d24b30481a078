"""The packets that prove an alert, cut out of its capture as they are: one small file an alert.

A slice holds the capture's own header and its records, byte for byte, so Wireshark shows what the
sensor saw. What comes from a log never was packets: its messages are sent over a TCP connection
made up for them, between addresses for documentation (RFC 5737).
"""

import gzip
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from struct import unpack_from
from typing import IO, Any, Final, NamedTuple

import msgspec

from fondaco.app.fix.reading import read
from fondaco.domain.fix.capture.flows import Endpoint
from fondaco.domain.fix.capture.packets import Packets, is_capture
from fondaco.domain.fix.capture.sighting import Sighting
from fondaco.domain.fix.capture.writing import Conversation, pcap
from fondaco.kernel.errors import Invalid

PACKETS_MAX: Final = 1_000  # of one alert
SLICES_MAX: Final = 500
_NS: Final = 1_000_000_000
_NG: Final = b"\x0a\x0d\x0d\x0a"
_TICKS: Final = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}
_MADE_UP: Final = (b"\xc0\x00\x02\x01", b"\xc0\x00\x02\x02")  # 192.0.2.1, 192.0.2.2


class Slice(msgspec.Struct, frozen=True):
    """One file of evidence; `is_made_up` where a log has messages, and nobody has its packets."""

    name: str
    alert: int
    pattern: str
    source: str
    packets: int
    octets: int
    sha256: str
    is_made_up: bool


class _Record(NamedTuple):
    """A record of a capture, with its headers: where it begins, when it was caught, its bytes."""

    offset: int
    at: int
    content: bytes


def write_evidence(
    alerts: Sequence[dict[str, Any]], paths: Sequence[Path], folder: Path
) -> list[Slice]:
    """A file for each alert and each capture that proves it, and `evidence.json` that lists them.
    Raises Invalid where the folder has something in it."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Invalid(f"{folder} has files in it: name a folder that is empty or new")
    found: list[Slice] = []
    for path in paths:
        mine = [alert for alert in alerts[:SLICES_MAX] if _is_of(alert, path)]
        with _opened(path) as file:
            captured = is_capture(file.read(4))
        cut = _from_capture if captured else _from_log
        for alert, content, packets in cut(path, mine):
            ending = "pcapng" if content[:4] == _NG else "pcap"
            name = f"{alert['number']:04}-{alert['pattern']}-{path.stem[:40]}.{ending}"
            (folder / name).write_bytes(content)
            digest = sha256(content).hexdigest()
            found.append(
                Slice(name, alert["number"], alert["pattern"], path.name, packets, len(content),
                      digest, not captured)
            )  # fmt: skip
    found.sort(key=lambda each: each.name)
    (folder / "evidence.json").write_bytes(msgspec.json.format(msgspec.json.encode(found)))
    return found


def _is_of(alert: dict[str, Any], path: Path) -> bool:
    files = {each["file"] for each in alert["evidence"]}
    return path.name in files or not files


def _from_capture(
    path: Path, alerts: list[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], bytes, int]]:
    """One pass over the file, in which each place that is wanted is looked for once it begins and
    until it is over."""
    heads: list[bytes] = []
    kept: dict[int, dict[int, bytes]] = {alert["number"]: {} for alert in alerts}
    waiting = sorted(
        (each for alert in alerts for each in _wanted(alert, path.name)),
        key=lambda each: each.offset,
        reverse=True,
    )
    looked_for: list[_Wanted] = []
    for record in _records(path, heads):
        while waiting and waiting[-1].offset <= record.offset:
            looked_for.append(waiting.pop())
        if not looked_for:
            continue
        looked_for = [each for each in looked_for if record.at <= each.last_at]
        near = [each for each in looked_for if each.first_at <= record.at]
        ends = _ends(heads, record) if near else set()
        for each in near:
            mine = kept[each.number]
            if each.is_of(ends) and len(mine) < PACKETS_MAX:
                mine[record.offset] = record.content
    for alert in alerts:
        records = kept[alert["number"]].values()
        if records:
            yield alert, b"".join([*heads, *records]), len(records)


class _Wanted(NamedTuple):
    """A place in a capture: packets from an offset and a time on until another time, of one of
    these connections' ends or hosts."""

    number: int
    offset: int
    first_at: int
    last_at: int
    ends: frozenset[str]

    def is_of(self, ends: set[str]) -> bool:
        if len(self.ends) > 1:
            return ends == self.ends
        return bool(self.ends & (ends | {end.rpartition(":")[0] for end in ends}))


def _wanted(alert: dict[str, Any], file: str) -> Iterator[_Wanted]:
    """Of a message, the packets from the one in which it begins to the one that ends it; of an
    alert that has none, those of its subject in its time."""
    number = alert["number"]
    for each in alert["evidence"]:
        if each["file"] == file:
            ends = frozenset(each["connection"].split(" → "))
            yield _Wanted(number, each["offset"], 0, each["at"], ends)
    if not alert["evidence"]:
        ends = frozenset(str(alert["subject"]).split(" → "))
        yield _Wanted(number, 0, alert["first_at"], alert["last_at"], ends)


def _ends(heads: list[bytes], record: _Record) -> set[str]:
    """The two ends of the connection that a packet belongs to, or nothing."""
    packets = Packets()
    packets.feed(b"".join(heads) + record.content)
    packets.finish()
    return {str(end) for flow in packets.flows for end in flow.ends}


def _opened(path: Path) -> IO[bytes] | gzip.GzipFile:
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if zipped else path.open("rb")


def _records(path: Path, heads: list[bytes]) -> Iterator[_Record]:
    """Packets of a capture; what stands before them and says how to read them goes to `heads`."""
    with _opened(path) as file:
        magic = file.read(4)
        if magic == _NG:
            yield from _blocks(file, heads)
            return
        head = magic + file.read(20)
        heads.append(head)
        big = int.from_bytes(magic, "big") in _TICKS
        order = ">" if big else "<"
        tick = _TICKS[int.from_bytes(magic, "big" if big else "little")]
        offset = len(head)
        while len(begin := file.read(16)) == 16:
            seconds, part, size = unpack_from(f"{order}III", begin)
            content = begin + file.read(size)
            yield _Record(offset, seconds * _NS + part * tick, content)
            offset += len(content)


def _blocks(file: IO[bytes] | gzip.GzipFile, heads: list[bytes]) -> Iterator[_Record]:
    """The blocks of a pcapng: sections and interfaces are heads, packets are timed by our own
    reader, which knows each interface's clock."""
    file.seek(0)
    offset, order = 0, "<"
    while len(begin := file.read(12)) == 12:
        if begin[:4] == _NG:
            order = ">" if begin[8:12] == b"\x1a\x2b\x3c\x4d" else "<"
            heads.clear()
        kind, size = unpack_from(f"{order}II", begin)
        content = begin + file.read(size - 12)
        if kind in (0x0A0D0D0A, 1):
            heads.append(content)
        elif kind in (2, 3, 6):
            packets = Packets()
            packets.feed(b"".join(heads) + content)
            yield _Record(offset, int(packets.first_at), content)
        offset += len(content)


def _from_log(
    path: Path, alerts: list[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], bytes, int]]:
    wanted = {each["sha256"] for alert in alerts for each in alert["evidence"]}
    said: dict[str, tuple[int, int, bytes]] = {}

    def see(sightings: list[Sighting]) -> None:
        for seen in sightings:
            digest = sha256(seen.raw).hexdigest()
            if digest in wanted:
                said.setdefault(digest, (seen.at, seen.half.side, seen.raw))

    read(path, see, lambda _: None)
    for alert in alerts:
        messages = [said[each["sha256"]] for each in alert["evidence"] if each["sha256"] in said]
        if messages:
            content, packets = as_packets(messages)
            yield alert, content, packets


def as_packets(messages: Sequence[tuple[int, int, bytes]]) -> tuple[bytes, int]:
    """Messages (when, 0 for the client's or 1 for the server's, bytes) as a pcap of a connection
    made up for them, and how many packets that is."""
    client, server = (
        Endpoint(each, port) for each, port in zip(_MADE_UP, (40_000, 9_876), strict=True)
    )
    talk = Conversation(client, server)
    ordered = sorted(messages)
    talk.open(max(ordered[0][0] - 1_000_000, 0))
    for at, side, raw in ordered:
        talk.send(side, raw, at)
    return pcap(talk.packets), len(talk.packets)
