"""What each kind of report says of an account, as a document. Every figure is the API's own: a tile
or a cell is a field of `StatisticsReply` or of a round trip, shown to the currency's minor unit."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from math import floor
from typing import Final

from fondaco.domain.performance.api import Sheet, StatisticsReply, TallyLine
from fondaco.domain.reports.model import (
    TITLES,
    Chart,
    Column,
    Document,
    ReportKind,
    Section,
    Table,
    Tile,
    Tone,
    Words,
    amount,
)
from fondaco.kernel.instants import moment

_WORDS: Final = "what was opened and is closed again, from flat to flat"


class Writer:
    """One account's document, of whichever kind."""

    def __init__(self, sheet: Sheet, position: int, as_of: int, bars: str) -> None:
        self.sheet = sheet
        self.found: StatisticsReply = sheet.reply()
        self._position = position
        self._as_of = moment(as_of)
        self._bars = bars
        self.minor = sheet.asset.minor_decimals
        self.currency = self.found.currency

    def write(self, kind: ReportKind, more: Sequence[Section] = ()) -> Document:
        """One that is of the account alone, and `more` of what it is for."""
        tiles, sections = _KINDS[kind](self)
        return self.document(kind, tiles, [*sections, *more])

    def document(
        self,
        kind: ReportKind,
        tiles: list[Tile],
        sections: list[Section],
        facts: Sequence[tuple[str, str]] = (),
    ) -> Document:
        found = self.found
        return Document(
            kind=kind,
            title=TITLES[kind],
            subject=found.name,
            facts=[
                ("Account", found.account_id),
                ("Currency", found.currency),
                ("Since", found.began_at[:10]),
                ("As of", self._as_of[:16].replace("T", " ") + " UTC"),
                ("Journal position", str(self._position)),
                *facts,
            ],
            tiles=tiles,
            sections=sections,
            notes=_notes(kind),
            as_of=self._as_of,
            position=self._position,
            made_of={
                "account_id": found.account_id,
                "currency": found.currency,
                "method": found.method,
                "time_zone": found.time_zone,
                "prices": self._bars,
            },
        )

    # --- Amounts ----------------------------------------------------------------------------------

    def money(self, text: str | None, *, sign: bool = False) -> str:
        """1,234.50, half to even; a dash for nothing."""
        if text is None:
            return "–"
        return amount(text, self.minor, sign=sign)

    def tile(self, label: str, text: str | None, note: str = "", *, tone: bool = False) -> Tile:
        how: Tone = ""
        if tone and text is not None and Decimal(text):
            how = "good" if Decimal(text) > 0 else "bad"
        return Tile(label, self.money(text, sign=tone), note, how)

    # --- Sections ---------------------------------------------------------------------------------

    def equity(self) -> Section:
        days = self.found.calendar
        labels = [_day(days[number].day) for number in (0, len(days) // 2, -1)] if days else []
        values = [float(each.equity) for each in days]
        falls = _falls(values, [float(each.flows) for each in days])
        return Section(
            "Equity",
            [
                Chart(
                    title=f"Equity at the end of each day, {self.currency}", form="line",
                    values=values, labels=labels,
                ),
                Chart(
                    title=f"Below the highest so far, {self.currency}", form="line", values=falls,
                    labels=labels, is_below=True,
                ),
            ],
        )  # fmt: skip

    def calendar(self) -> Section:
        days = self.found.calendar
        first = (date.fromisoformat(days[0].day) - date(1970, 1, 1)).days if days else 0
        months: dict[str, Decimal] = {}
        for each in days:
            months[each.day[:7]] = months.get(each.day[:7], Decimal()) + Decimal(each.gained)
        newest = list(months.items())[-24:]
        return Section(
            "Days and months",
            [
                Chart(
                    title="Gained each day", form="days", first_day=first,
                    values=[float(each.gained) for each in days], labels=[], unit=self.currency,
                ),
                Chart(
                    title=f"Gained each month, {self.currency}", form="bars",
                    values=[float(units) for _, units in newest],
                    labels=[month for month, _ in newest],
                ),
            ],
        )  # fmt: skip

    def habits(self) -> Section:
        found = self.found
        hours = {each.key: each for each in found.by_hour}
        week = {each.key: each for each in found.by_weekday}
        names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

        def net(each: TallyLine | None) -> float:
            return float(each.net) if each else 0.0

        every = [f"{hour:02}" for hour in range(24)]
        return Section(
            "When",
            [
                Chart(
                    title=f"Net result by the hour of opening, {found.time_zone}", form="bars",
                    values=[net(hours.get(hour)) for hour in every], labels=every,
                ),
                Chart(
                    title="Net result by weekday", form="bars",
                    values=[net(week.get(name)) for name in names], labels=list(names),
                ),
            ],
        )  # fmt: skip

    def tallies(self, title: str, first: str, lines: Sequence[TallyLine]) -> Table:
        return Table(
            title,
            [Column(first), *(Column(name, is_number=True) for name in _TALLY)],
            [
                [
                    each.key, str(each.trades), percent(each.win_rate), plain(each.profit_factor),
                    self.money(each.expectancy), self.money(each.fees), self.money(each.net),
                ]
                for each in lines
            ],
            "No trade has ended.",
        )  # fmt: skip

    def held(self) -> Table:
        heads = ("Quantity", "Cost", "Realized", "Fees", "Open gain")
        return Table(
            "Open positions",
            [Column("Instrument"), Column("Side"), *(Column(n, is_number=True) for n in heads)],
            [
                [
                    each.symbol, each.side, each.qty, self.money(each.cost),
                    self.money(each.realized), self.money(each.fees), self.money(each.gain),
                ]
                for each in self.found.held
            ],
            "Nothing is open.",
        )  # fmt: skip

    def reconciled(self) -> Table:
        heads = (
            "Opening", "Came in", "Trades", "Fees", "Financing", "Other", "Open cost", "Ledger",
            "Difference",
        )  # fmt: skip
        rows = []
        for each in self.found.reconciliation:
            came = Decimal(each.deposits) + Decimal(each.transfers)
            trades = Decimal(each.trips) + Decimal(each.held)
            other = Decimal(each.other) + Decimal(each.basis)
            amounts: list[Decimal | str] = [
                each.opening, came, trades, each.fees, each.financing, other, each.cost,
                each.ledger, each.difference,
            ]  # fmt: skip
            rows.append([each.asset, *(exact(amount) for amount in amounts)])
        return Table(
            "Reconciled with the ledger",
            [Column("Asset"), *(Column(name, is_number=True) for name in heads)],
            rows,
            "Nothing has moved.",
            csv="reconciliation",
        )


_TALLY: Final = ("Trades", "Win rate", "Profit factor", "Expectancy", "Fees", "Net")


def _performance(w: Writer) -> tuple[list[Tile], list[Section]]:
    found, total, worst = w.found, w.found.total, w.found.drawdown.deepest
    tiles = [
        w.tile("Net result", total.net, f"{total.trades} trades", tone=True),
        Tile("Win rate", percent(total.win_rate), f"{total.wins} won, {total.losses} lost"),
        Tile("Profit factor", plain(total.profit_factor), "won / lost, net"),
        w.tile("Expectancy", total.expectancy, "a trade", tone=True),
        w.tile(
            "Deepest drawdown", worst.depth if worst else "0", percent(worst.ratio) if worst else ""
        ),
        w.tile("Equity", found.equity, f"in {found.currency}"),
    ]
    pairs = [
        ("Average win", w.money(total.average_win)), ("Average loss", w.money(total.average_loss)),
        ("Payoff ratio", plain(total.payoff_ratio)), ("Largest win", w.money(found.largest_win)),
        ("Largest loss", w.money(found.largest_loss)), ("Fees", w.money(total.fees)),
        ("Longest run of wins", str(found.streaks.wins_max)),
        ("Longest run of losses", str(found.streaks.losses_max)),
        ("Held on average", span(found.holding.average_s)),
        ("Wins held", span(found.holding.wins_s)), ("Losses held", span(found.holding.losses_s)),
        ("Time in the market", percent(found.holding.in_market)),
        ("MAE on average", w.money(found.excursions.adverse)),
        ("MFE on average", w.money(found.excursions.favorable)),
        ("SQN", plain(found.sqn)), ("Kelly share", percent(found.kelly)),
    ]  # fmt: skip
    ratios = found.ratios
    yearly = [
        ("Total return", percent(ratios.total_return)),
        ("Annualized return", percent(ratios.annualized_return)),
        ("Volatility, annualized", percent(ratios.volatility)),
        ("Sharpe ratio", plain(ratios.sharpe)), ("Sortino ratio", plain(ratios.sortino)),
        ("Calmar ratio", plain(ratios.calmar)), ("Omega ratio", plain(ratios.omega)),
        ("Best day", percent(ratios.best_day)), ("Worst day", percent(ratios.worst_day)),
        ("Deepest drawdown", percent(ratios.max_drawdown)),
        ("Downside deviation, a day", percent(ratios.downside_deviation)),
        ("Adjusted Sharpe ratio", plain(ratios.adjusted_sharpe)),
        ("Omega-Sharpe ratio", plain(ratios.omega_sharpe)), ("D ratio", plain(ratios.d_ratio)),
        ("Kappa, order 2", plain(ratios.kappa)), ("Pain ratio", plain(ratios.pain_ratio)),
        ("Martin ratio", plain(ratios.martin_ratio)), ("Burke ratio", plain(ratios.burke)),
    ]  # fmt: skip
    weighted = [
        ("Time-weighted", percent(found.weighted.time_weighted)),
        ("Money-weighted", percent(found.weighted.money_weighted)),
        ("Modified Dietz", percent(found.weighted.modified_dietz)),
        ("Internal rate, a year", percent(found.weighted.irr)),
    ]
    sections = [
        w.equity(),
        Section("Trades", [_pairs("Of all trades", pairs), _spread(w)]),
        Section(
            "By instrument and side",
            [
                w.tallies("By instrument", "Instrument", found.by_symbol),
                w.tallies("By side", "Side", found.by_side),
            ],
        ),
        w.habits(),
        w.calendar(),
        Section(
            "Returns",
            [
                _pairs(f"Of daily returns, {ratios.periods} to a year", yearly),
                _pairs("Of the whole time", weighted),
            ],
        ),
        Section("Positions and ledger", [w.held(), w.reconciled()]),
    ]
    return tiles, sections


def _risk(w: Writer) -> tuple[list[Tile], list[Section]]:
    found, fall = w.found, w.found.drawdown
    worst = fall.deepest
    daily = sorted(float(each.gained) for each in found.calendar)
    tiles = [
        w.tile(
            "Deepest drawdown", worst.depth if worst else "0", percent(worst.ratio) if worst else ""
        ),
        w.tile("Drawdown now", fall.current),
        Tile("Longest drawdown", span(fall.longest_days * 86_400), f"{fall.count} in all"),
        Tile("Risk of ruin", percent(found.risk_of_ruin), "at most; see the notes"),
        Tile("Value at risk", _quantile(w, daily, 0.05), "a day, 95 %, of its own days"),
        Tile("Discipline", plain(found.discipline.score, 1), "of 100"),
    ]
    ratios = found.ratios
    figures = [
        ("Volatility, annualized", percent(ratios.volatility)),
        ("Worst day", percent(ratios.worst_day)),
        ("Ulcer index", plain(ratios.ulcer_index)), ("Skewness", plain(ratios.skewness)),
        ("Kurtosis", plain(ratios.kurtosis)), ("Kelly share", percent(found.kelly)),
        ("MAE on average", w.money(found.excursions.adverse)),
        ("MFE over MAE", plain(found.excursions.edge_ratio)),
        ("Largest loss", w.money(found.largest_loss)),
        ("Longest run of losses", str(found.streaks.losses_max)),
    ]  # fmt: skip
    worst_days = sorted(found.calendar, key=lambda each: Decimal(each.gained))[:10]
    bad = [each for each in worst_days if Decimal(each.gained) < 0]
    rows = [
        [each.day, w.money(each.gained), w.money(each.equity), str(each.trades)] for each in bad
    ]
    heads = [
        Column("Day"),
        *(Column(name, is_number=True) for name in ("Gained", "Equity", "Trades")),
    ]
    sections = [
        w.equity(),
        Section("Figures", [_pairs("Risk", figures), _spread(w)]),
        Section("Worst days", [Table("", heads, rows, "No day has lost.")]),
        Section("Exposure", [w.held(), w.tallies("By instrument", "Instrument", found.by_symbol)]),
        Section("Discipline", [_habit_table(w)]),
    ]
    return tiles, sections


def _history(w: Writer) -> tuple[list[Tile], list[Section]]:
    found, sheet = w.found, w.sheet
    fills = sheet.history.fills
    tiles = [
        Tile("Executions", f"{len(fills):,}"),
        Tile("Trades", f"{found.total.trades:,}", "round trips that ended"),
        w.tile("Net result", found.total.net, tone=True),
        w.tile("Fees", found.total.fees, "of trades that ended"),
    ]
    return tiles, [
        Section("Trades", [_trip_table(w)]),
        Section("Executions", [_fill_table(w)]),
        Section("Other movements", [_flow_table(w)]),
        Section("Positions and ledger", [w.held(), w.reconciled()]),
    ]


def _trip_table(w: Writer) -> Table:
    minor = w.minor
    return Table(
        "",
        [
            Column("Opened"), Column("Held"), Column("Instrument"), Column("Side"),
            Column("Quantity", is_number=True), Column("Entry", is_number=True),
            Column("Exit", is_number=True), Column("Fees", is_number=True, decimals=minor),
            Column("Net", is_number=True, decimals=minor),
        ],
        [
            [
                _time(line.opened_at), span(line.held_s), line.symbol, line.side, line.qty,
                line.entry_px, line.exit_px, line.fees, line.net,
            ]
            for line in (w.sheet.trip_line(trip) for trip in w.sheet.book.trips)
        ],
        "No trade has ended.",
        csv="trades",
    )  # fmt: skip


def _fill_table(w: Writer) -> Table:
    history = w.sheet.history
    rows = []
    for fill in history.fills:
        terms = history.instruments[fill.symbol]
        asset = history.assets[terms.quote]
        rows.append(
            [
                _time(moment(fill.at)), fill.exec_id, fill.symbol,
                "buy" if fill.lots > 0 else "sell", terms.qty_text(abs(fill.lots)),
                exact(Decimal(fill.gross).scaleb(-asset.decimals)),
                exact(Decimal(fill.fee).scaleb(-asset.decimals)), str(terms.quote),
            ]
        )  # fmt: skip
    return Table(
        "",
        [
            Column("Time"), Column("Execution"), Column("Instrument"), Column("Side"),
            Column("Quantity", is_number=True),
            Column("Amount", is_number=True, decimals=w.minor),
            Column("Fee", is_number=True, decimals=w.minor), Column("In"),
        ],
        rows,
        "Nothing was executed.",
        csv="executions",
    )  # fmt: skip


def _flow_table(w: Writer) -> Table:
    history = w.sheet.history
    return Table(
        "",
        [
            Column("Time"), Column("What"), Column("About"), Column("Amount", is_number=True),
            Column("In"),
        ],
        [
            [
                _time(moment(flow.at)), flow.kind.replace("_", " "), flow.about,
                exact(Decimal(flow.units).scaleb(-history.assets[flow.asset].decimals)),
                str(flow.asset),
            ]
            for flow in history.flows
        ],
        "Nothing came in or went out.",
        csv="movements",
    )  # fmt: skip


def _compliance(w: Writer) -> tuple[list[Tile], list[Section]]:
    habits, history = w.found.discipline, w.sheet.history
    tiles = [
        Tile("Orders", f"{habits.orders:,}"),
        Tile(
            "Refused",
            f"{habits.refused:,}",
            percent(habits.refused_share),
            "bad" if habits.refused else "good",
        ),
        Tile("Canceled", f"{habits.canceled:,}"),
        Tile(
            "Ledger",
            "reconciled" if _agrees(w) else "differs",
            "to the unit",
            "good" if _agrees(w) else "bad",
        ),
    ]
    refused = [
        [_time(moment(each.at)), each.symbol, each.reason.replace("_", " ")]
        for each in history.refusals
    ]
    reasons = [[name.replace("_", " "), str(count)] for name, count in habits.reasons.items()]
    sections = [
        Section(
            "Orders that a rule has refused",
            [
                Words(
                    "Each stands in the journal with the rule, its value and limit, and the marks "
                    "that it was decided on: GET /api/orders?ord_status=rejected, GET /api/why/…"
                ),
                Table("By rule", [Column("Rule"), Column("Orders", is_number=True)], reasons),
                Table(
                    "",
                    [Column("Time"), Column("Instrument"), Column("Rule")],
                    refused,
                    csv="refusals",
                ),
            ],
        ),
        Section("Discipline", [_habit_table(w)]),
        Section("Ledger", [w.reconciled()]),
    ]
    return tiles, sections


def _agrees(w: Writer) -> bool:
    return all(not Decimal(line.difference) for line in w.found.reconciliation)


def _habit_table(w: Writer) -> Table:
    habits = w.found.discipline
    return Table(
        f"Score {plain(habits.score, 1)} of 100",
        [Column("Habit"), Column("Share", is_number=True)],
        [
            ["Orders that a rule has refused", percent(habits.refused_share)],
            ["Trades after a loss that staked more", percent(habits.larger_after_loss)],
            ["Trades within five minutes after a loss", percent(habits.hasty_after_loss)],
            ["Losses held longer than wins", percent(habits.held_too_long)],
        ],
    )


def _spread(w: Writer) -> Chart:
    bins = w.found.distribution
    return Chart(
        title=f"Trades by their net result, {w.currency}", form="bars",
        values=[float(each.trades) for each in bins],
        labels=[_bin_label(each.low) for each in bins],
    )  # fmt: skip


def _bin_label(low: str) -> str:
    value = float(low)
    return f"{value:.0f}" if abs(value) >= 10 or value == floor(value) else f"{value:.2f}"


def _pairs(title: str, pairs: Sequence[tuple[str, str]]) -> Table:
    """Two figures on a row."""
    half = -(-len(pairs) // 2)
    rows = []
    for number in range(half):
        right = pairs[half + number] if half + number < len(pairs) else ("", "")
        rows.append([*pairs[number], *right])
    columns = [Column("", is_number=False), Column("", is_number=True)] * 2
    return Table(title, columns, rows)


def _quantile(w: Writer, daily: Sequence[float], share: float) -> str:
    """The loss that a day exceeds with that share; of fewer than twenty days there is none."""
    if len(daily) < 20:
        return "–"
    loss = -daily[int(share * len(daily))]
    return w.money(f"{max(loss, 0.0):.8f}")


def _falls(values: Sequence[float], flows: Sequence[float]) -> list[float]:
    """Below the highest so far, with what came in and went out taken out of both."""
    found, peak, came = [], 0.0, 0.0
    for number, (value, flow) in enumerate(zip(values, flows, strict=True)):
        came += flow
        peak = value - came if not number else max(peak, value - came)
        found.append(min(value - came - peak, 0.0))
    return found


def _notes(kind: ReportKind) -> list[str]:
    notes = [
        "Made from the journal up to the position above, and from the prices named below; the same "
        "report made again has the same hash, which stands in the journal.",
    ]
    if kind is not ReportKind.COMPLIANCE:
        notes.append(
            f"A trade is a round trip: {_WORDS}. Its net result is after fees and financing."
        )
    if kind is ReportKind.PERFORMANCE_METRICS:
        notes.append(
            "Profit factor: what wins have brought over what losses have cost, both net. "
            "Expectancy: the net result of a trade on average. MAE and MFE: how far a trade went "
            "below and above nought while it was open."
        )
    if kind is ReportKind.RISK_ANALYSIS:
        notes.append(
            "Risk of ruin: Lundberg's bound on ever losing all of the equity, each trade drawn "
            "anew from those that were made. Value at risk: the loss that one in twenty of the "
            "account's own days has exceeded."
        )
    return notes


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f} %".replace("-", "−")


def plain(value: float | None, decimals: int = 2) -> str:
    return "–" if value is None else f"{value:,.{decimals}f}".replace("-", "−")


def exact(amount: Decimal | str) -> str:
    """All its digits and no more: what reconciles to the unit."""
    found = f"{Decimal(amount):f}"
    return (found.rstrip("0").rstrip(".") if "." in found else found) or "0"


def span(seconds: float) -> str:
    """Two units at most: "2 d 4 h", "40 s"."""
    if seconds < 1:
        return f"{1_000 * seconds:.0f} ms"
    left = round(seconds)
    parts = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def _time(text: str) -> str:
    return text[:19].replace("T", " ")


def _day(text: str) -> str:
    return text


_KINDS: Final = {
    ReportKind.TRADE_HISTORY: _history,
    ReportKind.PERFORMANCE_METRICS: _performance,
    ReportKind.RISK_ANALYSIS: _risk,
    ReportKind.COMPLIANCE: _compliance,
}
