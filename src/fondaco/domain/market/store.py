"""Candles as a table, so that a house that comes back has those of before.

They are what trades were, and may be deleted: nothing is decided by them. Prices are ticks and
quantities lots; bars of other ticks or lots than today's are left out.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import sqlalchemy as sa

from fondaco.domain.market.bars import INTERVALS, KEPT
from fondaco.domain.market.board import BarsBySymbol
from fondaco.domain.market.model import Bar
from fondaco.domain.reference.model import Instrument, Symbol
from fondaco.kernel.event import Instant
from fondaco.ports.bulk import UNITS, Bulk, stored

metadata: Final = sa.MetaData()

candles: Final = sa.Table(
    "market_candles_v1",
    metadata,
    sa.Column("symbol", sa.Text, primary_key=True),
    sa.Column("terms", sa.Text, primary_key=True),  # what a tick and a lot are
    sa.Column("interval", sa.Text, primary_key=True),
    sa.Column("start", sa.BigInteger, primary_key=True),
    sa.Column("open", sa.BigInteger, nullable=False),
    sa.Column("high", sa.BigInteger, nullable=False),
    sa.Column("low", sa.BigInteger, nullable=False),
    sa.Column("close", sa.BigInteger, nullable=False),
    sa.Column("volume", UNITS, nullable=False),
    sa.Column("buy_volume", UNITS, nullable=False),
    sa.Column("trades", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
_NAMES: Final = [column.name for column in candles.columns]
_DELETE: Final = Bulk(
    candles.delete().where(*(candles.c[name] == sa.bindparam(f"_{name}") for name in _NAMES[:4])),
    [f"_{name}" for name in _NAMES[:4]],
)
_INSERT: Final = Bulk(candles.insert(), _NAMES)


def terms_of(instrument: Instrument) -> str:
    return f"{instrument.px_text(1)} {instrument.qty_text(1)}"


def keep(
    conn: sa.Connection, found: BarsBySymbol, instruments: Mapping[Symbol, Instrument]
) -> None:
    """Bars as they are now, in the place of what was kept of them."""
    rows = [
        (
            symbol, terms_of(instruments[symbol]), interval, bar.start, bar.open, bar.high,
            bar.low, bar.close, stored(bar.volume), stored(bar.buy_volume), bar.trades,
        )
        for symbol, by_interval in found.items()
        for interval, bars in by_interval.items()
        for bar in bars
    ]  # fmt: skip
    _DELETE.run(conn, [row[:4] for row in rows])
    _INSERT.run(conn, rows)


def kept(
    conn: sa.Connection, instruments: Mapping[Symbol, Instrument]
) -> Iterator[tuple[Symbol, str, list[Bar]]]:
    """Of each instrument and interval the newest that the board has room for, oldest first."""
    c = candles.c
    columns = (c.start, c.open, c.high, c.low, c.close, c.volume, c.buy_volume, c.trades)
    for symbol, instrument in instruments.items():
        for interval in INTERVALS:
            mine = (c.symbol == symbol, c.terms == terms_of(instrument), c.interval == interval)
            newest = sa.select(*columns).where(*mine).order_by(c.start.desc()).limit(KEPT)
            bars = [Bar(Instant(start), *rest) for start, *rest in conn.execute(newest)]
            if bars:
                yield symbol, interval, bars[::-1]


def forget(conn: sa.Connection, before: Mapping[str, Instant]) -> None:
    """What is older than this, by interval, the board has no room for any more."""
    for interval, start in before.items():
        c = candles.c
        conn.execute(candles.delete().where(c.interval == interval, c.start < start))
