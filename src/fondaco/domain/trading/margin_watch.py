"""Who watches the equity of margin accounts. An observation, not a decision: the account decides.

It hears what was written and every mark, keeps the flat kernel of `equity.py` fed, and says whom to
ask. Before it asks, it asks the account's own rule with what the account knows now: a suspicion
that the rule does not share costs no entry, and is looked at again a moment later. It may be thrown
away: the states of the accounts fill it anew.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.reference.model import Margin
from fondaco.domain.trading.equity import SOUND, Equity
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
from fondaco.domain.trading.lines import PricedLines, Slot, marking_unit
from fondaco.domain.trading.model import AccountState, AccountType, TradingRefs
from fondaco.domain.trading.rules.liquidation import check
from fondaco.domain.trading.rules.margin import CASH
from fondaco.kernel.event import CommandId, Entry, Event, Instant, StreamId
from fondaco.kernel.money import AssetCode

PPM: Final = 1_000_000
FULL: Final = [(1 << 51, PPM, PPM, 0)]  # what has no rates is paid for in full
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
        self._lines = PricedLines(refs, self._kernel, self._terms)
        self._wanted: dict[int, Instant] = {}  # accounts to look at, and when
        self._next_checked = 0
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
        lines, account.costs = self._lines.of(state)
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

    def _set_cash(self, number: int) -> None:
        account, cash = self._accounts[number], self._accounts[number].cash
        if cash > 0:
            cash = cash * self._keeps(self._refs.currency) // PPM
        self._kernel.set_cash(number, (cash - account.costs) // self._lines.unit)

    # What the house decides

    def retune(self) -> None:
        """Rates, haircuts, levels or instruments have changed."""
        changed = self._tune_levels()
        changed += self._lines.retune()
        for number, account in enumerate(self._accounts):
            state = self._peek(account.stream)
            if state is not None:
                self.load(account.stream, state)
            elif not account.doubted:
                self._set_cash(number)
        self._suspect(dict.fromkeys(changed))

    def _tune_levels(self) -> list[int]:
        self._lines.unit = marking_unit(self._refs)
        rules = self._refs.margin_rules
        shares = {bps - down for bps in rules.warning_bps for down in (0, rules.hysteresis_bps)}
        self._shares = sorted(bps for bps in shares if bps > 0)
        changed: list[int] = self._kernel.set_warnings(self._shares)
        return changed

    def _keeps(self, asset: AssetCode) -> int:
        return PPM - self._refs.haircuts.get(asset, 0)

    def _terms(self, slot: Slot) -> dict[str, Any]:
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
        before, unit = 0, self._lines.unit
        for tier in margin.tiers:
            bound = tier.notional_max // unit if tier.notional_max else 1 << 51
            if bound > before:
                less = min(tier.deduction // unit, 1 << 50)
                tiers.append((bound, tier.initial_ppm, tier.maintenance_ppm, less))
                before = bound
        return tiers

    # What the market does

    def see(self, mark: Mark) -> bool:
        """The instrument has another mark, and the rates have followed it; whether anybody's level
        has changed by it. A bad mark moves nothing: no account is judged by it."""
        if mark.quality is not Quality.OK:
            return False
        changed = self._lines.see(mark)
        self._suspect(changed)
        return bool(changed)

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
            sums = self._kernel.sums(number)
            equity, initial, maintenance = (each * self._lines.unit for each in sums)
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
