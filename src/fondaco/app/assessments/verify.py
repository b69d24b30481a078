"""Work out again, from nothing but proven entries of a journal, what became of an assessment. Needs
Python 3.11 or newer, its time zones (the package tzdata where the machine has none), and nothing
else. It lies in a dispute pack beside what it reads:

    python verify.py [--root HASH@SIZE] [--key KEY]

--root is a root of the house's log, --key its public key, that you have from elsewhere. Without
them it is shown what is true if the root in `root.json` is right. Ends with 0 if the verdict of the
pack is the one that its rules give, and with 1, naming what does not fit, if not.
"""

import argparse
import hashlib
import importlib
import json
import struct
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

HERE = Path(__file__).resolve().parent
PPM = 1_000_000
NO_LIMIT = -(1 << 63)
DAY_NS = 86_400_000_000_000
# What moves money and cannot happen to an account of an assessment, or is not worked out here.
UNKNOWN = {
    f"trading.{name}.v1"
    for name in (
        "swap_charged",
        "contract_paid",
        "gain_converted",
        "negative_balance_covered",
        "transfer_sent",
        "transfer_received",
        "transfer_returned",
        "account_reset",
        "allocation_booked",
        "fill_failed",
    )
}


class Unfit(ValueError):
    """Something in the pack is not what it must be."""


def must(holds: bool, text: str) -> None:
    if not holds:
        raise Unfit(text)


# --- What is proven -------------------------------------------------------------------------------


def check_files() -> None:
    """Every file is what the manifest says; the manifest's own name is in the file `SHA256`."""
    raw = (HERE / "manifest.json").read_bytes()
    must(hashlib.sha256(raw).hexdigest() == (HERE / "SHA256").read_text(), "manifest.json differs")
    stated = json.loads(raw)["files"]
    present = {each.name for each in HERE.iterdir() if each.is_file()}
    present -= {"manifest.json", "SHA256"}
    must(present == set(stated), f"the files are {sorted(present)}")
    for name, hash_ in stated.items():
        found = hashlib.sha256((HERE / name).read_bytes()).hexdigest()
        must(found == hash_, f"{name} is not what it was: a byte of it was changed")


def entries(root: str, key: str) -> dict[str, dict[int, Any]]:
    """Events by stream and version, each from bytes that lead to the root."""
    sys.path.insert(0, str(HERE))
    signatures = importlib.import_module("signatures")
    verifier = importlib.import_module("verifier")
    head = json.loads((HERE / "root.json").read_text("utf-8"))
    named = f"{head['root']}@{head['size']}"
    must(not root or root == named, f"the pack is of the root {named}")
    if head.get("signature"):
        wrong = signatures.check(head, key)
        must(not wrong, f"the root: {wrong}")
    else:
        must(not key, "its root was not published yet, so that nobody has signed it")
    known = {head["size"]: bytes.fromhex(head["root"])}
    found: dict[str, dict[int, Any]] = {}
    for proof in json.loads((HERE / "entries.json").read_text("utf-8")):
        verifier.check(proof, known)
        record = verifier.unpack(bytes.fromhex(proof["record"]))[0]
        stream, before, at, payload = record[0], record[1], record[3], record[8]
        event = verifier.unpack(payload)[0][proof["nth"]]
        found.setdefault(stream, {})[before + proof["nth"] + 1] = (event[0], event[1:], at)
    for stream, events in found.items():
        if stream != "reference/house":
            must(sorted(events) == list(range(1, len(events) + 1)), f"{stream} has a gap")
    return found


# --- The account ----------------------------------------------------------------------------------


