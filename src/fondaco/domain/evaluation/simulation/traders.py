"""Kinds of traders, as a simulation knows them, and tiers as its kernel wants them.

    coin:win=0.45,stake=1            one stake won or lost at a time
    skilled:edge=0.1,risk=0.5%       or any of `ARCHETYPES`, with what differs
    journal:file=days.csv            days drawn from somebody's own

A trade that is no toss is a walk of `ticks` steps. Its whole spread is `vol` times what is risked
and its mean `edge` times that, were it held to the last tick; it ends early at its stop, `stop`
times the risk beneath its opening, or at its aim. Steps are normal or, with `tails=fat`, Student's
t with four degrees of freedom, of the same variance.

The size of a trade is what its stop's `distance`, in percent of the price, makes of its risk: the
tier's leverage, its most lots (`lot` is the worth of one) and its most risk are known before a
trade, and it is as large as they let it be. Whoever trades for as many days as `pause_days` not at
all begins that with the odds `pause` on each day. `hold` are the odds that the last trade of a day
is held over the night, after which it opens with a `gap`, in steps. `announcements` a day are
waited out where the tier says so.

Days of a journal (`journals`) are drawn in stretches of `block` days on average, the stationary
bootstrap: what hangs together from day to day stays together.
"""

import gzip
import math
import zlib
from array import array
from pathlib import Path
from statistics import NormalDist
from typing import Any, Final, Literal

import msgspec

from fondaco.domain.evaluation.model import (
    AMOUNT_STEP,
    LOT_DECIMALS,
    NEVER,
    PPM,
    PhaseTerms,
    Tier,
)
from fondaco.domain.evaluation.simulation.journals import JournalDays, read_journal
from fondaco.domain.evaluation.simulation.paths import STEP, TABLE, Paths
from fondaco.kernel.errors import Invalid
from fondaco.kernel.money import parse_scaled

UNIT_DECIMALS: Final = 4  # of the kernel's money
_FAR: Final = 1 << 62
CENT: Final = 100  # less is never paid
_BASES: Final = {"balance": 0, "initial": 1, "equity": 2, "higher": 3}
_FOLLOWS: Final = {"static": 0, "trailing": 1, "end_of_day": 2}


