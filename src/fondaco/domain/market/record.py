"""`fondaco record`: a feed onto a tape for a while, through a board that nobody trades on."""

import asyncio

import msgspec

from fondaco.domain.market.board import Board
from fondaco.domain.market.feeds import Feed
from fondaco.domain.market.intake import Clock, Intake
from fondaco.domain.market.model import Quality, Tallies
from fondaco.ports.tape import Tape


class Recorded(msgspec.Struct, frozen=True):
    """What was kept, and what it was worth."""

    source: str
    first_position: int
    last_position: int
    lost: int
    tallies: dict[str, Tallies]
    qualities: dict[str, Quality]


async def record(feed: Feed, tape: Tape, seconds: float, clock: Clock) -> Recorded:
    """Runs for `seconds`, or until cancelled; the tape stays open but is sealed."""
    board = Board({each.symbol: each for each in feed.instruments()})
    before = tape.position
    try:
        async with asyncio.timeout(seconds):
            await feed.run(clock, Intake(board, tape, feed.listings, feed.wire))
    except TimeoutError:
        pass  # the only way a feed ends
    finally:
        await asyncio.to_thread(tape.seal)
    return Recorded(
        source=feed.label,
        first_position=before + 1,
        last_position=tape.position,
        lost=tape.lost,
        tallies={symbol: book.tallies for symbol, book in board.books.items()},
        qualities={symbol: book.quality for symbol, book in board.books.items()},
    )
