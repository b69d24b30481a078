"""Builders for exchanges that are only known from recordings: messages by their public
documentation, a market that hears them, and the obvious way to keep their books."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Self
from zlib import crc32

from fondaco.domain.market.board import Board, LiveBook
from fondaco.domain.market.book import ASK, BID
from fondaco.domain.market.connection import notice
from fondaco.domain.market.listings import Listing, listing
from fondaco.domain.market.model import Trade
from fondaco.domain.market.wires import EXCHANGES, kalshi, polymarket
from fondaco.domain.reference.model import Symbol
from fondaco.kernel.event import Instant

MS = 1_000_000
Levels = Sequence[tuple[str, ...]]
# One instrument each, as the exchange names it, in the steps of its list.
LISTED = {
    "kraken-2021": listing("XBT/USD", "BTC", "USD", px_decimals=5, qty_decimals=8),
    "coinbase-2021": listing("BTC-USD", "BTC", "USD", px_decimals=2, qty_decimals=8),
    "bitstamp-2022": listing("btcusd", "BTC", "USD", px_decimals=2, qty_decimals=8),
    "kalshi-2026": kalshi.contract("KXTEST-26"),
    "polymarket-2026": polymarket.contract("12345678901234567890123"),
}
BTC = Symbol("BTC-USD")


def encoded(message: object) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


class Heard:
    """A board with one exchange's normaliser; every message arrives 10 ms after the one before."""

    def __init__(self, source: str, *listings: Listing, stale_after_ms: int = 2_000) -> None:
        listed = listings or (LISTED[source],)
        self.source = source
        self.board = Board(
            {each.symbol: each.instrument for each in listed}, stale_after_ms=stale_after_ms
        )
        self.normaliser = EXCHANGES[source].wire(self.board, listed)
        self.now, self.position = Instant(1_700_000_000_000 * MS), 0
        self.trades: list[Trade] = []
        self.board.on_trade.append(self.trades.append)

    def hears(self, *messages: bytes, part: str = "") -> Self:
        source = f"{self.source}.{part}" if part else self.source
        for raw in messages:
            self.now = Instant(self.now + 10 * MS)
            self.position += 1
            self.normaliser.take(source, self.now, self.position, raw)
        return self

    def resets(self) -> Self:
        return self.hears(notice("reset"), part="house")

    @property
    def book(self) -> LiveBook:
        return self.board.book(BTC)

    @property
    def quality(self) -> str:
        return self.board.quality(BTC).value

    def texts(self, limit: int = 5) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        it = self.book.instrument
        bids, asks = (
            [(it.px_text(px), it.qty_text(qty)) for px, qty in side]
            for side in (self.book.bids(limit), self.book.asks(limit))
        )
        return bids, asks


# Kraken


def kraken_book(**parts: Any) -> bytes:
    return encoded([560, parts, "book-10", "XBT/USD"])


def kraken_both(first: object, second: object) -> bytes:
    return encoded([560, first, second, "book-10", "XBT/USD"])


def kraken_checksum(asks: Levels, bids: Levels) -> str:
    """By the words of the exchange: texts without the point and the zeros in front."""
    best = [*asks[:10], *bids[:10]]
    texts = (text.replace(".", "").lstrip("0") for px, qty, *_ in best for text in (px, qty))
    return str(crc32("".join(texts).encode()))


# Coinbase


def coinbase(kind: str, **rest: object) -> bytes:
    return encoded({"type": kind, "product_id": "BTC-USD", **rest})


def change(side: str, px: str, size: str, time: str = "2021-04-17T16:43:37.077621Z") -> bytes:
    return coinbase("l2update", changes=[[side, px, size]], time=time)


def match(trade_id: int, side: str = "sell", px: str = "100.50") -> bytes:
    time = "2021-04-17T16:43:37.100000Z"
    return coinbase("match", trade_id=trade_id, side=side, price=px, size="0.5", time=time)


