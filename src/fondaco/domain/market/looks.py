"""What is answered about a market: decimals as text, and where each number comes from."""

from typing import Final

import msgspec

from fondaco.domain.market.bars import INTERVALS
from fondaco.domain.market.board import CHECKSUM_LEVELS, Board, LiveBook
from fondaco.domain.market.consolidated import Level
from fondaco.domain.market.consolidated import consolidated as consolidated_book
from fondaco.domain.market.contracts import Stage
from fondaco.domain.market.model import Delays, Quality, Quote, Switch, Tallies
from fondaco.domain.market.wires import format_of
from fondaco.domain.reference.model import Instrument, Symbol
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant

DEPTH_MAX: Final = 1_000
BARS_MAX: Final = 1_000
SWITCHES: Final = 20


class QuoteReply(msgspec.Struct, frozen=True):
    price: str
    source: str
    age_ms: float


class PriceReply(msgspec.Struct, frozen=True):
    symbol: Symbol
    quality: Quality
    synthetic: bool  # nobody trades at these prices
    last: QuoteReply | None
    mid: QuoteReply | None
    mark: QuoteReply | None


class LevelReply(msgspec.Struct, frozen=True, array_like=True):
    price: str
    qty: str


class IndicativeReply(msgspec.Struct, frozen=True):
    """What an auction would give if it ended now. `surplus` would buy, or sell where it is
    negative, and find nobody."""

    price: str
    qty: str
    surplus: str


class OrderbookReply(msgspec.Struct, frozen=True):
    """`checksum` is over the best ten levels in whole ticks and lots, as `LiveBook.checksum` says;
    `version` grows with every update."""

    symbol: Symbol
    quality: Quality
    source: str
    synthetic: bool
    sequence: int
    version: int
    checksum: int
    checksum_levels: int
    age_ms: float
    bids: list[LevelReply]
    asks: list[LevelReply]
    phase: str = ""  # of the house's own venue: FIX TradingSessionSubID (625); "": not ours
    indicative: IndicativeReply | None = None


class BarReply(msgspec.Struct, frozen=True):
    start: Instant
    open: str
    high: str
    low: str
    close: str
    volume: str
    buy_volume: str
    trades: int


class BarsReply(msgspec.Struct, frozen=True):
    symbol: Symbol
    interval: str
    items: list[BarReply]


class SourceReply(msgspec.Struct, frozen=True):
    """One source of an instrument. `format` is of which year the messages are that it was read by,
    where that was never tried live; `shown` is whether book and mark are this one's now."""

    source: str
    format: str
    quality: Quality
    shown: bool
    age_ms: float
    mid: str | None


class SwitchReply(msgspec.Struct, frozen=True):
    """Another source was shown from `at` on. `confirmed_at` is 0 while the price is in doubt."""

    at: Instant
    before: str
    after: str
    reason: Quality  # what the one before was then
    price_before: str
    price_after: str
    jump_bps: int
    confirmed_at: Instant


class FeedReply(msgspec.Struct, frozen=True):
    """The health of one instrument's feed; `switches` are the newest ones, oldest first."""

    symbol: Symbol
    quality: Quality
    since: Instant  # of this quality; 0 where it never changed
    source: str
    format: str
    tallies: Tallies
    delays: dict[Quality, Delays]
    sources: list[SourceReply]
    switches: list[SwitchReply]


class StageReply(msgspec.Struct, frozen=True):
    stage: Stage
    at: Instant


class ContractReply(msgspec.Struct, frozen=True):
    """One event contract. `determined` is what was said that it pays, and may still be disputed;
    `payout` is what it paid, and null until it is settled. Both are per contract."""

    symbol: Symbol
    stage: Stage
    since: Instant
    close_at: Instant  # when it closes by itself; 0 where nobody said
    determined: str | None
    payout: str | None
    source: str
    format: str
    refused: int  # messages that could not follow the stage it was in
    history: list[StageReply]


class ConsolidatedLevelReply(msgspec.Struct, frozen=True, array_like=True):
    """`shares` says how much of `qty` each source displays."""

    price: str
    qty: str
    shares: dict[str, str]


class ConsolidatedReply(msgspec.Struct, frozen=True):
    """Every good source's levels together. `crossed` where the best bid of one source is at or
    above the best ask of another."""

    symbol: Symbol
    crossed: bool
    bids: list[ConsolidatedLevelReply]
    asks: list[ConsolidatedLevelReply]
    sources: list[SourceReply]


def prices(board: Board, symbol: Symbol, now: Instant) -> PriceReply:
    """Raises `NotFound` for an instrument that no feed serves."""
    price, instrument = board.price(symbol, now), board.book(symbol).instrument
    last, mid, mark = (_quote(instrument, each) for each in (price.last, price.mid, price.mark))
    synthetic = any(each is not None and _synthetic(each.source) for each in (last, mid, mark))
    return PriceReply(symbol, price.quality, synthetic, last, mid, mark)


def orderbook(board: Board, symbol: Symbol, depth: int, now: Instant) -> OrderbookReply:
    if not 1 <= depth <= DEPTH_MAX:
        raise Invalid(f"depth is {depth}, must be 1 to {DEPTH_MAX}")
    book = board.book(symbol)
    return OrderbookReply(
        symbol=symbol,
        quality=book.quality,
        source=book.source,
        synthetic=_synthetic(book.source),
        sequence=book.sequence,
        version=book.version,
        checksum=book.checksum(),
        checksum_levels=CHECKSUM_LEVELS,
        age_ms=max(now - book.at, 0) / 1e6,
        bids=_levels(book.instrument, book.bids(depth)),
        asks=_levels(book.instrument, book.asks(depth)),
        phase=book.phase,
        indicative=indicative(book),
    )


