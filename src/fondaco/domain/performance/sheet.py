"""Statistics of an account as they are shown: everything worked out once, for doors and reports."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from fondaco.domain.market.model import Bar
from fondaco.domain.performance import ratios as of
from fondaco.domain.performance import replies as shown
from fondaco.domain.performance.days import Closes, DayResult, days, is_capital, returns
from fondaco.domain.performance.discipline import discipline
from fondaco.domain.performance.drawdown import Drawdown, Point, deepest, drawdowns, longest_ns
from fondaco.domain.performance.excursions import Excursion, excursion
from fondaco.domain.performance.flows import internal_rate, linked, modified_dietz, yearly_rate
from fondaco.domain.performance.model import Held, Method, Trip, TripBook
from fondaco.domain.performance.reconciliation import AssetLine, reconcile
from fondaco.domain.performance.round_trips import round_trips
from fondaco.domain.performance.statistics import Statistics, Tally, statistics
from fondaco.domain.reference.model import Instrument, Symbol
from fondaco.domain.trading.model import AccountHistory
from fondaco.kernel.instants import moment
from fondaco.kernel.money import Asset, AssetCode, format_scaled, half_even_div

SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * SECOND_NS
PERIODS: Final = 365
BARS_MAX: Final = 500  # that one trip is looked at
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_PX_DECIMALS: Final = 6  # beyond those of a price

# The newest bars of an instrument, oldest first, by the name of their interval.
BarsOf: TypeAlias = Callable[[Symbol, str], Sequence[Bar]]


class Intervals:
    """Which bars there are, by name and length, the finest first."""

    def __init__(self, lengths: Mapping[str, int], bars: BarsOf) -> None:
        self._lengths = sorted(lengths.items(), key=lambda each: each[1])
        self._bars = bars
        self._known: dict[tuple[Symbol, str], Sequence[Bar]] = {}

    def of(self, symbol: Symbol, name: str) -> Sequence[Bar]:
        key = (symbol, name)
        if key not in self._known:
            self._known[key] = self._bars(symbol, name)
        return self._known[key]

    def for_trip(self, trip: Trip) -> tuple[Sequence[Bar], int, str]:
        """The finest that reach back to where it began and are not too many."""
        for name, length in self._lengths:
            if trip.held_ns < length or trip.held_ns // length > BARS_MAX:
                continue
            bars = self.of(trip.symbol, name)
            if bars and bars[0].start <= trip.opened_at:
                return bars, length, name
        return (), 0, "fills"

    def closes(self, symbols: Sequence[Symbol], name: str) -> Closes:
        length = dict(self._lengths).get(name, 0)
        return Closes({symbol: self.of(symbol, name) for symbol in symbols}, length)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What statistics are of. `since` and `until` bound when trips ended."""

    method: Method = Method.AVERAGE
    currency: str = ""  # "": the account's, or that in which it has traded most
    zone: str = "UTC"
    since: int = 0
    until: int = 2**63 - 1