# Bitstamp


def bitstamp(channel: str, event: str = "data", **data: object) -> bytes:
    return encoded({"event": event, "channel": f"{channel}_btcusd", "data": data})


def changes(micros: int, bids: Levels = (), asks: Levels = ()) -> bytes:
    return bitstamp("diff_order_book", microtimestamp=str(micros), bids=list(bids), asks=list(asks))


def answer(micros: int, bids: Levels, asks: Levels) -> bytes:
    """Of `order_book`, as it comes: with a space behind every comma."""
    return json.dumps({"microtimestamp": str(micros), "bids": bids, "asks": asks}).encode()


def said_by_kalshi(kind: str, seq: int = 1, *, sid: int = 1, **body: object) -> bytes:
    ticker = LISTED["kalshi-2026"].name
    return encoded({"type": kind, "sid": sid, "seq": seq, "msg": {"market_ticker": ticker, **body}})


class NaiveSides:
    """Any exchange's book as two dicts of decimals."""

    def __init__(self) -> None:
        self.sides: tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]] = ({}, {})

    def load(self, bids: Sequence[Sequence[str]], asks: Sequence[Sequence[str]]) -> None:
        for side, levels in zip(self.sides, (bids, asks), strict=True):
            side.clear()
            side.update({Decimal(level[0]): Decimal(level[1]) for level in levels})

    def put(self, side: int, px: str, qty: str) -> None:
        if Decimal(qty):
            self.sides[side][Decimal(px)] = Decimal(qty)
        else:
            self.sides[side].pop(Decimal(px), None)

    def equals(self, book: LiveBook) -> bool:
        it = book.instrument
        for side, levels in zip((BID, ASK), self.sides, strict=True):
            ours = {
                Decimal(it.px_text(px)): Decimal(it.qty_text(qty))
                for px, qty in book.levels.depth(side, 10**6)
            }
            if ours != levels:
                return False
        return True


class Twin(NaiveSides):
    def __init__(self) -> None:
        super().__init__()
        self.start = 0
        self.early: list[dict[str, Any]] = []

    def apply(self, bids: list[list[str]], asks: list[list[str]]) -> None:
        for side, levels in ((0, bids), (1, asks)):
            for px, qty, *_ in levels:
                self.put(side, px, qty)


def _kraken(twins: dict[str, Twin], source: str, raw: bytes) -> None:
    message = json.loads(raw)
    if isinstance(message, list) and message[-2].startswith("book"):
        twin = twins[message[-1]]
        for part in message[1:-2]:
            if "as" in part:
                twin.load(part["bs"], part["as"])
            twin.apply(part.get("b", []), part.get("a", []))


def _coinbase(twins: dict[str, Twin], source: str, raw: bytes) -> None:
    message = json.loads(raw)
    if message["type"] == "snapshot":
        twins[message["product_id"]].load(message["bids"], message["asks"])
    elif message["type"] == "l2update":
        for side, px, qty in message["changes"]:
            twins[message["product_id"]].put(int(side == "sell"), px, qty)


def _bitstamp(twins: dict[str, Twin], source: str, raw: bytes) -> None:
    message = json.loads(raw)
    if "bids" in message:
        twin = twins[source.partition(".")[2]]
        twin.load(message["bids"], message["asks"])
        twin.start = int(message["microtimestamp"])
        for early in twin.early:
            if int(early["microtimestamp"]) > twin.start:
                twin.apply(early["bids"], early["asks"])
    elif message["event"] == "data":
        twin, data = twins[message["channel"].rpartition("_")[2]], message["data"]
        if not twin.start:
            twin.early.append(data)
        elif int(data["microtimestamp"]) > twin.start:
            twin.apply(data["bids"], data["asks"])


NAIVE = {"kraken-2021": _kraken, "coinbase-2021": _coinbase, "bitstamp-2022": _bitstamp}
