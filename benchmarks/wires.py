"""Messages a second from the wire bytes of Kraken, Coinbase and Bitstamp to an updated book, on one
core.

    python benchmarks/wires.py [--recording FOLDER] [--runs 5] [--cryptofeed PYTHON]

Half a minute of ten books of each exchange, message by message as it was received, goes through
the house with its compiled kernel and through a plain twin (standard `json`, dicts and `Decimal`;
a test shows that both end with the same books). `--cryptofeed` names the Python of an environment
that has cryptofeed (`pip install cryptofeed`): its handlers, with their C book and checksums,
read the same messages of Kraken and Bitstamp in the same run; its Coinbase reads a later version
of the messages. The house and cryptofeed compute every checksum, the twin none. Each contender
has a process of its own, pinned to one core. Prints one JSON object: medians by the time that the
core gave.
"""

import argparse
import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:1] = [str(ROOT / "src"), str(ROOT / "tests")]  # not this folder: it has a `market` too

RECORDING = ROOT / "../shared/data/market/crypto/wire_2021"
EXCHANGES = ("kraken-2021", "coinbase-2021", "bitstamp-2022")
PEERED = {"kraken-2021": "KRAKEN", "bitstamp-2022": "BITSTAMP"}


def house(exchange: str, recording: Path) -> tuple[float, int, str]:
    from fondaco.domain.market.board import Board
    from fondaco.domain.market.book import COMPILED
    from fondaco.kernel.event import Instant

    capture, frames = _frames(exchange, recording)
    board = Board({each.symbol: each.instrument for each in capture.listings})
    take = capture.wire(board, capture.listings).take
    began = time.thread_time()
    for position, (at, source, raw) in enumerate(frames, 1):
        take(source, Instant(at), position, raw)
    took = time.thread_time() - began
    seen = [book.tallies for book in board.books.values()]
    if not board.ready or sum(each.gaps + each.checksums_different for each in seen):
        raise SystemExit("the books are wrong: no figure")
    return took, len(frames), "compiled" if COMPILED else "source"


def twin(exchange: str, recording: Path) -> tuple[float, int, str]:
    from market.recorded import NAIVE, Twin

    capture, frames = _frames(exchange, recording)
    twins, take = {each.name: Twin() for each in capture.listings}, NAIVE[exchange]
    began = time.thread_time()
    for _, source, raw in frames:
        take(twins, source, raw)
    return time.thread_time() - began, len(frames), "json, dict, Decimal"


def _frames(exchange: str, recording: Path) -> tuple[Any, list[tuple[int, str, bytes]]]:
    from fondaco.domain.market.feeds.captured import captures

    capture = next(each for each in captures(recording) if each.exchange == exchange)
    return capture, [tuple(each) for each in capture.read()]


def cryptofeed(exchange: str, recording: Path) -> tuple[float, int, str]:
    """Runs where cryptofeed is installed, and the house need not be."""
    return asyncio.run(_cryptofeed(PEERED[exchange], recording))


async def _cryptofeed(name: str, recording: Path) -> tuple[float, int, str]:
    import gzip
    from importlib.metadata import version

    from cryptofeed.connection import HTTPAsyncConn, HTTPSync
    from cryptofeed.defines import L2_BOOK, TRADES
    from cryptofeed.exchanges import EXCHANGE_MAP

    def lines(kind: str) -> list[str]:
        found = [f for f in sorted(recording.iterdir()) if f.name.startswith(f"{name}.{kind}")]
        return [line for f in found for line in gzip.open(f, "rt").read().splitlines() if line]

    products, *rest = lines("0")
    symbols = json.loads(rest[0].partition(": ")[2])["l2_book"]
    answers = {line.partition(" -> ")[0]: line.partition(": ")[2] for line in lines("http")}

    class Socket:
        conn_type, uuid = "wss", "1"

        async def write(self, *_: Any, **__: Any) -> None: ...

    async def read(_: Any, url: str, **__: Any) -> str:
        return answers[url]

    async def heard(*_: Any) -> None: ...

    HTTPSync.read = lambda *_, **__: json.loads(products.partition(": ")[2])
    HTTPAsyncConn.read = read
    feed = EXCHANGE_MAP[name](
        symbols=symbols,
        channels=[L2_BOOK, TRADES],
        callbacks={L2_BOOK: heard, TRADES: heard},
        config={"log": {"disabled": True}, "uvloop": False},
        checksum_validation=True,
    )
    socket = Socket()
    socket.subscription = {
        feed.std_channel_to_exchange(each): [feed.std_symbol_to_exchange_symbol(s) for s in symbols]
        for each in (L2_BOOK, TRADES)
    }
    (_, subscribe, take, _), *_ = feed.connect()
    await subscribe(socket)
    messages = [
        (message, float(when))
        for line in lines("ws")
        if not line.startswith("ws")
        for when, _, message in [line.partition(": ")]
        if name != "KRAKEN" or '"ticker"' not in message
    ]
    began = time.thread_time()
    for message, when in messages:
        await take(message, socket, when)
    return time.thread_time() - began, len(messages), f"cryptofeed {version('cryptofeed')}"


CONTENDERS = {"house": house, "twin": twin, "cryptofeed": cryptofeed}


def contend(name: str, exchange: str, recording: Path, runs: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    CONTENDERS[name](exchange, recording)  # the first run warms up
    gc.collect()
    gc.freeze()
    results = [CONTENDERS[name](exchange, recording) for _ in range(runs)]
    took = statistics.median(each[0] for each in results)
    _, messages, by = results[0]
    print(
        json.dumps(
            {
                "messages_per_cpu_s": round(messages / took),
                "messages": messages,
                "runs_s": [round(each[0], 4) for each in results],
                "by": by,
            }
        )
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--recording", type=Path, default=RECORDING)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--cryptofeed", metavar="PYTHON")
    options.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    options.add_argument("--exchange", choices=EXCHANGES, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.contender:
        contend(chosen.contender, chosen.exchange, chosen.recording, chosen.runs)
        return
    results: dict[str, Any] = {}
    for exchange in EXCHANGES:
        found = results[exchange] = {}
        for name in CONTENDERS:
            python = chosen.cryptofeed if name == "cryptofeed" else sys.executable
            if python is None or (name == "cryptofeed" and exchange not in PEERED):
                continue
            command = [python, __file__, "--contender", name, "--exchange", exchange]
            command += ["--recording", str(chosen.recording), "--runs", str(chosen.runs)]
            answer = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            found[name] = json.loads(answer.stdout.splitlines()[-1])
        for name in set(found) & {"twin", "cryptofeed"}:
            ratio = found["house"]["messages_per_cpu_s"] / found[name]["messages_per_cpu_s"]
            found[f"house_to_{name}"] = round(ratio, 1)
    print(json.dumps({**results, "python": sys.version.split()[0]}, indent=2))


if __name__ == "__main__":
    main()
