"""Who watches the equity of margin accounts. An observation, not a decision: the account decides.

It hears what was written and every mark, keeps the flat kernel of `equity.py` fed, and says whom to
ask. Before it asks, it asks the account's own rule with what the account knows now: a suspicion
that the rule does not share costs no entry, and is looked at again a moment later. It may be thrown
away: the states of the accounts fill it anew.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.reference.model import PEGS, InstrumentKind, Margin, Symbol
from fondaco.domain.trading.equity import SOUND, Equity, fixed
from fondaco.domain.trading.events import (
    CancelRequested,
    ChangeDenied,
    CheckEquity,
    LimitsSet,
    NothingToDo,
    OrderAccepted,
    OrderRejected,
    OrderReleased,
    OrderReplaced,
    OrderResolved,
    OrderTrailed,
    OrderTriggered,
    OrderUnknown,
    ReplaceRequested,
    ReportUnmatched,
    SessionRolled,
)
from fondaco.domain.trading.model import AccountState, AccountType, Rate, TradingRefs
from fondaco.domain.trading.rules.liquidation import check
from fondaco.domain.trading.rules.margin import CASH
from fondaco.kernel.event import CommandId, Entry, Event, Instant, StreamId
from fondaco.kernel.money import AssetCode

PPM: Final = 1_000_000
FULL: Final = [(1 << 51, PPM, PPM, 0)]  # what has no rates is paid for in full
MARKING_DECIMALS: Final = 4  # of the currency, in the kernel: a hundredth of a cent
SLACK: Final = 3
SLACK_CONVERTED: Final = 1_000  # a contract is rounded in its quote asset, whose unit may be dear
LOOK_AGAIN_NS: Final = 250_000_000  # at a suspicion that the account's rule did not share
ASK_AGAIN_NS: Final = 1_000_000_000  # where an answer is on its way, or got lost
LOOKS_MAX: Final = 64  # at a time: a crash of the market must leave the loop to others too
RECHECKED: Final = 4  # accounts whose lines are compared with their state each time

# What neither moves an account nor lets its liquidation go on; whatever is not here may.
STILL: Final[frozenset[type[Event]]] = frozenset(
    {
        CancelRequested,
        ChangeDenied,
        LimitsSet,
        NothingToDo,
        OrderAccepted,
        OrderRejected,
        OrderReleased,
        OrderReplaced,
        OrderTrailed,
        OrderTriggered,
        OrderResolved,
        OrderUnknown,
        ReplaceRequested,
        ReportUnmatched,
        SessionRolled,
    }
)


class _Slot(NamedTuple):
    """One slot of the kernel: an asset, a contract, or what contracts have cost in an asset."""

    number: int
    asset: AssetCode  # whose rate it moves with
    contract: Symbol | None = None
    is_cost: bool = False


class _Account:
    """What is remembered of an account beside its numbers."""

    __slots__ = ("cash", "costs", "doubted", "lines", "liquidating", "stream", "told_bps")

    def __init__(self, stream: StreamId) -> None:
        self.stream = stream
        self.lines: dict[int, int] = {}  # quantity by slot
        self.cash = 0  # ledger units
        self.costs = 0  # of contracts in the currency
        self.told_bps = 0
        self.liquidating = False
        self.doubted = False


class Near(NamedTuple):
    """An account and how near it is, on the safe side: ledger units of the currency."""

    stream: StreamId
    equity: int
    initial: int
    maintenance: int
    level_bps: int  # that maintenance takes of equity, at least, among those looked for
    liquidating: bool


class MarginWatch:
    """Belongs to the loop's thread. `peek` gives the state of an account that is in memory."""

    def __init__(self, refs: TradingRefs, peek: Callable[[StreamId], AccountState | None]) -> None:
        self._refs = refs
        self._peek = peek
        self._shares: list[int] = []  # of equity, where levels of the kernel begin
        self._kernel = Equity([])
        self._accounts: list[_Account] = []
        self._numbers: dict[StreamId, int] = {}
        self._assets: dict[AssetCode, _Slot] = {}
        self._costs: dict[AssetCode, _Slot] = {}
        self._contracts: dict[Symbol, _Slot] = {}
        self._priced: dict[int, tuple[Rate | None, int]] = {}  # by slot: what it was priced at
        self._wanted: dict[int, Instant] = {}  # accounts to look at, and when
        self._next_checked = 0
        self._unit = 1
        self._tune_levels()

    def __len__(self) -> int:
        return len(self._accounts)

    def streams(self) -> list[StreamId]:
        """Of all accounts that are watched."""
        return list(self._numbers)

    # What was written

    def note(self, entries: Sequence[Entry]) -> None:
        """Look at the accounts among them that are watched; those who pay in cash pay nothing."""
        if self._numbers:
            for entry in entries:
                number = self._numbers.get(entry.stream)
                if number is not None and type(entry.event) not in STILL:
                    self._moved(number, entry)

    def _moved(self, number: int, entry: Entry) -> None:
        state = self._peek(entry.stream)
        if state is not None:
            self.load(entry.stream, state)
        if self._wants(number):
            self._wanted[number] = Instant(0)

    def load(self, stream: StreamId, state: AccountState) -> None:
        """Watch the account as it is now; one that pays in cash is left alone."""
        if state.account_type is not AccountType.MARGIN:
            return
        number = self._numbers.get(stream)
        if number is None:
            number = self._numbers[stream] = self._kernel.add_account()
            self._accounts.append(_Account(stream))
        account = self._accounts[number]
        account.told_bps, account.liquidating = state.warned_bps, state.liquidating
        lines, account.costs = self._lines_of(state)
        account.cash = state.balances.get(self._refs.currency, 0)
        doubted = False
        changed = {slot: 0 for slot in account.lines if slot not in lines}
        changed |= {slot: q for slot, q in lines.items() if account.lines.get(slot) != q}
        try:
            for slot, qty in changed.items():
                self._kernel.set_qty(number, slot, qty)
                account.lines[slot] = qty
            self._set_cash(number)
        except OverflowError:  # beyond the kernel's numbers: look at it whenever there is time
            doubted = True
        account.lines = {slot: qty for slot, qty in account.lines.items() if qty}
        if doubted or account.doubted:
            self._kernel.set_doubt(number, doubted)
            account.doubted = doubted
        self._suspect((number,))

    def _lines_of(self, state: AccountState) -> tuple[dict[int, int], int]:
        """Quantity by slot, and what its contracts in the currency have cost."""
        currency, lines, costs = self._refs.currency, dict[int, int](), 0
        for asset, units in state.balances.items():
            if units and asset != currency:
                lines[self._asset(asset).number] = units
        for symbol, position in state.positions.items():
            instrument = self._refs.instruments.get(symbol)
            if instrument is None or instrument.kind is not InstrumentKind.LINEAR:
                continue
            if position.lots:
                lines[self._contract(symbol, instrument.quote).number] = position.lots
            if instrument.quote == currency:
                costs += position.cost
            elif position.cost:
                slot = self._cost(instrument.quote).number
                lines[slot] = lines.get(slot, 0) - position.cost
        return lines, costs

    def _set_cash(self, number: int) -> None:
        account, cash = self._accounts[number], self._accounts[number].cash
        if cash > 0:
            cash = cash * self._keeps(self._refs.currency) // PPM
        self._kernel.set_cash(number, (cash - account.costs) // self._unit)

    # What the house decides

    def retune(self) -> None:
        """Rates, haircuts, levels or instruments have changed."""
        changed = self._tune_levels()
        slots = (*self._assets.values(), *self._costs.values(), *self._contracts.values())
        for slot in slots:
            terms = self._terms(slot)
            changed += self._kernel.set_terms(slot.number, terms.pop("tiers"), **terms)
            changed += self._price(slot)
        for number, account in enumerate(self._accounts):
            state = self._peek(account.stream)
            if state is not None:
                self.load(account.stream, state)
            elif not account.doubted:
                self._set_cash(number)
        self._suspect(dict.fromkeys(changed))

    def _tune_levels(self) -> list[int]:
        currency = self._refs.assets.get(self._refs.currency)
        self._unit = 10 ** max((8 if currency is None else currency.decimals) - MARKING_DECIMALS, 0)
        rules = self._refs.margin_rules
        shares = {bps - down for bps in rules.warning_bps for down in (0, rules.hysteresis_bps)}
        self._shares = sorted(bps for bps in shares if bps > 0)
        changed: list[int] = self._kernel.set_warnings(self._shares)
        return changed

    def _keeps(self, asset: AssetCode) -> int:
        return PPM - self._refs.haircuts.get(asset, 0)

    def _terms(self, slot: _Slot) -> dict[str, Any]:
        if slot.is_cost:
            return {"tiers": [], "slack": SLACK_CONVERTED}
        if slot.contract is not None:
            margin = self._refs.margins.get(slot.contract)
            converted = slot.asset != self._refs.currency
            return {
                "tiers": self._tiers(margin),
                "slack": SLACK_CONVERTED if converted else SLACK,
            }
        home = self._refs.homes.get(slot.asset)
        margin = None if home is None else self._refs.margins.get(home)
        known = self._refs.assets.get(slot.asset)
        is_cash = margin is None and known is not None and known.asset_class == CASH
        tiers = [] if is_cash else self._tiers(margin)
        return {"tiers": tiers, "keeps_ppm": self._keeps(slot.asset), "slack": SLACK}

    def _tiers(self, margin: Margin | None) -> list[tuple[int, int, int, int]]:
        """In marking units: boundaries and deductions rounded down, hence `SLACK`."""
        if margin is None:
            return FULL
        tiers: list[tuple[int, int, int, int]] = []
        before = 0
        for tier in margin.tiers:
            bound = tier.notional_max // self._unit if tier.notional_max else 1 << 51
            if bound > before:
                less = min(tier.deduction // self._unit, 1 << 50)
                tiers.append((bound, tier.initial_ppm, tier.maintenance_ppm, less))
                before = bound
        return tiers

    # What the market does

    def see(self, mark: Mark) -> bool:
        """The instrument has another mark, and the rates have followed it; whether anybody's level
        has changed by it. A bad mark moves nothing: no account is judged by it."""
        if mark.quality is not Quality.OK:
            return False
        contract = self._contracts.get(mark.symbol)
        if contract is not None:
            slots = [contract]
        else:
            instrument = self._refs.instruments.get(mark.symbol)
            if instrument is None or instrument.kind is InstrumentKind.LINEAR:
                return False
            moved = [instrument.base]
            if instrument.base in PEGS:  # others are rated through it
                moved = list(dict.fromkeys((*moved, *self._assets, *self._costs)))
            slots = [slot for asset in moved for slot in self._with(asset)]
        changed = [number for slot in slots for number in self._price(slot)]
        self._suspect(changed)
        return bool(changed)

    def _with(self, asset: AssetCode) -> Iterator[_Slot]:
        """Slots that move with the rate of an asset."""
        for slots in (self._assets, self._costs):
            slot = slots.get(asset)
            if slot is not None:
                yield slot
        for slot in self._contracts.values():
            if slot.asset == asset:
                yield slot

    def _asset(self, asset: AssetCode) -> _Slot:
        slot = self._assets.get(asset)
        if slot is None:
            slot = self._assets[asset] = self._new(_Slot(len(self._priced), asset))
        return slot

    def _cost(self, asset: AssetCode) -> _Slot:
        slot = self._costs.get(asset)
        if slot is None:
            slot = _Slot(len(self._priced), asset, is_cost=True)
            self._costs[asset] = self._new(slot)
        return slot

    def _contract(self, symbol: Symbol, quote: AssetCode) -> _Slot:
        slot = self._contracts.get(symbol)
        if slot is None:
            slot = self._contracts[symbol] = self._new(_Slot(len(self._priced), quote, symbol))
        return slot

    def _new(self, slot: _Slot) -> _Slot:
        terms = self._terms(slot)
        self._kernel.add_slot(terms.pop("tiers"), **terms)
        self._priced[slot.number] = (None, 0)
        self._price(slot)
        return slot

    def _price(self, slot: _Slot) -> list[int]:
        """At its rate and its mark; the accounts whose level that has changed."""
        rate, px = self._refs.rates.get(slot.asset), 0
        if rate is None:
            return []
        num, den = rate.num, rate.den * self._unit
        if slot.contract is not None:
            mark, instrument = self._mark_of(slot.contract)
            if mark is None or instrument is None:
                return []
            px = mark.px
            num, den = num * px * instrument.cost_num, den * instrument.cost_den
        was = self._priced[slot.number]
        if was[0] is rate and was[1] == px:
            return []
        self._priced[slot.number] = (rate, px)
        try:
            low, high, shift = fixed(num, den)
        except OverflowError:  # a unit of it is worth more than a continent: suspect its holders
            low, high, shift = fixed((1 << 61) - 1, 1)
        changed: list[int] = self._kernel.set_price(slot.number, low, high, shift)
        return changed

    def _mark_of(self, symbol: Symbol) -> tuple[Mark | None, Any]:
        return self._refs.marks.get(symbol), self._refs.instruments.get(symbol)

    # Whom to ask

    def _suspect(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            if self._wants(number):
                self._wanted.setdefault(number, Instant(0))
            else:
                self._wanted.pop(number, None)

    def _wants(self, number: int) -> bool:
        """Whether the account may have something to say."""
        account, level = self._accounts[number], self._kernel.level(number)
        if account.liquidating or level > len(self._shares):
            return True
        reached = self._shares[level - 1] if level else 0
        told, rules = account.told_bps, self._refs.margin_rules
        if max((bps for bps in rules.warning_bps if bps <= reached), default=0) > told:
            return True
        return bool(told) and reached < max(told - rules.hysteresis_bps, 1)

    def due(self, now: Instant, mark: Mark | None = None) -> list[tuple[StreamId, CheckEquity]]:
        """Whom to ask now; `mark` is what has just moved. Nobody is asked again within a second,
        unless something was written meanwhile."""
        if not self._wanted:
            return []
        ready = [number for number, at in self._wanted.items() if at <= now]
        if len(ready) > LOOKS_MAX:  # those that are worst off first
            ready.sort(key=self._kernel.level, reverse=True)
        asked: list[tuple[StreamId, CheckEquity]] = []
        for number in ready[:LOOKS_MAX]:
            account = self._accounts[number]
            marks = () if mark is None else (mark,)
            command = CheckEquity(CommandId(f"equity/{now}"), now, marks)
            state = self._peek(account.stream)
            if state is None or _says(check(state, command, self._refs)):
                asked.append((account.stream, command))
                self._wanted[number] = Instant(now + ASK_AGAIN_NS)
            else:
                self._wanted[number] = Instant(now + LOOK_AGAIN_NS)
        return asked

    def asks_at(self) -> Instant | None:
        """When somebody is asked next who then has something to say; None: nobody."""
        found = []
        for number, at in self._wanted.items():
            state = self._peek(self._accounts[number].stream)
            command = CheckEquity(CommandId(""), at)
            if state is None or _says(check(state, command, self._refs)):
                found.append(at)
        return min(found, default=None)

    def compare(self) -> None:
        """A few accounts in turn against their states: one whose turns were lost with the disk may
        have been seen ahead of what became of it."""
        for _ in range(min(RECHECKED, len(self._accounts))):
            self._next_checked = (self._next_checked + 1) % len(self._accounts)
            stream = self._accounts[self._next_checked].stream
            state = self._peek(stream)
            if state is not None:
                self.load(stream, state)

    # What is known

    def nearest(self, limit: int) -> list[Near]:
        """Those with a requirement, the least covered first."""
        found: list[Near] = []
        for number in self._kernel.nearest(limit):
            account, level = self._accounts[number], self._kernel.level(number)
            equity, initial, maintenance = (each * self._unit for each in self._kernel.sums(number))
            share = (*self._shares, 10_000)[level - 1] if level else 0
            found.append(
                Near(account.stream, equity, initial, maintenance, share, account.liquidating)
            )
        return found

    def counts(self) -> dict[str, int]:
        """Accounts by what was told of them, and those that the kernel suspects."""
        liquidating = sum(each.liquidating for each in self._accounts)
        warned = sum(bool(each.told_bps) and not each.liquidating for each in self._accounts)
        return {
            "watched": len(self._accounts),
            "warned": warned,
            "liquidating": liquidating,
            "sound": self._kernel.count(SOUND),
        }


def _says(events: Sequence[Event]) -> bool:
    return not all(isinstance(event, NothingToDo) for event in events)
