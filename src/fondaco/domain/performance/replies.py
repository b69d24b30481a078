"""What statistics look like to whoever asks. Amounts are decimals as text, exact; averages are
rounded to the ledger's scale, half to even; ratios have six decimals; times are ISO 8601 in UTC."""

from typing import Any, Final

import msgspec


class TallyLine(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Some round trips, added up; `key` says which. What would divide by nought is null."""

    key: str
    trades: int
    wins: int
    losses: int
    scratches: int
    win_rate: float | None
    profit_factor: float | None
    payoff_ratio: float | None
    net: str
    won: str
    lost: str
    fees: str
    financing: str
    expectancy: str | None
    average_win: str | None
    average_loss: str | None
    held_average_s: float


class StreakLine(msgspec.Struct, frozen=True, gc=False):
    wins_max: int
    losses_max: int
    current: int  # negative: of losses


class HoldingTimes(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    median_s: float
    average_s: float
    wins_s: float
    losses_s: float
    in_market: float | None


class ExcursionLine(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Averages over trips. `bars` says how fine they were looked at: "1m" to "1d", or "fills"."""

    adverse: str | None
    favorable: str | None
    edge_ratio: float | None
    bars: list[str]


class BinLine(msgspec.Struct, frozen=True, gc=False):
    low: str
    high: str
    trades: int


class DrawdownLine(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """`ended_at` null: it is not over. `ratio` is of what the account was worth at the peak."""

    depth: str
    ratio: float
    peak_at: str
    trough_at: str
    ended_at: str | None
    days: float


class DrawdownsLine(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Of equity at the end of days, less what came in and went out since it began."""

    deepest: DrawdownLine | None
    longest_days: float
    current: str
    count: int


class DayBody(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One local day. `gained` counts open positions at the day's last price; `closed` only trips
    that ended in it."""

    day: str
    equity: str
    gained: str
    closed: str
    flows: str
    fees: str
    trades: int


class RatiosBody(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Of daily returns, every calendar day counted, `periods` to a year."""

    periods: int
    days: int
    total_return: float | None
    annualized_return: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    omega: float | None
    skewness: float | None
    kurtosis: float | None
    max_drawdown: float | None
    ulcer_index: float | None
    best_day: float | None
    worst_day: float | None
    downside_deviation: float | None  # of one day, as the next three are
    mean_absolute_deviation: float | None
    kappa: float | None
    pain_index: float | None
    pain_ratio: float | None
    martin_ratio: float | None
    burke: float | None
    modified_burke: float | None
    adjusted_sharpe: float | None
    omega_sharpe: float | None
    d_ratio: float | None
    skewness_kurtosis: float | None


class WeightedBody(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Of the whole time, 0.1 for ten per cent. Null: nothing was there to gain on, or no rate
    explains it; `irr` also of less than a year, which nobody should multiply up."""

    time_weighted: float | None
    money_weighted: float | None
    modified_dietz: float | None
    irr: float | None  # a year's


class DisciplineBody(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Shares from 0 to 1; the score from 0 to 100. Null: there was no occasion."""

    score: float | None
    orders: int
    refused: int
    canceled: int
    refused_share: float | None
    larger_after_loss: float | None
    hasty_after_loss: float | None
    held_too_long: float | None
    reasons: dict[str, int]  # of refusals


class HeldBody(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A position that is open. `gain` at the last price known; null without one."""

    symbol: str
    currency: str
    side: str
    qty: str
    cost: str
    realized: str
    fees: str
    gain: str | None
    opened_at: str


class ReconciledLine(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """How the ledger's balance of an asset comes about. `difference` is 0."""

    asset: str
    opening: str
    deposits: str
    transfers: str
    trips: str
    held: str
    fees: str
    financing: str
    other: str
    cost: str
    basis: str
    closing: str
    ledger: str
    difference: str


class TripLine(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A round trip that has ended."""

    symbol: str
    currency: str
    side: str
    qty: str
    entry_px: str
    exit_px: str
    gross: str
    fees: str
    financing: str
    net: str
    adverse: str
    favorable: str
    fills: int
    opened_at: str
    closed_at: str
    held_s: float
    opened_by: str
    closed_by: str
    position: int


class StatisticsReply(msgspec.Struct, frozen=True, kw_only=True):
    """How an account has traded in one currency; docs/statistics.md defines each figure."""

    account_id: str
    name: str
    currency: str
    currencies: list[str]  # in which it has traded
    method: str
    time_zone: str
    began_at: str
    position: int  # of the journal, as far as this shows it
    equity: str
    total: TallyLine
    largest_win: str
    largest_loss: str
    streaks: StreakLine
    holding: HoldingTimes
    excursions: ExcursionLine
    sqn: float | None
    kelly: float | None
    risk_of_ruin: float | None
    deviation: str | None
    drawdown: DrawdownsLine
    ratios: RatiosBody
    weighted: WeightedBody
    discipline: DisciplineBody
    by_symbol: list[TallyLine]
    by_side: list[TallyLine]
    by_hour: list[TallyLine]
    by_weekday: list[TallyLine]
    distribution: list[BinLine]
    calendar: list[DayBody]
    held: list[HeldBody]
    reconciliation: list[ReconciledLine]
    definitions: dict[str, str]


class TripsReply(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first; `next` goes into `cursor` for what is older, null: that was all."""

    account_id: str
    method: str
    items: list[TripLine]
    next: int | None
    position: int


class TradedReply(msgspec.Struct, frozen=True, kw_only=True):
    """Round trips as simulations draw from them. `text` is CSV: when each closed, its `profit` and
    how far it was down at its `worst`, in `currency`; `size` is what the account had before."""

    account_id: str
    currency: str
    size: str
    trades: int
    text: str
    position: int


DEFINITIONS: Final[dict[str, Any]] = {
    "trade": "a round trip that has ended; average: from flat to flat; fifo: each part of an exit "
    "with the oldest entry that it closes",
    "win": "its net result, after fees and financing, is above nought",
    "win_rate": "wins over all trades, scratches among them",
    "profit_factor": "what wins have brought over what losses have cost, both net",
    "expectancy": "the net result of a trade on average",
    "payoff_ratio": "the average win over the average loss",
    "sqn": "system quality number: the root of the number of trades x expectancy / its deviation",
    "kelly": "the share of the capital to risk: win rate - (1 - win rate) / payoff ratio",
    "risk_of_ruin": "Lundberg's bound exp(-r c) for losing all that there is, each trade drawn "
    "anew from those that were made; exact where all stakes are equal",
    "adverse": "how far a trade was below nought at worst while it was open (MAE), on average",
    "favorable": "how far a trade was above nought at best while it was open (MFE), on average",
    "equity": "cash in this currency and what is held against it, at the last bar or own fill",
    "drawdown": "of equity at the end of days, less what came in and went out",
    "returns": "of calendar days: gained / (equity of the day before + what came in)",
    "time_weighted": "daily returns, linked: when money came or went does not matter",
    "money_weighted": "the rate at which all that came in grows to what was taken out and is left",
    "modified_dietz": "the gain over the capital on average, each flow by how long it was there",
    "irr": "the money-weighted rate of a year, actual days over 365; of at least a year",
    "kappa": "mean return over the root of the mean square of losing days",
    "burke": "annualized return over the root of the squared losing runs; modified: of their mean "
    "over all days",
    "pain_index": "the mean drawdown over all days; pain and Martin ratio: annualized return over "
    "it, and over the Ulcer index",
    "adjusted_sharpe": "Sharpe ratio of the annualized return, less for lopsided and for fat tails",
    "score": "100 less a hundred times the mean of the four habits",
}
