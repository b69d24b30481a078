"""Kinds of traders, as a simulation knows them, and tiers as its kernel wants them.

    coin:win=0.45,stake=1            one stake won or lost at a time
    skilled:edge=0.1,risk=0.5%       or any of `ARCHETYPES`, with what differs
    journal:file=days.csv            days drawn from somebody's own

A trade that is no toss is a walk of `ticks` steps. Its whole spread is `vol` times what is risked
and its mean `edge` times that, were it held to the last tick; it ends early at its stop, `stop`
times the risk beneath its opening, or at its aim. Steps are normal or, with `tails=fat`, Student's
t with four degrees of freedom, of the same variance.

A journal is a CSV file whose last column is the result of a day in percent of the account. Days are
drawn from it with replacement, one a day: what a day went through before its end is not known, and
neither is how days hang together.
"""

import math
from array import array
from pathlib import Path
from statistics import NormalDist
from typing import Any, Final, Literal

import msgspec

from fondaco.domain.evaluation.model import AMOUNT_STEP, NEVER, PPM, PhaseTerms, Tier
from fondaco.domain.evaluation.simulation.paths import STEP, TABLE, Paths
from fondaco.kernel.errors import Invalid
from fondaco.kernel.money import parse_scaled

UNIT_DECIMALS: Final = 4  # of the kernel's money
_FAR: Final = 1 << 62
_FOLLOWS: Final = {"static": 0, "trailing": 1, "end_of_day": 2}