class Sheet:
    """One account's history, worked out."""

    def __init__(
        self,
        history: AccountHistory,
        ledger: Mapping[AssetCode, int],
        intervals: Intervals,
        asked: Asked,
        now: int,
    ) -> None:
        self.history = history
        self.book: TripBook = round_trips(
            history.fills, history.instruments, asked.method, history.flows
        )
        self.asked = asked
        self.now = now
        self.ledger = ledger
        self.currencies = _currencies(history)
        self.currency = _currency(history, asked.currency, self.currencies)
        self.asset: Asset = history.assets[self.currency]
        inside = (each for each in self.book.trips if asked.since <= each.closed_at < asked.until)
        self.all_trips = list(inside)
        self.trips = [each for each in self.all_trips if each.currency == self.currency]
        self._intervals = intervals
        self._excursions: dict[int, tuple[Excursion, str]] = {}

    def excursion(self, trip: Trip) -> Excursion:
        return self._excursion(trip)[0]

    def _excursion(self, trip: Trip) -> tuple[Excursion, str]:
        found = self._excursions.get(id(trip))
        if found is None:
            bars, length, name = self._intervals.for_trip(trip)
            terms = self.history.instruments[trip.symbol]
            found = self._excursions[id(trip)] = (excursion(trip, terms, bars, length), name)
        return found

    def days(self) -> list[DayResult]:
        symbols = sorted({fill.symbol for fill in self.history.fills})
        return days(
            self.history, self.trips, self.currency,
            zone=ZoneInfo(self.asked.zone), closes=self._intervals.closes(symbols, "1h"),
            now=self.now,
        )  # fmt: skip

    def reconciled(self) -> list[AssetLine]:
        return reconcile(self.history, self.book, self.ledger)

    # --- As it is shown ---------------------------------------------------------------------------

    def amount(self, units: int) -> str:
        return format_scaled(units, self.asset.decimals)

    def _mean(self, units: float | None) -> str | None:
        return None if units is None else self.amount(round(units))

    def reply(self) -> shown.StatisticsReply:
        history, found = self.history, self.days()
        counted = [self._excursion(trip) for trip in self.trips]
        equity = found[-1].equity if found else 0
        stats = statistics(
            self.trips, zone=ZoneInfo(self.asked.zone), capital=max(equity, 0),
            began_at=max(history.begins_at, self.asked.since), now=min(self.now, self.asked.until),
            excursions=[each for each, _ in counted],
        )  # fmt: skip
        return shown.StatisticsReply(
            account_id=history.account_id,
            name=history.name,
            currency=self.currency,
            currencies=list(self.currencies),
            method=self.asked.method.value,
            time_zone=self.asked.zone,
            began_at=moment(history.begins_at),
            position=history.position,
            equity=self.amount(equity),
            total=self._tally("all", stats.total),
            largest_win=self.amount(stats.largest_win),
            largest_loss=self.amount(stats.largest_loss),
            streaks=shown.StreakLine(*msgspec.structs.astuple(stats.streaks)),
            holding=_holding(stats),
            excursions=shown.ExcursionLine(
                adverse=self._mean(stats.adverse),
                favorable=self._mean(stats.favorable),
                edge_ratio=ratio(stats.edge_ratio),
                bars=sorted({name for _, name in counted}),
            ),
            sqn=ratio(stats.sqn),
            kelly=ratio(stats.kelly),
            risk_of_ruin=ratio(stats.risk_of_ruin),
            deviation=self._mean(stats.deviation),
            drawdown=self._drawdown(found),
            ratios=ratios(list(returns(found))),
            weighted=self._weighted(found),
            discipline=self._discipline(),
            by_symbol=[self._tally(*each) for each in stats.by_symbol.items()],
            by_side=[self._tally(*each) for each in stats.by_side.items()],
            by_hour=[self._tally(f"{hour:02}", each) for hour, each in stats.by_hour.items()],
            by_weekday=[
                self._tally(_WEEKDAYS[day], each) for day, each in stats.by_weekday.items()
            ],
            distribution=[
                shown.BinLine(self.amount(each.low), self.amount(each.high), each.trades)
                for each in stats.distribution
            ],
            calendar=[self._day(each) for each in found],
            held=[self._held(each) for each in self.book.held],
            reconciliation=[self._reconciled(each) for each in self.reconciled()],
            definitions=dict(shown.DEFINITIONS),
        )

    def _tally(self, key: str, tally: Tally) -> shown.TallyLine:
        return shown.TallyLine(
            key=key,
            trades=tally.trades,
            wins=tally.wins,
            losses=tally.losses,
            scratches=tally.scratches,
            win_rate=ratio(tally.win_rate),
            profit_factor=ratio(tally.profit_factor),
            payoff_ratio=ratio(tally.payoff_ratio),
            net=self.amount(tally.net),
            won=self.amount(tally.won),
            lost=self.amount(tally.lost),
            fees=self.amount(tally.fees),
            financing=self.amount(tally.financing),
            expectancy=self._mean(tally.expectancy),
            average_win=self._mean(tally.average_win),
            average_loss=self._mean(tally.average_loss),
            held_average_s=seconds(tally.held_ns / tally.trades) if tally.trades else 0.0,
        )

    def _drawdown(self, found: Sequence[DayResult]) -> shown.DrawdownsLine:
        """Deposits move no peak: each day's value is what was there at first and gained since."""
        first = (found[0].equity - found[0].gained) if found else 0
        points, capital, gained = [Point(self.history.begins_at, first)], first, 0
        for each in found:
            gained += each.gained
            points.append(Point(min(each.ends_at, self.now), first + gained))
        curve = drawdowns(points)
        worst = deepest(curve)
        going = curve[-1] if curve and not curve[-1].ended_at else None
        peaks = {point.at: point.value for point in points}
        capital = max((each.equity for each in found), default=capital)
        now = going.peak - points[-1].value if going else 0
        return shown.DrawdownsLine(
            deepest=self._fall(worst, peaks, capital) if worst else None,
            longest_days=round(longest_ns(curve, self.now) / DAY_NS, 6),
            current=self.amount(now),
            count=len(curve),
        )

    def _weighted(self, found: Sequence[DayResult]) -> shown.WeightedBody:
        """Amounts are exact, in ledger units, until a rate is made of them."""
        history = self.history
        began, span = history.begins_at, self.now - history.begins_at
        opening, equity = history.opening.get(self.currency, 0), found[-1].equity if found else 0
        came = [
            (each.at - began, each.units)
            for each in history.flows
            if each.asset == self.currency and is_capital(each)
        ]
        paid = [(0, -opening), *((at, -units) for at, units in came), (span, equity)]
        if span <= 0:
            paid = []
        of_days = list(returns(found))
        money = internal_rate([(at / span, units) for at, units in paid])
        shares = [(1.0 - at / span, units) for at, units in came] if span > 0 else []
        yearly = [(at / DAY_NS, units) for at, units in paid] if span >= PERIODS * DAY_NS else []
        return shown.WeightedBody(
            time_weighted=ratio(linked(of_days)) if of_days else None,
            money_weighted=ratio(money),
            modified_dietz=ratio(modified_dietz(opening, equity, shares)) if span > 0 else None,
            irr=ratio(yearly_rate(yearly)),
        )

    def _fall(self, fall: Drawdown, peaks: Mapping[int, int], most: int) -> shown.DrawdownLine:
        share = fall.ratio if fall.peak > 0 else (fall.depth / most if most > 0 else 0.0)
        return shown.DrawdownLine(
            depth=self.amount(fall.depth),
            ratio=round(share, 6),
            peak_at=moment(fall.peak_at),
            trough_at=moment(fall.trough_at),
            ended_at=moment(fall.ended_at) if fall.ended_at else None,
            days=round(((fall.ended_at or self.now) - fall.peak_at) / DAY_NS, 6),
        )

    def _discipline(self) -> shown.DisciplineBody:
        history = self.history
        found = discipline(self.all_trips, orders=history.orders, refused=len(history.refusals))
        reasons: dict[str, int] = {}
        for each in history.refusals:
            reasons[each.reason] = reasons.get(each.reason, 0) + 1
        return shown.DisciplineBody(
            score=ratio(found.score),
            orders=history.orders,
            refused=len(history.refusals),
            canceled=history.canceled,
            refused_share=ratio(found.refused),
            larger_after_loss=ratio(found.larger_after_loss),
            hasty_after_loss=ratio(found.hasty_after_loss),
            held_too_long=ratio(found.held_too_long),
            reasons=dict(sorted(reasons.items())),
        )

    def _day(self, each: DayResult) -> shown.DayBody:
        return shown.DayBody(
            day=(date(1970, 1, 1) + timedelta(days=each.day)).isoformat(),
            equity=self.amount(each.equity),
            gained=self.amount(each.gained),
            closed=self.amount(each.closed),
            flows=self.amount(each.flows),
            fees=self.amount(each.fees),
            trades=each.trades,
        )

    def _held(self, each: Held) -> shown.HeldBody:
        terms, decimals = self._terms(each.symbol), self.history.assets[each.currency].decimals
        closes = self._intervals.closes([terms.symbol], "1m").last(terms.symbol, self.now)
        gain = None
        if closes is not None:
            worth = half_even_div(closes[1] * each.lots * terms.cost_num, terms.cost_den)
            gain = format_scaled(worth - each.cost, decimals)
        return shown.HeldBody(
            symbol=each.symbol,
            currency=each.currency,
            side="long" if each.lots > 0 else "short",
            qty=terms.qty_text(abs(each.lots)),
            cost=format_scaled(each.cost, decimals),
            realized=format_scaled(each.realized, decimals),
            fees=format_scaled(each.fees, decimals),
            gain=gain,
            opened_at=moment(each.opened_at),
        )

    def _reconciled(self, line: AssetLine) -> shown.ReconciledLine:
        decimals = self.history.assets[line.asset].decimals
        fields = shown.ReconciledLine.__struct_fields__[1:]
        amounts = {name: format_scaled(getattr(line, name), decimals) for name in fields}
        return shown.ReconciledLine(asset=line.asset, **amounts)

    def trip_line(self, trip: Trip) -> shown.TripLine:
        terms, decimals = self._terms(trip.symbol), self.history.assets[trip.currency].decimals
        went = self.excursion(trip)

        def text(units: int) -> str:
            return format_scaled(units, decimals)

        return shown.TripLine(
            symbol=trip.symbol,
            currency=trip.currency,
            side=trip.side,
            qty=terms.qty_text(trip.lots),
            entry_px=average_px(terms, decimals, trip.entry, trip.lots),
            exit_px=average_px(terms, decimals, trip.exit, trip.lots),
            gross=text(trip.gross),
            fees=text(trip.fees),
            financing=text(trip.financing),
            net=text(trip.net),
            adverse=text(went.adverse),
            favorable=text(went.favorable),
            fills=trip.fills,
            opened_at=moment(trip.opened_at),
            closed_at=moment(trip.closed_at),
            held_s=seconds(trip.held_ns),
            opened_by=trip.opened_by,
            closed_by=trip.closed_by,
            position=trip.position,
        )

    def _terms(self, symbol: Symbol) -> Instrument:
        return self.history.instruments[symbol]


