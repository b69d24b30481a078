"""Candles outlive the process: written beside the house as they grow, read when it comes back.

Killed, it loses those of the last `EVERY_S`; where the machine died, all of them. Nothing is
decided by them, so nothing waits for a disk on their account.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Final

from fondaco.app.at_rest import open_sqlite
from fondaco.app.files import Files
from fondaco.app.say import say
from fondaco.domain.market import store as candles
from fondaco.domain.market.bars import INTERVALS, KEPT
from fondaco.domain.market.board import BarsBySymbol, Board
from fondaco.kernel.errors import Corrupt, Unavailable
from fondaco.kernel.event import Instant
from fondaco.ports.store import Store
from fondaco.ports.store.sqlite import SqliteStore

EVERY_S: Final = 5.0
FORGET_EVERY: Final = 720  # rounds: once an hour


class Candles:
    """What the board has of bars, and what of that is written."""

    def __init__(self, board: Board, store: Store) -> None:
        self._board = board
        self._store = store
        self._written: dict[str, dict[str, Instant]] = {}  # the newest begin, by interval
        store.create(candles.metadata)

    def restore(self) -> None:
        """Before the first trade of this process."""
        with self._store.reading() as conn:
            for symbol, interval, bars in candles.kept(conn, self._board.instruments):
                self._board.restore_bars(symbol, interval, bars)
                self._written.setdefault(symbol, {})[interval] = bars[-1].start

    def changed(self) -> BarsBySymbol:
        """On the thread whose the board is. The newest of each row may still be changing."""
        return self._board.bars_since(self._written)

    def write(self, found: BarsBySymbol) -> None:
        """Raises `Unavailable` where the disk takes nothing; then it is all still to be written."""
        with self._store.writing() as conn:
            candles.keep(conn, found, self._board.instruments)
        for symbol, by_interval in found.items():
            starts = {interval: bars[-1].start for interval, bars in by_interval.items()}
            self._written.setdefault(symbol, {}).update(starts)

    def forget(self, now: Instant) -> None:
        """What the board would have no room for."""
        before = {name: Instant(now - KEPT * length) for name, length in INTERVALS.items()}
        with self._store.writing() as conn:
            candles.forget(conn, before)

    def end(self) -> None:
        self.write(self.changed())
        self._store.settle()

    async def run(self, now: Callable[[], Instant]) -> None:
        """Until it is cancelled."""
        rounds = 0
        while True:
            await asyncio.sleep(EVERY_S)
            with suppress(Unavailable):
                await asyncio.to_thread(self.write, self.changed())
                if rounds % FORGET_EVERY == 0:
                    await asyncio.to_thread(self.forget, now())
            rounds += 1


@contextmanager
def candles_of(board: Board, files: Files) -> Iterator[Candles]:
    """Those of before on the board; at the end, those of now in the file."""
    with closing(_store(files)) as store:
        found = Candles(board, store)
        found.restore()
        try:
            yield found
        finally:
            with suppress(Unavailable):
                found.end()


def _store(files: Files) -> SqliteStore:
    try:
        return open_sqlite(files, files.candles, durable=False)
    except Corrupt as error:
        say(f"{files.candles} is broken, and begun anew: {error.message}")
        for path in files.root.glob(f"{files.candles.name}*"):
            path.unlink()
        return open_sqlite(files, files.candles, durable=False)
