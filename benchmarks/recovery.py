"""From kill -9 to `ready`, on a house with a million orders; and how fast the journal replays.

    python benchmarks/recovery.py [--orders 1000000] [--accounts 1] [--runs 3]

The orders come in over the bulk door, so the journal, the snapshots and the index are those of a
house that was used. The house is killed as soon as the last order is answered, whatever its
follower has still to do, and started again with what it left.
"""

import argparse
import json
import os
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

from house import OTHERS, House, data_directory

from fondaco.app.files import Files
from fondaco.app.kinds import CODEC, room_of
from fondaco.bench.orders import Plan, run
from fondaco.kernel.event import StreamId
from fondaco.ports.journal.segments import SegmentJournal
from fondaco.runtime.loading import load


def replay(data: Path) -> dict[str, Any]:
    """Every entry read; then the state of every stream worked out without a snapshot."""
    journal = SegmentJournal(Files(data).journal, CODEC, writer=False)
    began = time.perf_counter()
    entries: Counter[StreamId] = Counter()
    for decision, _ in journal.decisions(0):
        entries[decision.stream] += len(decision.events)
    read_s = time.perf_counter() - began
    began = time.perf_counter()
    for stream in entries:
        decider = room_of(stream).decider
        if decider:
            load(stream, decider, journal, None)
    loaded_s = time.perf_counter() - began
    journal.close()
    total = entries.total()
    return {
        "entries": total,
        "read_entries_per_s": round(total / read_s),
        "replay_entries_per_s": round(total / loaded_s),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--accounts", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    os.sched_setaffinity(0, OTHERS)
    with data_directory() as data:
        house = House(data)
        plan = Plan(url=house.url, rate=0, door="bulk", connections=4, warmup=0)
        try:
            figures = run(plan._replace(orders=asked.orders, accounts=asked.accounts))
        finally:
            house.kill()
        ready_s = []
        for _ in range(asked.runs):
            again = House(data)
            ready_s.append(round(again.ready_s, 2))
            again.kill()
        found = replay(data)
    print(
        json.dumps(
            {
                "orders": figures.orders,
                "accepted": figures.accepted,
                "refused": figures.refused,
                "placed_per_s": figures.answered_per_s,
                "ready_s": ready_s,
                "ready_s_median": median(ready_s),
                **found,
            }
        )
    )


if __name__ == "__main__":
    main()
