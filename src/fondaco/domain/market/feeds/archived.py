"""Archives of prediction markets: messages without the time at which they were received.

A folder holds `kalshi_*.jsonl` and `polymarket_*.jsonl`, a message a line, and `kalshi_*.json`, an
answer to a question each. They follow one another by `SPACING_NS`, answers first. What is listed is
what the archive has a book or a touch of, as on a tape of this house; trades of other markets are
passed over, and counted. `polymarket_*.json` is left out: its prices are floats, which no price is.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from fondaco.domain.market.feeds.captured import Recorded
from fondaco.domain.market.listings import Listing
from fondaco.domain.market.wires import EXCHANGES, kalshi, polymarket

SPACING_NS: Final = 100_000_000
_CONTRACTS: Final[dict[str, Callable[[str], Listing]]] = {
    kalshi.SOURCE: kalshi.contract,
    polymarket.SOURCE: polymarket.contract,
}


class Archive:
    """One exchange's part of a folder."""

    def __init__(self, folder: Path, source: str) -> None:
        self.exchange, self.wire = source, EXCHANGES[source].wire
        self._messages = list(_messages(folder, source))
        names = _quoted(self._messages)
        if source == kalshi.SOURCE:  # both contracts of each market
            names |= {name + kalshi.NO for name in names}
        self.listings = tuple(map(_CONTRACTS[source], sorted(names)))

    def read(self) -> Iterator[Recorded]:
        for nth, (part, raw) in enumerate(self._messages):
            source = f"{self.exchange}.{part}" if part else self.exchange
            yield Recorded(nth * SPACING_NS, source, raw)


def archives(path: Path) -> list[Archive]:
    """What is in a folder of prediction markets; nothing of any other path."""
    if not path.is_dir():
        return []
    found = [Archive(path, source) for source in _CONTRACTS if any(_messages(path, source))]
    return [each for each in found if each.listings]


def _messages(folder: Path, source: str) -> Iterator[tuple[str, bytes]]:
    """The last part of the source of each, and the message."""
    prefix = source.partition("-")[0]
    if source == kalshi.SOURCE:
        name = ""
        for file in sorted(folder.glob(f"{prefix}_*.json")):
            raw = file.read_bytes()
            told = msgspec.json.decode(raw, type=kalshi.Message)
            name = told.market.ticker if told.market else name
            yield name, raw  # an answer with a book does not say whose it is
    for file in sorted(folder.glob(f"{prefix}_*.jsonl")):
        for line in file.read_bytes().splitlines():
            yield "", line


class _Named(msgspec.Struct):
    """What a message quotes, by either exchange's words."""

    type: str = ""
    event_type: str = ""
    asset_id: str = ""
    msg: kalshi.Body | None = None
    orderbook_fp: kalshi.Body | None = None


def _quoted(messages: list[tuple[str, bytes]]) -> set[str]:
    names = set()
    for part, raw in messages:
        told = msgspec.json.decode(raw, type=_Named)
        if told.event_type == "book":
            names.add(told.asset_id)
        elif told.orderbook_fp is not None and part:
            names.add(part)
        elif told.msg is not None and told.type in ("ticker", "orderbook_snapshot"):
            names.add(told.msg.market_ticker)
    return names
