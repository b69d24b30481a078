"""Raw captures as cryptofeed (Bryant Moscon) writes them: what an exchange said, as it was said.

A folder holds, per exchange, `NAME.0` (its list of products, and which of them were asked for),
`NAME.ws.N.M` (one WebSocket each: `TIME: MESSAGE`, where lines with `<-` were sent and those with
`<->` say that it was opened) and `NAME.http.N.M` (`URL -> TIME: ANSWER`), packed or not. Times are
seconds. What no exchange of `wires` wrote is left out.
"""

import gzip
import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from fondaco.domain.market.listings import Listing
from fondaco.domain.market.wires import EXCHANGES, Exchange
from fondaco.kernel.errors import Invalid

_BY_PREFIX: Final = {
    each.source.partition("-")[0].upper(): each for each in EXCHANGES.values() if each.listings
}


class Recorded(NamedTuple):
    """One message with the time at which it was received then."""

    at: int
    source: str  # without "replay."
    raw: bytes


class Configuration(msgspec.Struct):
    """What was asked of the exchange."""

    l2_book: list[str]


class Capture:
    """One exchange's part of a folder."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self._exchange: Exchange = _BY_PREFIX[prefix]
        self.exchange, self.wire = self._exchange.source, self._exchange.wire
        self._files = sorted(
            each
            for each in folder.iterdir()
            if each.name.startswith((f"{prefix}.ws.", f"{prefix}.http."))
        )
        products, names = b"", list[str]()
        for line in _lines(_first(folder, prefix)):
            head, _, body = line.partition(b": ")
            if head == b"configuration":
                names = msgspec.json.decode(body, type=Configuration).l2_book
            elif not products:
                products = body
        assert self._exchange.listings  # noqa: S101  # see _BY_PREFIX
        self.listings: tuple[Listing, ...] = self._exchange.listings(products, names)

    def read(self) -> Iterator[Recorded]:
        """Everything, in the order in which it was received."""
        return heapq.merge(*(self._read(file) for file in self._files), key=received)

    def _read(self, file: Path) -> Iterator[Recorded]:
        answers = ".http." in file.name
        for line in _lines(file):
            head, found, raw = line.partition(b": ")
            if not found:
                continue
            if answers:
                url, _, when = head.rpartition(b" -> ")
                name = url.rstrip(b"/").rpartition(b"/")[2].decode()
                yield Recorded(_ns(when, file), f"{self.exchange}.{name}", raw)
            elif b" <- " not in head:
                yield Recorded(_ns(head, file), self.exchange, raw)


def captures(path: Path) -> list[Capture]:
    """What is in a folder, or in the folder of a file named `NAME.…`, of exchanges that we read."""
    if path.is_file():
        prefix = path.name.partition(".")[0]
        return [Capture(path.parent, prefix)] if prefix in _BY_PREFIX else []
    if not path.is_dir():
        return []
    found = sorted({each.name.partition(".")[0] for each in path.iterdir()} & set(_BY_PREFIX))
    return [Capture(path, prefix) for prefix in found]


def _first(folder: Path, prefix: str) -> Path:
    for name in (f"{prefix}.0.gz", f"{prefix}.0"):
        if (folder / name).is_file():
            return folder / name
    raise Invalid(f"replay:{folder} has no {prefix}.0, which lists the products of the exchange")


def _lines(file: Path) -> Iterator[bytes]:
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
        for line in lines:
            stripped = line.strip()
            if stripped:
                yield stripped


def _ns(text: bytes, file: Path) -> int:
    """Seconds as text, exactly."""
    whole, _, part = text.partition(b".")
    if not whole.isdigit() or not (part or b"0").isdigit():
        raise Invalid(f"{file}: {text[:40]!r} is no time in seconds")
    return int(whole) * 1_000_000_000 + int(part[:9].ljust(9, b"0"))


def received(recorded: Recorded) -> int:
    return recorded.at
