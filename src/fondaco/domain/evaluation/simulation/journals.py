"""What somebody has traded, read from CSV: the days that a simulated trader draws from.

The first column is a time that begins with a date, 2026-03-02, and the header says what a row is:

- no header, or a last column of another name: a result in percent of the account, or with
  `unit=part` in parts of it (pyfolio's returns). Rows of the same date are trades of that day.
- `percent` or `return`: the result in percent, or in parts; `worst` likewise, if it is there: how
  far the trade was down at its worst.
- `profit`: the result in money, and `worst`; `size` says how large the account was.
- `price` with `amount` or `quantity` (sold is negative, or `side` says so), `symbol`, and `fee` or
  `commission` if there is one: fills (pyfolio's transactions). What closes at an average cost is a
  trade of that day; `size` as above.

Days between the first and the last without a row are days without a trade; Saturdays and Sundays
only where there is a row of one.
"""

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from fondaco.kernel.errors import Invalid

TRADES_MAX: Final = 100_000
DAYS_MAX: Final = 40_000
_PPM: Final = 1_000_000
_MOST: Final = 10.0  # times the account, won in one trade
_RESULTS: Final = {"percent": 0.01, "return": 1.0, "returns": 1.0}
_AMOUNTS: Final = ("amount", "quantity", "qty")
_FEES: Final = ("fee", "commission")
_SATURDAY: Final = 5

Row = dict[str, str]


class JournalDays(NamedTuple):
    """Results and worst points of trades in millionths of the account, in their order; `ends` is
    how many there are up to the end of each day."""

    results: tuple[int, ...]
    lows: tuple[int, ...]
    ends: tuple[int, ...]
    week: int
    most_a_day: int


class Traded(NamedTuple):
    """In parts of the account. `day` is None where the file has no dates."""

    day: date | None
    result: float
    worst: float