class Book:
    """An account as its entries leave it: cash, assets and positions, in ledger units."""

    def __init__(self, instruments: dict[str, Any]) -> None:
        self.instruments, self.currency = instruments, ""
        self.units: dict[str, int] = {}
        self.lots: dict[str, int] = {}
        self.cost: dict[str, int] = {}

    def add(self, asset: str, units: int) -> None:
        self.units[asset] = self.units.get(asset, 0) + units

    def hear(self, kind: str, f: list[Any]) -> None:
        if kind == "trading.account_opened.v1":
            self.currency = f[1]
        elif kind == "trading.cash_deposited.v1":
            self.add(f[0], f[1])
        elif kind == "trading.cash_withdrawn.v1":
            self.add(f[0], -f[1])
        elif kind == "trading.order_filled.v1":
            self.execute(f, f[20], f[21], f[22], 1)
        elif kind == "trading.fill_busted.v1":
            self.execute(f, f[20], f[22], f[23], -1)
        elif kind == "trading.fill_corrected.v1":
            self.hear(f[2][0], f[2][1:])
            self.hear(f[3][0], f[3][1:])
        elif kind in UNKNOWN:
            raise Unfit(f"{kind} moves money: this script does not know how")

    def execute(self, f: list[Any], is_contract: bool, realized: int, cost: int, way: int) -> None:
        """An execution; and with `way` -1, one that is taken back, whose amounts are its own."""
        symbol, sign = f[1], way if f[2] == "buy" else -way
        first = 4 if way == 1 else 5
        lots, gross, base_units, fee = f[first], *(f[7:10] if way == 1 else f[8:11])
        if is_contract:
            self.add(f[17], way * (realized - fee))
        else:
            self.add(f[16], sign * base_units)
            self.add(f[17], -sign * gross - way * fee)
        self.lots[symbol] = self.lots.get(symbol, 0) + sign * lots
        self.cost[symbol] = cost

    def worth(self, marks: list[Any]) -> tuple[int, int, int]:
        """Balance, equity and open positions, at these marks."""
        px = {each[0]: each[1] for each in marks}
        equity = balance = self.units.get(self.currency, 0)
        held = set()
        for symbol, lots in self.lots.items():
            if not lots:
                continue
            terms = self.instruments[symbol]
            must(terms["quote"] == self.currency, f"{symbol} is not in {self.currency}")
            must(symbol in px, f"there is no mark of {symbol}")
            if terms["kind"] == "linear":
                worth = px[symbol] * lots * terms["cost_num"] // terms["cost_den"]
                equity += worth - self.cost[symbol]
            else:
                base = terms["base"]
                held.add(base)
                per = terms["cost_den"] * terms["base_per_lot"]
                equity += self.units[base] * px[symbol] * terms["cost_num"] // per
                balance += self.cost[symbol]
        left = {a: u for a, u in self.units.items() if u and a != self.currency and a not in held}
        must(not left, f"{left} are in no position")
        return balance, equity, sum(1 for lots in self.lots.values() if lots)


# --- The rules ------------------------------------------------------------------------------------


