"""FIX codec: how many messages a second one core reads, checks and writes, from Python.

    python benchmarks/fix_codec.py [--seconds 1] [--json]

Each peer that is installed is measured in the same run, turn by turn, and the ratio to it printed:
`simplefix` (pure Python) and `quickfix` (C++ behind SWIG); `pip install --group bench` brings them.
Times are the best of many short turns, because other programs only ever make a turn longer.

A NewOrderSingle is 188 bytes with 17 fields; a read has length and checksum verified and takes six
fields as typed values: three texts, an exact quantity, an exact price, a time in nanoseconds.
"""

import argparse
import importlib
import json
import time
from collections.abc import Callable
from decimal import Decimal
from types import ModuleType

from fondaco.domain.fix import dictionary, encode, parse, validate
from fondaco.kernel.compiled import in_use

ORDER = [
    *((35, b"D"), (49, b"BUYSIDE01"), (56, b"FONDACO"), (34, b"1234")),
    *((52, b"20261121-14:30:00.123"), (11, b"ORD-20261121-00001"), (1, b"ACC-01"), (21, b"1")),
    *((55, b"BTCUSD"), (54, b"1"), (60, b"20261121-14:30:00.123"), (38, b"1500"), (40, b"2")),
    *((44, b"61.25"), (59, b"0")),
]
REPORT = [
    *((35, b"8"), (49, b"FONDACO"), (56, b"BUYSIDE01"), (34, b"1234")),
    *((52, b"20261121-14:30:00.123"), (37, b"O-0123456789"), (11, b"ORD-20261121-00001")),
    *((17, b"E-0123456789"), (150, b"F"), (39, b"1"), (1, b"ACC-01"), (55, b"BTCUSD"), (54, b"1")),
    *((38, b"1500"), (44, b"61.25"), (32, b"100"), (31, b"61.25"), (151, b"1400"), (14, b"100")),
    *((6, b"61.25"), (60, b"20261121-14:30:00.123")),
]
READ_PER_S, CHECKED_PER_S, WRITTEN_PER_S = 1_200_000, 400_000, 1_000_000
KERNELS = ("fix.message", "fix.encoding", "fix.checking")
Work = Callable[[], object]


def ours(raw: bytes) -> dict[str, Work]:
    of = dictionary("FIX.4.4")
    held = parse(raw)
    if validate(held, of) is not None:
        raise SystemExit("the order of this benchmark is not valid")

    def read() -> object:
        message = parse(raw)
        return (
            message.text(11),
            message.text(55),
            message.text(54),
            message.scaled(38, 0),
            message.scaled(44, 2),
            message.timestamp(60),
        )

    if read() != ("ORD-20261121-00001", "BTCUSD", "1", 1500, 6125, 1795271400123000000):
        raise SystemExit("the order of this benchmark was read wrongly")
    return {
        "parse": lambda: parse(raw),
        "read": read,
        "parse and validate": lambda: validate(parse(raw), of),
        "encode": lambda: encode("FIX.4.4", REPORT),
    }


def simplefix(library: ModuleType, raw: bytes) -> dict[str, Work]:
    """It verifies neither length nor checksum; its user converts texts."""

    def parsed() -> object:
        parser = library.FixParser()
        parser.append_buffer(raw)
        return parser.get_message()

    def read() -> object:
        message = parsed()
        return (
            *(message.get(tag).decode() for tag in (11, 55, 54)),
            *(Decimal(message.get(tag).decode()) for tag in (38, 44)),
            message.get(60).decode(),
        )

    def written() -> bytes:
        message = library.FixMessage()
        message.append_pair(8, b"FIX.4.4")
        for tag, value in REPORT:
            message.append_pair(tag, value)
        encoded: bytes = message.encode()
        return encoded

    if written() != encode("FIX.4.4", REPORT):
        raise SystemExit("simplefix writes other bytes")
    return {"parse": parsed, "read": read, "encode": written}


def quickfix(library: ModuleType, raw: bytes) -> dict[str, Work]:
    """Without a dictionary, with length and checksum verified, as `parse` does."""
    text = raw.decode()

    def read_by_tag() -> object:
        """The quickest way that it has: texts, which its user converts."""
        message = library.Message(text, True)
        return (
            *(message.getField(tag) for tag in (11, 55, 54)),
            *(Decimal(message.getField(tag)) for tag in (38, 44)),
            message.getField(60),
        )

    def read() -> object:
        message = library.Message(text, True)
        fields = (library.ClOrdID(), library.Symbol(), library.Side())
        numbers = (library.OrderQty(), library.Price())
        when = library.TransactTime()
        for field in (*fields, *numbers, when):
            message.getField(field)
        return (
            *(field.getValue() for field in fields),
            *(number.getValue() for number in numbers),
            when.getString(),
        )

    def written() -> object:
        message = library.Message()
        message.getHeader().setField(library.BeginString("FIX.4.4"))
        message.getHeader().setField(library.MsgType("8"))
        for tag, value in REPORT[1:]:
            message.setField(tag, value.decode())
        return message.toString()

    return {
        "parse": lambda: library.Message(text, True),
        "read": read,
        "read, by tag": read_by_tag,
        "encode": written,
    }


def measured(sides: dict[str, dict[str, Work]], seconds: float) -> dict[str, dict[str, float]]:
    """Messages a second of everything, in turns of some milliseconds each."""
    best: dict[str, dict[str, float]] = {side: {} for side in sides}
    until = time.perf_counter() + seconds * sum(map(len, sides.values()))
    while time.perf_counter() < until:
        for side, works in sides.items():
            for name, work in works.items():
                turns = 2_000 if side == "fondaco" else 20
                began = time.perf_counter()
                for _ in range(turns):
                    work()
                rate = turns / (time.perf_counter() - began)
                best[side][name] = max(best[side].get(name, 0.0), rate)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="for each thing measured [1]")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    raw = encode("FIX.4.4", ORDER)
    sides = {"fondaco": ours(raw)}
    for name, peer in (("simplefix", simplefix), ("quickfix", quickfix)):
        try:
            sides[name] = peer(importlib.import_module(name), raw)
        except ImportError:
            print(f"{name} is not installed: pip install --group bench")
    best = measured(sides, asked.seconds)
    kernels = {name: state for name, state in in_use() if name.endswith(KERNELS)}
    if asked.json:
        print(json.dumps({"bytes": len(raw), "kernels": kernels, "per_second": best}))
        return
    print(f"a NewOrderSingle of {len(raw)} bytes; kernels: {', '.join(sorted(kernels.values()))}")
    for side, rates in best.items():
        for name, rate in rates.items():
            ours_rate = best["fondaco"][name.partition(",")[0]]
            ratio = "" if side == "fondaco" else f"   1 / {ours_rate / rate:.1f}"
            print(f"{side:<10} {name:<20} {rate:>12,.0f}/s{ratio}")
    print(
        f"reach: read {READ_PER_S:,}/s, parse and validate {CHECKED_PER_S:,}/s,"
        f" encode {WRITTEN_PER_S:,}/s; read 50 x simplefix, 3 x quickfix's parse, 50 x its read"
    )


if __name__ == "__main__":
    main()