class Trader(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How somebody trades. `edge`, `vol`, `stop`, `aim` and `cost` are in what is risked, `risk` a
    part of the account's size; 0 for `stop` and `aim` is none. `revenge` multiplies the risk after
    each loss, `revenge_max` times at most, until there is a gain. `week` days of seven are traded.
    """

    kind: str
    win: str = ""  # of a toss; then nothing below counts but stake, trades, week and revenge
    stake: str = "1"
    risk: str = "0.5%"
    edge: float = 0.0
    vol: float = 1.0
    stop: float = 1.0
    aim: float = 2.0
    cost: float = 0.0
    ticks: int = 20
    trades: int = 5  # a day
    tails: Literal["normal", "fat"] = "normal"
    revenge: float = 1.0
    revenge_max: int = 3
    week: int = 5
    file: str = ""  # of a journal
    results: tuple[int, ...] = ()  # of its days, in millionths of the account, sorted


ARCHETYPES: Final[dict[str, dict[str, Any]]] = {
    "coin": {"win": "0.5", "week": 7, "revenge_max": 0},
    "fair": {},
    "novice": {"edge": -0.05, "cost": 0.03},
    "skilled": {"edge": 0.1},
    "fat": {"tails": "fat", "stop": 0.0, "aim": 0.0},
    "revenge": {"revenge": 2.0},
    "gambler": {"risk": "3%", "aim": 4.0},
    "journal": {"ticks": 1, "trades": 1, "stop": 0.0, "aim": 0.0, "risk": "1%", "revenge_max": 0},
}
JOURNAL_DAYS_MAX: Final = 100_000
_RANGES: Final[tuple[tuple[str, float, float], ...]] = (
    ("edge", -2, 2),
    ("vol", 0.01, 10),
    ("stop", 0, 100),
    ("aim", 0, 100),
    ("cost", 0, 1),
    ("ticks", 1, 10_000),
    ("trades", 1, 1_000),
    ("revenge", 1, 10),
    ("revenge_max", 0, 10),
    ("week", 1, 7),
)


def trader_of(text: str) -> Trader:
    """Reads `kind` or `kind:name=value,name=value`. Raises `Invalid`."""
    kind, _, rest = text.partition(":")
    if kind not in ARCHETYPES:
        raise Invalid(f"trader is {kind[:40]}, must be one of {', '.join(ARCHETYPES)}")
    said: dict[str, Any] = {"kind": kind, **ARCHETYPES[kind]}
    for pair in filter(None, rest.split(",")):
        name, _, value = pair.partition("=")
        if kind == "journal" and name.strip() not in ("file", "week"):
            raise Invalid(f"trader journal: {name[:40]} is not for it, only file and week are")
        said[name.strip()] = value.strip()
    if kind == "journal":
        said["results"] = _journal(said.get("file", ""))
    try:
        trader = msgspec.convert(said, Trader, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"trader {text[:80]}: {error}") from error
    for name, low, high in _RANGES:
        value = getattr(trader, name)
        if not low <= value <= high:
            raise Invalid(f"trader {kind}: {name} is {value}, must be from {low} to {high}")
    return trader


def _journal(path: str) -> list[int]:
    """Results of days in millionths of the account, sorted. Raises `Invalid`."""
    if not path:
        raise Invalid("trader journal: file is missing, must be a CSV file of days")
    found: list[int] = []
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"trader journal: {path}: {error}") from error
    for number, line in enumerate(lines[: JOURNAL_DAYS_MAX + 2], 1):
        text = line.rpartition(",")[2].strip()
        if not text:
            continue
        try:
            percent = float(text)
        except ValueError as error:
            if number == 1:
                continue  # the names of columns
            raise Invalid(f"trader journal: {path}:{number}: {text[:40]} is no number") from error
        if not -100 <= percent <= 1_000:
            raise Invalid(f"trader journal: {path}:{number}: {text[:40]} must be -100 to 1000 %")
        found.append(round(percent * 10_000))
    if not 2 <= len(found) <= JOURNAL_DAYS_MAX:
        raise Invalid(
            f"trader journal: {path} has {len(found)} days, must have 2 to {JOURNAL_DAYS_MAX}"
        )
    return sorted(found)


def paths_of(tier: Tier, trader: Trader, *, days: int, funded_days: int) -> Paths:
    """The kernel for a trader in a tier. `days` is how long a phase is watched, 0 until it ends.

    Raises `Invalid` where the numbers are beyond what the kernel counts in.
    """
    table = array("q", [0]) if trader.win else _table(trader)
    risks = _risks(tier, trader)
    reach = STEP if trader.win else _steps(trader.cost) + trader.ticks * max(map(abs, table))
    if (widest := max(risks)) * reach >= _FAR:
        most = _FAR // reach // 10**UNIT_DECIMALS
        raise Invalid(
            f"trader {trader.kind} risks {widest // 10**UNIT_DECIMALS} a trade, at most {most} fit"
        )
    payout = tier.payout
    given = array(
        "q",
        [
            _won_below(trader.win) if trader.win else 0,
            trader.trades,
            trader.ticks,
            _steps(trader.stop),
            _steps(trader.aim),
            _steps(trader.cost),
            trader.week,
            tier.account // AMOUNT_STEP,
            int(tier.broken_at == "touch"),
            days,
            funded_days,
            payout.split_ppm if payout else 0,
            payout.first_after_days if payout else 0,
            payout.every_days if payout else 0,
            payout.minimum // AMOUNT_STEP if payout else 0,
        ],
    )
    columns = [each for nth, _ in enumerate(tier.stages) for each in _columns(tier, nth)]
    return Paths(given, table, array("q", columns), array("q", risks))


def _steps(parts: float) -> int:
    return round(parts * STEP)


def _won_below(win: str) -> int:
    """A toss is won where 53 bits are below this."""
    billionths = parse_scaled(win, 9, "win")
    if not 0 < billionths <= 10**9:
        raise Invalid(f"win is {win}, must be above 0 and at most 1")
    return (billionths << 53) // 10**9


def _risks(tier: Tier, trader: Trader) -> list[int]:
    """What is risked in each stage, after 0, 1 … losses in a row: never more than the stage lets,
    as that is known before a trade."""
    if trader.win:
        first = parse_scaled(trader.stake, UNIT_DECIMALS, "stake")
    else:
        text = trader.risk.removesuffix("%")
        first = tier.account * parse_scaled(text, 4, "risk") // PPM // AMOUNT_STEP
    if first <= 0:
        raise Invalid(f"trader {trader.kind} risks nothing, must risk more")
    if trader.results:  # a journal says what was made, and not what was risked
        return [first for _ in tier.stages]
    levels = [round(first * trader.revenge**nth) for nth in range(trader.revenge_max + 1)]
    return [
        min(each, terms.max_risk_per_trade // AMOUNT_STEP) if terms.max_risk_per_trade else each
        for terms in tier.stages
        for each in levels
    ]


def _table(trader: Trader) -> array:  # type: ignore[type-arg]
    """The middle of each of 2,048 equally likely parts of a step's distribution."""
    if trader.results:  # of one hundredth of the account, which is risked
        days = trader.results
        drawn = (days[(2 * nth + 1) * len(days) // (2 * TABLE)] for nth in range(TABLE))
        return array("q", [each * STEP // 10_000 for each in drawn])
    at = [(2 * nth + 1) / (2 * TABLE) for nth in range(TABLE)]
    shape = [_fat(p) for p in at] if trader.tails == "fat" else [*map(NormalDist().inv_cdf, at)]
    spread = math.sqrt(sum(each * each for each in shape) / TABLE)
    by = trader.vol / math.sqrt(trader.ticks) / spread * STEP
    drift = trader.edge / trader.ticks * STEP
    return array("q", [round(each * by + drift) for each in shape])


def _fat(p: float) -> float:
    """The quantile of Student's t with four degrees of freedom, in closed form (Shaw 2006)."""
    alpha = math.sqrt(4 * p * (1 - p))
    q = math.cos(math.acos(alpha) / 3) / alpha
    return math.copysign(2 * math.sqrt(max(q - 1, 0.0)), p - 0.5)


def _columns(tier: Tier, nth: int) -> list[int]:
    terms: PhaseTerms = tier.stages[nth]
    daily, overall = terms.daily_loss, terms.overall_loss
    return [
        terms.target // AMOUNT_STEP,
        daily.amount // AMOUNT_STEP if daily else -1,
        daily.part_ppm if daily else 0,
        int(daily is not None and daily.basis == "initial"),
        overall.amount // AMOUNT_STEP if overall else -1,
        _FOLLOWS[overall.follows] if overall else 0,
        overall.locks_at // AMOUNT_STEP if overall and overall.locks_at != NEVER else _FAR,
        terms.min_trading_days,
        terms.min_trades,
        terms.time_limit_days,
        terms.consistency_ppm,
        int(nth >= len(tier.phases)),
    ]