class Trader(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How somebody trades. `edge`, `vol`, `stop`, `aim` and `cost` are in what is risked, `risk` a
    part of the account's size; 0 for `stop` and `aim` is none. `revenge` multiplies the risk after
    each loss, `revenge_max` times at most, until there is a gain. `week` days of seven are traded.
    """

    kind: str
    win: str = ""  # of a toss; then of what is below only stake, trades, week, revenge and pause
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
    results: tuple[int, ...] = ()  # of its trades, in millionths of the account
    lows: tuple[int, ...] = ()  # the worst that each of them went through
    ends: tuple[int, ...] = ()  # how many trades there are up to the end of each day
    block: float = 5.0  # days that follow each other, on average
    distance: str = "0.5%"  # of the stop, in percent of the price; "" where it is not known
    lot: str = "100000"
    pause: float = 0.0
    pause_days: int = 0
    hold: float = 0.0
    gap: float = 1.0
    announcements: float = 2.0  # a day


ARCHETYPES: Final[dict[str, dict[str, Any]]] = {
    "coin": {"win": "0.5", "week": 7, "revenge_max": 0, "distance": "", "announcements": 0.0},
    "fair": {},
    "novice": {"edge": -0.05, "cost": 0.03},
    "skilled": {"edge": 0.1},
    "fat": {"tails": "fat", "stop": 0.0, "aim": 0.0},
    "revenge": {"revenge": 2.0},
    "gambler": {"risk": "3%", "aim": 4.0},
    "absent": {"pause": 0.03, "pause_days": 25},
    "swing": {"edge": 0.1, "trades": 1, "hold": 0.7, "gap": 2.0},
    "journal": {
        "ticks": 1, "trades": 1, "stop": 0.0, "aim": 0.0, "risk": "1%", "revenge_max": 0,
        "distance": "", "announcements": 0.0,
    },
}  # fmt: skip
OF_A_JOURNAL: Final = ("file", "week", "block", "unit", "size")
MINUTES: Final = 1_440  # of a day, in which announcements may come
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
    ("block", 1, 1_000),
    ("pause", 0, 1),
    ("pause_days", 0, 366),
    ("hold", 0, 1),
    ("gap", 0, 100),
    ("announcements", 0, 100),
)


def trader_of(text: str, journal: str | None = None) -> Trader:
    """Reads `kind` or `kind:name=value,name=value`; `journal:days.csv` is one of a file, unless
    its text is given. Raises `Invalid`."""
    kind, _, rest = text.partition(":")
    if kind not in ARCHETYPES:
        raise Invalid(f"trader is {kind[:40]}, must be one of {', '.join(ARCHETYPES)}")
    said: dict[str, Any] = {"kind": kind, **ARCHETYPES[kind]}
    for nth, pair in enumerate(filter(None, rest.split(","))):
        name, mark, value = pair.partition("=")
        if kind == "journal" and not mark and nth == 0:
            name, value = "file", name
        if kind == "journal" and name.strip() not in OF_A_JOURNAL:
            raise Invalid(
                f"trader journal: {name[:40]} is not for it, only {', '.join(OF_A_JOURNAL)} are"
            )
        said[name.strip()] = value.strip()
    if kind == "journal":
        said = _drawn_from(said, journal)
    try:
        trader = msgspec.convert(said, Trader, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"trader {text[:80]}: {error}") from error
    for name, low, high in _RANGES:
        value = getattr(trader, name)
        if not low <= value <= high:
            raise Invalid(f"trader {kind}: {name} is {value}, must be from {low} to {high}")
    return trader


def _drawn_from(said: dict[str, Any], text: str | None) -> dict[str, Any]:
    """What a journal makes of a trader. Raises `Invalid`."""
    path = said.get("file", "")
    if text is None:
        text = _file(path)
    days: JournalDays = read_journal(
        text, path or "journal", unit=said.pop("unit", ""), size=said.pop("size", "")
    )
    read = {"results": days.results, "lows": days.lows, "ends": days.ends}
    trades = min(days.most_a_day, 1_000)
    return {"week": days.week, **said, **read, "trades": trades}


def _file(path: str) -> str:
    if not path:
        raise Invalid("trader journal: file is missing, must be a CSV file")
    try:
        content = Path(path).read_bytes()
        if path.endswith(".gz"):
            content = gzip.decompress(content)
        return content.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise Invalid(f"trader journal: {path}: {error}") from error


class Crowd(msgspec.Struct, frozen=True):
    """How the buyers of one book are alike: `part` of their trades are those of all. `a_day` of
    its `sales` begin on each day."""

    part: float = 0.0
    sales: int = 1
    a_day: int = 1


ALONE: Final = Crowd()


def paths_of(
    tier: Tier, trader: Trader, *, days: int, funded_days: int, crowd: Crowd = ALONE
) -> Paths:
    """The kernel for a trader in a tier. `days` is how long a phase is watched, 0 until it ends.

    Raises `Invalid` where the numbers are beyond what the kernel counts in.
    """
    table = array("q", [0]) if trader.win or trader.ends else _table(trader)
    risks, scaling = _risks(tier, trader), _scaling(tier)
    reach = STEP if trader.win else _reach(trader, table)
    widest = max(risks) * max([PPM, *scaling[2::4]]) // PPM
    if widest * reach >= _FAR:
        most = _FAR // reach // 10**UNIT_DECIMALS
        raise Invalid(
            f"trader {trader.kind} risks {widest // 10**UNIT_DECIMALS} a trade, at most {most} fit"
        )
    payout = tier.payout
    is_walk = not trader.win and not trader.ends
    given = [
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
        max(payout.minimum // AMOUNT_STEP, CENT) if payout else 0,
        tier.fee // AMOUNT_STEP,
        tier.fee // AMOUNT_STEP if payout and payout.refunds_fee else 0,
        tier.leverage * _distance(trader),
        odds_of_53(trader.pause),
        trader.pause_days,
        odds_of_53(trader.hold) if is_walk else 0,
        round(trader.gap * 1_024),
        odds_of_53(crowd.part),
        crowd.sales,
        crowd.a_day,
        odds_of_53(1 / trader.block),
    ]
    columns = [each for nth, _ in enumerate(tier.stages) for each in _columns(tier, nth, trader)]
    results, lows, ends = _journal(trader)
    return Paths(
        array("q", given), table, array("q", columns), array("q", risks), array("q", scaling),
        results, lows, ends,
    )  # fmt: skip


def odds_of_53(part: float) -> int:
    """Something happens where 53 bits are below this."""
    return round(part * (1 << 53))


def _reach(trader: Trader, table: "array[int]") -> int:
    """The most steps that a trade can be away from where it began."""
    if trader.ends:
        return max(*map(abs, trader.results), *map(abs, trader.lows)) * STEP // 10_000 + 1
    widest = max(map(abs, table))
    return _steps(trader.cost) + trader.ticks * widest + math.ceil(trader.gap) * widest


def _distance(trader: Trader) -> int:
    """Of the stop from the price, in millionths; 0 where it is not known, and of a toss."""
    if trader.win or not trader.distance:
        return 0
    found = parse_scaled(trader.distance.removesuffix("%"), 4, "distance")
    if not 0 < found <= PPM:
        raise Invalid(f"distance is {trader.distance}, must be above 0 % and at most 100 %")
    return found


def _journal(trader: Trader) -> tuple["array[int]", "array[int]", "array[int]"]:
    """Its trades in steps of one hundredth of the account, which is what is risked."""
    if not trader.ends:
        return array("q", [0]), array("q", [0]), array("q", [0])
    results, lows = (
        array("q", [each * STEP // 10_000 for each in of]) for of in (trader.results, trader.lows)
    )
    return results, lows, array("q", trader.ends)


def _scaling(tier: Tier) -> list[int]:
    """Profit, account, that in millionths of the first size, split: of each step."""
    return [
        each
        for step in tier.scaling
        for each in (
            step.profit // AMOUNT_STEP,
            step.account // AMOUNT_STEP,
            step.account * PPM // tier.account,
            step.split_ppm,
        )
    ]


def _steps(parts: float) -> int:
    return round(parts * STEP)


def _won_below(win: str) -> int:
    """A toss is won where 53 bits are below this."""
    billionths = parse_scaled(win, 9, "win")
    if not 0 < billionths <= 10**9:
        raise Invalid(f"win is {win}, must be above 0 and at most 1")
    return (billionths << 53) // 10**9


def _risks(tier: Tier, trader: Trader) -> list[int]:
    """What is risked in each stage, after 0, 1 … losses in a row; less, where the stage says so
    (`risk_max`), as that is known before a trade."""
    if trader.win:
        first = parse_scaled(trader.stake, UNIT_DECIMALS, "stake")
    else:
        text = trader.risk.removesuffix("%")
        first = tier.account * parse_scaled(text, 4, "risk") // PPM // AMOUNT_STEP
    if first <= 0:
        raise Invalid(f"trader {trader.kind} risks nothing, must risk more")
    if trader.ends:  # a journal says what was made, and not what was risked
        return [first for _ in tier.stages]
    levels = [round(first * trader.revenge**nth) for nth in range(trader.revenge_max + 1)]
    return [each for _ in tier.stages for each in levels]


def risk_max(tier: Tier, nth: int, trader: Trader) -> int:
    """The most that a trade may risk in a stage, by its rules of risk and of lots; 0: as much as
    somebody likes."""
    terms = tier.stages[nth]
    if trader.ends:
        return 0
    found = [terms.max_risk_per_trade // AMOUNT_STEP] if terms.max_risk_per_trade else []
    distance = _distance(trader)
    if terms.max_lots and distance:
        lot = parse_scaled(trader.lot, UNIT_DECIMALS, "lot")
        found.append(max(terms.max_lots * lot // 10**LOT_DECIMALS * distance // PPM, 1))
    return min(found, default=0)


def news_odds(tier: Tier, nth: int, trader: Trader) -> float:
    """That a trade would be opened around an announcement, and waits for another day."""
    news = tier.stages[nth].news
    if news is None or trader.win:
        return 0.0
    return min(trader.announcements * (news.before_minutes + news.after_minutes) / MINUTES, 1.0)


def _table(trader: Trader) -> array:  # type: ignore[type-arg]
    """The middle of each of 2,048 equally likely parts of a step's distribution."""
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


def _columns(tier: Tier, nth: int, trader: Trader) -> list[int]:
    terms: PhaseTerms = tier.stages[nth]
    daily, overall = terms.daily_loss, terms.overall_loss
    return [
        terms.target // AMOUNT_STEP,
        daily.amount // AMOUNT_STEP if daily else -1,
        daily.part_ppm if daily else 0,
        _BASES[daily.basis] if daily else 0,
        overall.amount // AMOUNT_STEP if overall else -1,
        _FOLLOWS[overall.follows] if overall else 0,
        overall.locks_at // AMOUNT_STEP if overall and overall.locks_at != NEVER else _FAR,
        terms.min_trading_days,
        terms.min_trades,
        terms.time_limit_days,
        terms.consistency_ppm,
        int(nth >= len(tier.phases)),
        risk_max(tier, nth, trader),
        terms.inactivity_days,
        odds_of_53(news_odds(tier, nth, trader)),
        int(terms.weekend == "flat"),
    ]