def average_px(terms: Instrument, decimals: int, units: int, lots: int) -> str:
    """Quote asset per unit of the base asset, half to even."""
    more = terms.px_decimals + _PX_DECIMALS
    numerator = units * 10 ** (terms.qty_decimals + more)
    return format_scaled(half_even_div(numerator, lots * terms.lot_units * 10**decimals), more)


def ratios(
    found: Sequence[float], *, periods: int = PERIODS, target: float = 0.0
) -> shown.RatiosBody:
    """Null of fewer than two days. `target` is of one of them."""
    known = len(found) > 1
    lost_all = known and min(found) <= -1.0

    def of_days(value: Callable[[], float | None]) -> float | None:
        return ratio(value()) if known else None

    def a_year(value: Callable[[Sequence[float], int], float | None]) -> float | None:
        """Of what is left to be multiplied up."""
        return None if lost_all else of_days(lambda: value(found, periods))

    return shown.RatiosBody(
        periods=periods,
        days=len(found),
        total_return=of_days(lambda: linked(found)),
        annualized_return=a_year(of.annualized_return),
        volatility=of_days(lambda: of.deviation(found, of_sample=True) * periods**0.5),
        sharpe=of_days(lambda: of.sharpe(found, periods)),
        sortino=of_days(lambda: of.sortino(found, periods, target)),
        calmar=a_year(of.calmar),
        omega=of_days(lambda: of.bernardo_ledoit(found)),
        skewness=of_days(lambda: of.skewness(found)),
        kurtosis=of_days(lambda: of.kurtosis(found)),
        max_drawdown=of_days(lambda: of.max_drawdown(found)),
        ulcer_index=of_days(lambda: of.ulcer_index(found)),
        best_day=of_days(lambda: max(found)),
        worst_day=of_days(lambda: min(found)),
        downside_deviation=of_days(lambda: of.downside_deviation(found, target)),
        mean_absolute_deviation=of_days(lambda: of.mean_absolute_deviation(found)),
        kappa=of_days(lambda: of.kappa(found, target)),
        pain_index=of_days(lambda: of.pain_index(found)),
        pain_ratio=a_year(of.pain_ratio),
        martin_ratio=a_year(of.martin_ratio),
        burke=a_year(of.burke),
        modified_burke=a_year(of.modified_burke),
        adjusted_sharpe=a_year(of.adjusted_sharpe),
        omega_sharpe=of_days(lambda: of.omega_sharpe(found, target)),
        d_ratio=of_days(lambda: of.d_ratio(found)),
        skewness_kurtosis=of_days(lambda: of.skewness_kurtosis(found)),
    )


def _holding(stats: Statistics) -> shown.HoldingTimes:
    total = stats.total
    return shown.HoldingTimes(
        median_s=seconds(stats.held_median_ns),
        average_s=seconds(total.held_ns / total.trades) if total.trades else 0.0,
        wins_s=seconds(stats.held_wins_ns),
        losses_s=seconds(stats.held_losses_ns),
        in_market=ratio(stats.in_market),
    )


def _currencies(history: AccountHistory) -> tuple[AssetCode, ...]:
    """The one in which it has traded most first."""
    counts: dict[AssetCode, int] = {}
    for fill in history.fills:
        quote = history.instruments[fill.symbol].quote
        counts[quote] = counts.get(quote, 0) + 1
    return tuple(sorted(counts, key=lambda code: (-counts[code], code)))


def _currency(history: AccountHistory, asked: str, traded: Sequence[AssetCode]) -> AssetCode:
    if asked:
        return AssetCode(asked)
    if history.currency in traded or not traded:
        return history.currency
    return traded[0]


def ratio(value: float | None) -> float | None:
    """Six decimals; no infinity goes out."""
    return None if value is None or abs(value) == float("inf") else round(value, 6)


def seconds(ns: float) -> float:
    return round(ns / SECOND_NS, 6)
