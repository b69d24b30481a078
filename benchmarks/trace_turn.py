"""What tracing adds to an order inside the serving process, and nothing else of it.

    python benchmarks/instructions.py --only traces

runs this under callgrind three ways. Groups of orders go through the house's own committer, and a
journal that does nothing: `bare` with nobody who notes times, `noted` with the house's own watch,
whose rows are written to a file as often as a house under load writes them, `exported` with a
`traceparent` on every order besides, read and answered as the doors do.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from fondaco.domain.trading.events import NothingToDo
from fondaco.kernel import trace
from fondaco.kernel.event import CommandId, Decision, Entry, Instant, StreamId
from fondaco.runtime.committer import Answer, Committer, Lease, Turn
from fondaco.runtime.tracing.rows import Request
from fondaco.runtime.tracing.watch import HouseWatch

WAYS: Final = ("bare", "noted", "exported")
GROUPS: Final = 64
GROUP: Final = 64  # orders that share a sync: 10,000 a second and a disk of some milliseconds
FLUSH: Final = 16  # groups between two writes of rows
HEADERS: Final = [
    {b"traceparent": b"00-%032x-%016x-01" % (nth + 7, nth + 7)} for nth in range(GROUPS * GROUP + 1)
]
STREAM: Final = StreamId("account/demo")
EVENT: Final = NothingToDo("")


class Nowhere:
    """A journal that has written everything at once."""

    def __init__(self) -> None:
        self.position = 0

    def head(self) -> int:
        return 0

    def append(self, decisions: list[Any]) -> list[Entry]:
        first = self.position + 1
        self.position += len(decisions)
        return [
            Entry(each.stream, at, at, each.caused_by, each.at, 1, EVENT)
            for at, each in enumerate(decisions, first)
        ]


def named(headers: dict[bytes, bytes], watch: HouseWatch, at: Instant) -> str:
    """The door's part of a trace that a caller has named."""
    given = trace.given(headers, None)
    assert given  # noqa: S101
    watch.note(Request(at, given.trace_id, given.parent_id, "c", "trading.place_order", False))
    return trace.traceparent(given.trace_id, trace.request_span(at))


def unnamed(at: Instant, cause: CommandId) -> str:
    """The same where nobody has named one: answers say the trace all the same."""
    return trace.traceparent(trace.trace_of(STREAM, cause), trace.request_span(at))


async def run(way: str, watch: HouseWatch, groups: int) -> None:
    noted = watch if way != "bare" else None
    committer = Committer(Nowhere(), watch=noted)  # type: ignore[arg-type]
    running = asyncio.create_task(committer.run())
    for group in range(groups):
        answers = []
        for nth in range(group * GROUP + 1, (group + 1) * GROUP + 1):
            at, cause = Instant(nth), CommandId(f"o{nth}#f")
            if way == "exported":
                named(HEADERS[nth], watch, at)
            else:
                unnamed(at, cause)
            answer = Answer()
            decision = Decision(STREAM, nth - 1, cause, at, 1, (EVENT,))
            committer.enqueue(Turn(STREAM, decision, answer, Lease()))  # type: ignore[arg-type]
            answers.append(answer)
        await answers[-1]
        if noted and group % FLUSH == FLUSH - 1:
            await asyncio.to_thread(watch.flush)
    committer.close()
    await running


def main(way: str) -> None:
    """Waits for a line before, and after; whoever counts does it between."""
    import time

    with tempfile.TemporaryDirectory() as folder:
        watch = HouseWatch(Path(folder), time.time_ns, 1 << 28)
        asyncio.run(run(way, watch, 4))
        print("ready", flush=True)
        sys.stdin.readline()
        asyncio.run(run(way, watch, GROUPS))
        print("done", flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    main(sys.argv[1])