def indicative(book: LiveBook) -> IndicativeReply | None:
    """Of a book that waits for an auction in which somebody would meet somebody."""
    found = book.indicative()
    if found is None:
        return None
    px_text, qty_text = book.instrument.px_text, book.instrument.qty_text
    return IndicativeReply(px_text(found.px), qty_text(found.qty), qty_text(found.surplus))


def bars(board: Board, symbol: Symbol, interval: str, limit: int) -> BarsReply:
    """The newest `limit` bars, oldest first."""
    if not 1 <= limit <= BARS_MAX:
        raise Invalid(f"limit is {limit}, must be 1 to {BARS_MAX}")
    if interval not in INTERVALS:
        raise Invalid(f"interval is {interval[:20]!r}, must be one of {', '.join(INTERVALS)}")
    instrument = board.book(symbol).instrument
    px, qty = instrument.px_text, instrument.qty_text
    return BarsReply(
        symbol,
        interval,
        [
            BarReply(
                start=bar.start,
                open=px(bar.open),
                high=px(bar.high),
                low=px(bar.low),
                close=px(bar.close),
                volume=qty(bar.volume),
                buy_volume=qty(bar.buy_volume),
                trades=bar.trades,
            )
            for bar in board.bars(symbol, interval, limit)
        ],
    )


def consolidated(board: Board, symbol: Symbol, depth: int, now: Instant) -> ConsolidatedReply:
    """Raises `NotFound` for an instrument that no feed serves."""
    if not 1 <= depth <= DEPTH_MAX:
        raise Invalid(f"depth is {depth}, must be 1 to {DEPTH_MAX}")
    instrument = board.book(symbol).instrument
    merged = consolidated_book(board.sources[symbol], depth)
    return ConsolidatedReply(
        symbol,
        merged.crossed,
        _shared(instrument, merged.bids),
        _shared(instrument, merged.asks),
        _sources(board, symbol, now),
    )


def feeds(board: Board, now: Instant) -> list[FeedReply]:
    """One line per instrument, for the House page and for metrics."""
    return [
        FeedReply(
            symbol=symbol,
            quality=book.quality,
            since=book.periods[-1][1] if book.periods else Instant(0),
            source=book.source,
            format=format_of(book.source),
            tallies=book.tallies,
            delays=board.delays[symbol],
            sources=_sources(board, symbol, now),
            switches=[
                _switch(book.instrument, each) for each in board.switches[symbol][-SWITCHES:]
            ],
        )
        for symbol, book in board.books.items()
    ]


def contracts(board: Board) -> list[ContractReply]:
    """Every event contract that is listed, and what has become of it."""
    return [
        ContractReply(
            symbol=symbol,
            stage=each.stage,
            since=each.since,
            close_at=each.close_at,
            determined=_ticks(board.books[symbol].instrument, each.determined),
            payout=_ticks(board.books[symbol].instrument, each.payout),
            source=board.books[symbol].source,
            format=format_of(board.books[symbol].source),
            refused=each.refused,
            history=[StageReply(stage, at) for stage, at in each.history],
        )
        for symbol, each in board.contracts.items()
    ]


def _ticks(instrument: Instrument, ticks: int | None) -> str | None:
    return None if ticks is None or ticks < 0 else instrument.px_text(ticks)


def _sources(board: Board, symbol: Symbol, now: Instant) -> list[SourceReply]:
    shown = board.book(symbol)
    px_text = shown.instrument.px_text
    replies = []
    for book in board.sources[symbol]:
        middle = board.middle(book)
        replies.append(
            SourceReply(
                source=book.source,
                format=format_of(book.source),
                quality=book.quality,
                shown=book.levels is shown.levels,
                age_ms=max(now - book.at, 0) / 1e6,
                mid=None if middle is None else px_text(middle),
            )
        )
    return replies


def _switch(instrument: Instrument, switch: Switch) -> SwitchReply:
    return SwitchReply(
        at=switch.at,
        before=switch.before,
        after=switch.after,
        reason=switch.reason,
        price_before=instrument.px_text(switch.px_before),
        price_after=instrument.px_text(switch.px_after),
        jump_bps=switch.jump_bps,
        confirmed_at=switch.confirmed_at,
    )


def _shared(instrument: Instrument, levels: list[Level]) -> list[ConsolidatedLevelReply]:
    px_text, qty_text = instrument.px_text, instrument.qty_text
    return [
        ConsolidatedLevelReply(
            px_text(each.px),
            qty_text(each.qty),
            {share.source: qty_text(share.qty) for share in each.shares},
        )
        for each in levels
    ]


def _quote(instrument: Instrument, quote: Quote | None) -> QuoteReply | None:
    if quote is None:
        return None
    return QuoteReply(instrument.px_text(quote.px), quote.source, quote.age_ns / 1e6)


def _levels(instrument: Instrument, levels: list[tuple[int, int]]) -> list[LevelReply]:
    return [LevelReply(instrument.px_text(px), instrument.qty_text(qty)) for px, qty in levels]


def _synthetic(source: str) -> bool:
    return "synthetic" in source or "scripted" in source