def day_of(tier: dict[str, Any], at: int) -> tuple[int, int]:
    """The tier's day that an instant is in, and the instant at which the next one begins: when the
    clocks of its zone show its minute, also on days of 23 and of 25 hours."""
    zone = ZoneInfo(tier["time_zone"])
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    local = (epoch + timedelta(microseconds=at // 1_000)).astimezone(zone)
    day = local.date()

    def opens(each: date) -> int:
        hour, minute = divmod(tier["reset_minute"], 60)
        moment = datetime.combine(each, time(hour, minute), zone).astimezone(UTC)
        return int((moment - epoch) / timedelta(microseconds=1)) * 1_000

    first = date(1970, 1, 1)
    while opens(day) > at:
        day -= timedelta(days=1)
    while opens(day + timedelta(days=1)) <= at:
        day += timedelta(days=1)
    return (day - first).days, opens(day + timedelta(days=1))


class Stage:
    """The loss rules of one stage, written a third time: for somebody who trusts neither of us."""

    def __init__(self, tier: dict[str, Any], stage: int, size: int, at: int) -> None:
        self.tier, self.size = tier, size
        stages = [*tier["phases"], *([tier["funded"]] if tier["funded"] else [])]
        self.daily, self.overall = stages[stage]["daily_loss"], stages[stage]["overall_loss"]
        self.balance = self.equity = self.day_from = self.peak = size
        self.day, self.resets_at = day_of(tier, at)
        self.day_limit = self.overall_limit = NO_LIMIT
        self.broken = ""
        self.limits()

    def limits(self) -> None:
        if self.daily:
            part = max(self.day_from, 0) * self.daily["part_ppm"] // PPM // 10_000 * 10_000
            self.day_limit = self.day_from - (self.daily["amount"] or part)
        if self.overall:
            level = min(self.peak - self.overall["amount"], self.overall["locks_at"])
            self.overall_limit = max(self.overall_limit, level)

    def mark(self, at: int, balance: int, equity: int) -> None:
        while at >= self.resets_at and not self.broken:
            self.day, self.resets_at = day_of(self.tier, self.resets_at)
            if self.overall and self.overall["follows"] == "end_of_day":
                self.peak = max(self.peak, self.balance)
            basis = self.daily["basis"] if self.daily else "balance"
            self.day_from = {
                "initial": self.size,
                "balance": self.balance,
                "equity": self.equity,
                "higher": max(self.balance, self.equity),
            }[basis]
            self.limits()
            self.judge()
        if self.broken:
            return
        self.balance, self.equity = balance, equity
        if self.overall and self.overall["follows"] == "trailing" and equity > self.peak:
            self.peak = equity
            self.limits()
        self.judge()

    def judge(self) -> None:
        levels = []
        if self.daily:
            levels.append((self.day_limit, "daily_loss"))
        if self.overall:
            levels.append((self.overall_limit, "overall_loss"))
        for level, rule in sorted(levels, key=lambda each: -each[0]):
            touched = self.equity == level and self.tier["broken_at"] == "touch"
            if not self.broken and (self.equity < level or touched):
                self.broken = rule


# --- The verdict ----------------------------------------------------------------------------------


def instruments_of(house: dict[int, Any]) -> dict[str, Any]:
    """By symbol, of the entries that list them."""
    found = {}
    for kind, fields, _ in house.values():
        if kind == "reference.instrument_listed.v1":
            found[fields[0]["symbol"]] = {"kind": "spot", **fields[0]}
    return found


class Judge:
    """Goes through the entries of the assessment and works each of them out again."""

    def __init__(self, found: dict[str, dict[int, Any]], stream: str) -> None:
        self.found, self.stream = found, stream
        self.instruments = instruments_of(found.get("reference/house", {}))
        self.tier: dict[str, Any] = {}
        self.book, self.heard, self.account = Book({}), 0, ""
        self.stage: Any = None
        self.number = self.size = self.points = 0
        self.said: list[str] = []
        self.sold: list[str] = []
        self.violated: list[Any] = []

    def run(self) -> None:
        for version in sorted(self.found[self.stream]):
            kind, fields, at = self.found[self.stream][version]
            step = getattr(self, kind.split(".")[1], None)
            if step is not None:
                step(fields, at)

    def created(self, f: list[Any], at: int) -> None:
        must(hashlib.sha256(f[7].encode()).hexdigest() == f[6], "the terms are not those sold")
        self.tier = json.loads(f[7])
        self.sold = [f[7]]
        self.said.append(f"tier {f[4]} version {f[5]}, terms {f[6]}")

    def upgraded(self, f: list[Any], at: int) -> None:
        must(hashlib.sha256(f[4].encode()).hexdigest() == f[3], "the terms are not those sold")
        self.tier = json.loads(f[4])
        self.sold.append(f[4])

    def stage_begun(self, f: list[Any], at: int) -> None:
        self.number, self.account, self.size = f[0], f[2], f[5]
        self.book, self.heard, self.stage = Book(self.instruments), 0, None

    def standing_kept(self, f: list[Any], at: int) -> None:
        n, seen, marks, version = f[2], f[3], f[4], f[5]
        if self.stage is None:
            self.stage = Stage(self.tier, self.number, self.size, seen)
            return
        balance, equity = n[2], n[3]
        if version:
            account = self.found[f"account/{self.account}"]
            while self.heard < version:
                self.heard += 1
                kind, fields, _ = account[self.heard]
                self.book.hear(kind, fields)
            worked = self.book.worth(marks)
            must(
                worked == (balance, equity, n[4]), f"at {seen} it was worth {worked}, not {n[2:5]}"
            )
        if not self.stage.broken:
            self.stage.mark(seen, balance, equity)
        now = self.stage
        must(
            (now.day, now.day_from, now.day_limit, now.peak, now.overall_limit)
            == (n[5], n[7], n[8], n[11], n[12]),
            f"at {seen} the limits are not what the rules give",
        )
        self.points += 1

    def day_reset(self, f: list[Any], at: int) -> None:
        must(f[3] == self.tier["time_zone"], "a day was reset in another time zone")
        day, _ = day_of(self.tier, f[2])
        must((day, day_of(self.tier, f[2] - 1)[1]) == (f[1], f[2]), f"no day begins at {f[2]}")

    def rule_violated(self, f: list[Any], at: int) -> None:
        self.violated = f
        self.said.append(f"{f[1]} at {f[2]}: {f[3]} with a limit of {f[4]}, day from {f[8]}")

    def failed(self, f: list[Any], at: int) -> None:
        rule = self.violated[1]
        if rule in ("daily_loss", "overall_loss"):
            must(self.stage.broken == rule, f"{rule} was not broken: {self.stage.broken or 'none'}")
        self.said.append(f"verdict: failed by {rule}")

    def finish(self) -> None:
        terms = (HERE / "terms.json").read_text("utf-8")
        must(terms in self.sold, "terms.json is not what the buyer has")
        verdict = json.loads((HERE / "manifest.json").read_text("utf-8"))["state"]
        ended = any("verdict: failed" in each for each in self.said)
        must(ended == (verdict == "failed"), f"the pack says {verdict}")


def main() -> int:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("verify.py", description=__doc__, formatter_class=form)
    parser.add_argument("--root", default="", metavar="HASH@SIZE")
    parser.add_argument("--key", default="")
    asked = parser.parse_args()
    try:
        check_files()
        found = entries(asked.root, asked.key)
        stream = next(each for each in found if each.startswith("assessment/"))
        judge = Judge(found, stream)
        judge.run()
        judge.finish()
    except (OSError, LookupError, TypeError, ValueError, AttributeError, StopIteration,
            RuntimeError, struct.error, ArithmeticError) as error:  # fmt: skip
        sys.stdout.write(f"NOT PROVEN: {error}\n")
        return 1
    lines = [*judge.said, f"{judge.points} points of equity, worked out again", "proven"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True  # nothing is added to the pack
    sys.exit(main())
