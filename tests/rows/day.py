"""Runs a recorded day again, and prints what the order log of it is.

    python tests/rows/day.py TAPE PLAN DATA LOADERS SKEW_S

The whole kernel of a house, its journal on a disk; frames come from the tape with the times at
which they were received, requests from the plan with the times at which they were stamped. Each is
let come to rest before the next: what a live house does while others are under way is another order
of the same streams, which is what the journal's order is for.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from fondaco.app import house as app_house
from fondaco.app.files import Files, make_root
from fondaco.app.kinds import CODEC
from fondaco.domain.market.binance import Binance
from fondaco.domain.market.feeds.spec import feed
from fondaco.domain.trading.events import (
    Ask,
    CancelOrders,
    OpenAccount,
    PlaceOrder,
    PlaceOrders,
    RecordDeposit,
    TradingCommand,
)
from fondaco.domain.trading.model import AccountId, Contingency, account_stream
from fondaco.kernel.event import Command, CommandId, Instant
from fondaco.kernel.money import AssetCode
from fondaco.ports.journal.segments import SegmentJournal
from fondaco.ports.tape.segments import SegmentTape
from fondaco.runtime.history import kind_of
from fondaco.settings import Settings

ACCOUNTS = ("ada", "bob", "eve")
DEPOSITS = {"USD": "1000000", "BTC": "20"}


class Request(msgspec.Struct):
    """One line of a plan: asked once the tape has come to `after`. Without asks: cancel all."""

    after: int
    account: str
    asks: list[Ask]
    contingency: Contingency | None = None


class Recorded:
    """The clock of that day."""

    at = Instant(0)

    def __call__(self) -> Instant:
        return Recorded.at


def skew_the_machine(seconds: int) -> None:
    """Whoever asks the machine for the time is told another one."""
    ns, s = time.time_ns, time.time
    time.time_ns = lambda: ns() + seconds * 1_000_000_000
    time.time = lambda: s() + seconds


async def rest(kernel: app_house.Kernel) -> None:
    """Until nothing that was asked or told is under way."""
    last = -1
    while last != kernel.committer.position or kernel.reactor.open_count:
        last = kernel.committer.position
        await asyncio.sleep(0.0005 if kernel.reactor.open_count else 0)
        if kernel.committer.busy_since:
            await asyncio.sleep(0.0005)
            last = -1


def command_of(request: Request, nth: int, at: Instant) -> TradingCommand:
    command_id = CommandId(f"r{nth}#0")
    match request.asks:
        case []:
            return CancelOrders(command_id, at)
        case [ask] if request.contingency is None:
            return PlaceOrder(command_id, at, ask)
        case asks:
            return PlaceOrders(command_id, at, tuple(asks), request.contingency)


def opening(account: str, at: Instant) -> Iterator[Command]:
    yield OpenAccount(CommandId(f"open/{account}#0"), at, "demo")
    for asset, amount in DEPOSITS.items():
        yield RecordDeposit(CommandId(f"{account}/{asset}#0"), at, AssetCode(asset), amount)


async def run(tape: SegmentTape, plan: list[Request], data: Path) -> dict[str, Any]:
    files = Files(data)
    make_root(files)
    frames = list(tape.read())
    Recorded.at = frames[0].at
    source = feed("synthetic", open_tape=SegmentTape)
    settings = Settings(data=str(data), paper_latency_ms=0, stale_after_ms=600_000)
    kernel = app_house.Kernel(settings, files, source)
    normaliser = Binance(kernel.board, source.listings)
    died: list[asyncio.Task[None]] = []
    await kernel.start(died.append)
    for account in ACCOUNTS:
        for command in opening(account, Recorded.at):
            await kernel.submit(account_stream(AccountId(account)), command)
    waiting = list(enumerate(plan))
    for nth, frame in enumerate(frames):
        Recorded.at = frame.at
        normaliser.take(frame.source, frame.at, frame.position, frame.raw)
        await rest(kernel)
        while waiting and waiting[0][1].after <= nth:
            number, request = waiting.pop(0)
            stream = account_stream(AccountId(request.account))
            await kernel.submit(stream, command_of(request, number, frame.at))
            await rest(kernel)
    assert not waiting
    assert not died
    log, kinds = sha256(), Counter[str]()
    with closing(SegmentJournal(files.journal, CODEC, writer=False)) as journal:
        for decision, _ in journal.decisions(0):
            log.update(CODEC.encode([decision]))
            kinds.update(map(kind_of, decision.events))
    await kernel.stop()
    return {"sha256": log.hexdigest(), "kinds": dict(sorted(kinds.items()))}


def main(tape: str, plan: str, data: str, loaders: str, skew_s: str) -> None:
    skew_the_machine(int(skew_s))
    replaced = {"Clock": Recorded, "LOADERS": int(loaders)}
    vars(app_house).update(replaced)
    requests = msgspec.json.decode(Path(plan).read_bytes(), type=list[Request])
    with closing(SegmentTape(Path(tape))) as opened:
        found = asyncio.run(run(opened, requests, Path(data)))
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