def read_journal(text: str, name: str, *, unit: str = "", size: str = "") -> JournalDays:
    """`name` is what errors call it. Raises `Invalid`, with the line."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > TRADES_MAX:
        raise Invalid(f"{name} has {len(lines)} lines, at most {TRADES_MAX} are read")
    if unit not in ("", "percent", "part"):
        raise Invalid(f"unit is {unit[:20]}, must be percent or part")
    header, rows = _split(lines)
    kept = _account(size, name) if size else 0.0
    if "price" in header:
        traded = list(_closed(rows, _needed(kept, name), name))
    elif "profit" in header:
        traded = list(_rated(rows, 1 / _needed(kept, name), "profit", name))
    else:
        by = next((each for each in _RESULTS if each in header), "")
        scale = _RESULTS.get(by, 1.0 if unit == "part" else 0.01)
        traded = list(_rated(rows, scale, by, name))
    if len(traded) < 2:
        raise Invalid(f"{name} has {len(traded)} trades or days, must have 2 at least")
    return _days(traded, name)


def _split(lines: Sequence[str]) -> tuple[list[str], list[tuple[int, Row]]]:
    """Names of columns in small letters, and rows with their line. Without a header the last
    column is "", and the first "time"."""
    table = list(csv.reader(io.StringIO("\n".join(lines))))
    if not table:
        return [], []
    first = [each.strip().lower() for each in table[0]]
    try:
        float(first[-1])
        header, begins = ["time"] * (len(first) > 1) + [""], 0
        table = [[*row[:1][: len(row) - 1], row[-1]] if row else row for row in table]
    except ValueError:
        known = {"price", "profit", *_RESULTS}
        header = [each or "time" for each in first]
        if not known & set(header):
            header[-1] = ""
        begins = 1
    return header, [
        (nth + 1, dict(zip(header, (each.strip() for each in row), strict=False)))
        for nth, row in enumerate(table)
        if nth >= begins and row
    ]


def _account(size: str, name: str) -> float:
    try:
        found = float(size)
    except ValueError:
        found = 0.0
    if not math.isfinite(found) or found <= 0:
        raise Invalid(f"{name}: size is {size[:40]}, must be an amount of money above 0")
    return found


def _needed(size: float, name: str) -> float:
    if not size:
        raise Invalid(f"{name} is in money: say how large its account was, with size=")
    return size


def _number(row: Row, column: str, at: str) -> float:
    text = row.get(column, "")
    try:
        found = float(text)
    except ValueError as error:
        raise Invalid(f"{at}: {text[:40]} is no number") from error
    if not math.isfinite(found):
        raise Invalid(f"{at}: {text[:40]} is no number")
    return found


def _day(row: Row, at: str) -> date | None:
    text = next(iter(row.values()), "") if len(row) > 1 else ""
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise Invalid(f"{at}: {text[:40]} is no time, must begin like 2026-03-02") from error


def _rated(
    rows: Sequence[tuple[int, Row]], scale: float, column: str, name: str
) -> Iterator[Traded]:
    for line, row in rows:
        at = f"{name}:{line}"
        result = _number(row, column, at) * scale
        worst = _number(row, "worst", at) * scale if row.get("worst") else 0.0
        if not -1 <= result <= _MOST:
            text = row.get(column, "")[:40]
            raise Invalid(
                f"{at}: {text} is {result * 100:.6g} % of the account, must be -100 to "
                f"{_MOST * 100:.0f} %; money goes into a column profit, with size= of the account"
            )
        yield Traded(_day(row, at), result, max(min(worst, -abs(worst), result, 0.0), -1.0))


def _closed(rows: Sequence[tuple[int, Row]], size: float, name: str) -> Iterator[Traded]:
    """What fills close, at average cost, in the order of the file. A fill that only opens has its
    fee as its result, if it has one."""
    held: dict[str, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for line, row in rows:
        at = f"{name}:{line}"
        amounts = [each for each in _AMOUNTS if each in row]
        if not amounts:
            raise Invalid(f"{at}: there is no amount, must be a column {' or '.join(_AMOUNTS)}")
        amount, price = _number(row, amounts[0], at), _number(row, "price", at)
        if row.get("side", "").lower() in ("sell", "s", "short", "2"):
            amount = -abs(amount)
        fee = sum(_number(row, each, at) for each in _FEES if row.get(each))
        symbol = row.get("symbol", "")
        lots, cost = held[symbol]
        gain = 0.0
        if lots * amount < 0:
            closed = min(abs(amount), abs(lots)) * math.copysign(1, lots)
            gain = (price - cost) * closed
            rest = lots + amount
            cost = price if rest * lots < 0 else cost
        elif amount:
            cost = (cost * lots + price * amount) / (lots + amount)
        held[symbol] = (lots + amount, cost)
        if lots * amount < 0 or fee:
            result = (gain - fee) / size
            if not -1 <= result <= _MOST:
                raise Invalid(
                    f"{at}: a trade made {result:.0%} of the account: is size really {size:g}?"
                )
            yield Traded(_day(row, at), result, min(result, 0.0))


def _days(traded: Sequence[Traded], name: str) -> JournalDays:
    by_day: dict[date, list[Traded]] = defaultdict(list)
    for each in traded:
        if each.day is not None:
            by_day[each.day].append(each)
    if by_day and sum(map(len, by_day.values())) != len(traded):
        raise Invalid(f"{name}: some rows have a time, and some have none")
    if not by_day:
        days: list[list[Traded]] = [[each] for each in traded]
        week = 5
    else:
        first, last = min(by_day), max(by_day)
        span = last.toordinal() - first.toordinal() + 1
        if span > DAYS_MAX:
            raise Invalid(f"{name} goes over {span} days, at most {DAYS_MAX} are read")
        has_weekends = any(each.weekday() >= _SATURDAY for each in by_day)
        week = 7 if has_weekends else 5
        all_days = (date.fromordinal(first.toordinal() + nth) for nth in range(span))
        days = [
            by_day.get(each, []) for each in all_days if has_weekends or each.weekday() < _SATURDAY
        ]
    ends, count = [], 0
    for day in days:
        count += len(day)
        ends.append(count)
    trades = [each for day in days for each in day]
    results = tuple(round(each.result * _PPM) for each in trades)
    worst = tuple(round(each.worst * _PPM) for each in trades)
    lows = tuple(min(low, result, 0) for low, result in zip(worst, results, strict=True))
    return JournalDays(results, lows, tuple(ends), week, max(map(len, days)))
