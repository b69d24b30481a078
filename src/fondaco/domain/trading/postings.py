"""What the events of accounts and venues post in the ledger. Pure.

A fill posts against the clearing account of its venue, and so does the venue's execution; both at
the fill's own cost rounded down, so that clearing is zero once both are applied. `residue`, which
is what the client's amount differs from that, goes to `house/rounding` or comes from it.

A contract posts nothing until a position in it is reduced: then what that has gained or lost, from
the other side of all contracts at that venue, `market/<mic>`. So does an event contract that has
settled: what it is goes back there, and what it pays comes from there.

What the pooling desk has shared out was executed by nobody beyond the house: the other side of it
is the desk's own account.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from fondaco.domain.ledger.model import (
    FEES,
    IN_TRANSIT,
    LOSSES,
    OUTSIDE,
    ROUNDING,
    SWAP,
    VIRTUAL,
    LedgerAccount,
    Poster,
    Posting,
    clearing,
    market,
    moved,
)
from fondaco.domain.reference.events import InstrumentListed
from fondaco.domain.reference.model import POOL_MIC, Instrument, InstrumentKind, Symbol
from fondaco.domain.trading.events import (
    AccountReset,
    AllocationBooked,
    CashDeposited,
    CashWithdrawn,
    ContractPaid,
    Fill,
    FillBusted,
    FillCorrected,
    FillFailed,
    GainConverted,
    NegativeBalanceCovered,
    OrderFilled,
    SwapCharged,
    TransferReceived,
    TransferSent,
    TransferVoided,
)
from fondaco.domain.trading.model import Side
from fondaco.kernel.errors import Corrupt
from fondaco.kernel.event import Entry, Event

NOTHING: Final[tuple[Posting, ...]] = ()
POOLED: Final = f"venue/{POOL_MIC}/"


class Executed(Protocol):
    """What every venue says of an execution, whichever room it lives in."""

    @property
    def symbol(self) -> Symbol: ...
    @property
    def side(self) -> Side: ...
    @property
    def fills(self) -> tuple[Fill, ...]: ...


class Busted(Protocol):
    """What a venue elsewhere says of an execution that was none, or another one: `fill`."""

    @property
    def symbol(self) -> Symbol: ...
    @property
    def side(self) -> Side: ...
    @property
    def busted(self) -> Fill: ...
    @property
    def fill(self) -> Fill | None: ...


class Postings:
    """Knows the terms of instruments, which never change: from entries, or given."""

    def __init__(self, listed: Iterable[Entry] = ()) -> None:
        self._terms: dict[Symbol, Instrument] = {}
        for entry in listed:
            if isinstance(entry.event, InstrumentListed):
                self._listed(entry)

    def posters(
        self, executed: type[Event] | None = None, busted: type[Event] | None = None
    ) -> dict[type[Event], Poster]:
        """By the type of the event; `executed` and `busted` are what venues publish: `Executed`,
        `Busted`."""
        posters: dict[type[Event], Poster] = {
            InstrumentListed: self._listed,
            CashDeposited: self._deposited,
            CashWithdrawn: self._withdrawn,
            OrderFilled: self._filled,
            TransferSent: self._sent,
            TransferReceived: self._came_in,
            TransferVoided: self._came_in,
            AccountReset: self._reset,
            NegativeBalanceCovered: self._covered,
            ContractPaid: self._paid,
            SwapCharged: self._swapped,
            GainConverted: self._converted,
            FillFailed: self._failed,
            FillBusted: self._busted,
            FillCorrected: self._corrected,
            AllocationBooked: self._allocated,
        }
        if executed is not None:
            posters[executed] = self._executed
        if busted is not None:
            posters[busted] = self._undone
        return posters

    def _listed(self, entry: Entry) -> Sequence[Posting]:
        event: InstrumentListed = entry.event  # type: ignore[assignment]
        self._terms[event.instrument.symbol] = event.instrument
        return NOTHING

    def _of(self, symbol: Symbol) -> Instrument:
        terms = self._terms.get(symbol)
        if terms is None:
            raise Corrupt(f"{symbol} was traded, but no entry lists it")
        return terms

    def _deposited(self, entry: Entry) -> Sequence[Posting]:
        event: CashDeposited = entry.event  # type: ignore[assignment]
        return (moved(LedgerAccount(entry.stream), OUTSIDE, event.asset, event.units),)

    def _withdrawn(self, entry: Entry) -> Sequence[Posting]:
        event: CashWithdrawn = entry.event  # type: ignore[assignment]
        return (moved(OUTSIDE, LedgerAccount(entry.stream), event.asset, event.units),)

    def _sent(self, entry: Entry) -> Sequence[Posting]:
        event: TransferSent = entry.event  # type: ignore[assignment]
        return (moved(IN_TRANSIT, LedgerAccount(entry.stream), event.asset, event.units),)

    def _came_in(self, entry: Entry) -> Sequence[Posting]:
        event: TransferReceived | TransferVoided = entry.event  # type: ignore[assignment]
        return (moved(LedgerAccount(entry.stream), IN_TRANSIT, event.asset, event.units),)

    def _reset(self, entry: Entry) -> Sequence[Posting]:
        event: AccountReset = entry.event  # type: ignore[assignment]
        client = LedgerAccount(entry.stream)
        return [
            moved(client, VIRTUAL, each.asset, each.after - each.before) for each in event.balances
        ]

    def _covered(self, entry: Entry) -> Sequence[Posting]:
        event: NegativeBalanceCovered = entry.event  # type: ignore[assignment]
        client = LedgerAccount(entry.stream)
        return [moved(client, LOSSES, each.asset, each.units) for each in event.covered]

    def _paid(self, entry: Entry) -> Sequence[Posting]:
        event: ContractPaid = entry.event  # type: ignore[assignment]
        client, beyond = LedgerAccount(entry.stream), market(self._of(event.symbol).mic)
        contracts = moved(beyond, client, event.base, event.base_units)
        cash = moved(client, beyond, event.quote, event.cash)
        return [contracts, cash] if event.cash else [contracts]

    def _converted(self, entry: Entry) -> Sequence[Posting]:
        event: GainConverted = entry.event  # type: ignore[assignment]
        client, beyond = LedgerAccount(entry.stream), market(self._of(event.symbol).mic)
        gone = moved(beyond, client, event.quote, event.units)
        came = moved(client, beyond, event.settle, event.settle_units)
        return [gone, came] if event.settle_units else [gone]

    def _failed(self, entry: Entry) -> Sequence[Posting]:
        """Back the way it came; but the venue's side of it stays executed, so that it is the other
        side of the market that bears it."""
        event: FillFailed = entry.event  # type: ignore[assignment]
        match, client = event.match, LedgerAccount(entry.stream)
        beyond = market(self._of(match.symbol).mic)
        sign = 1 if match.side is Side.BUY else -1
        postings = [
            moved(beyond, client, match.base, sign * match.base_units),
            moved(client, beyond, match.quote, sign * match.gross - match.residue),
            moved(client, ROUNDING, match.quote, match.residue),
            moved(client, FEES, match.quote, match.fee),
        ]
        return [posting for posting in postings if posting.units]

    def _allocated(self, entry: Entry) -> Sequence[Posting]:
        event: AllocationBooked = entry.event  # type: ignore[assignment]
        desk, between = LedgerAccount(entry.stream), clearing(self._of(event.symbol).mic)
        if event.side is Side.SELL:
            desk, between = between, desk
        base = moved(between, desk, event.base, event.base_units)
        return [base, moved(desk, between, event.quote, event.cash)] if event.cash else [base]

    def _swapped(self, entry: Entry) -> Sequence[Posting]:
        event: SwapCharged = entry.event  # type: ignore[assignment]
        client = LedgerAccount(entry.stream)
        return [moved(SWAP, client, each.asset, each.units) for each in event.charged]

    def _filled(self, entry: Entry) -> Sequence[Posting]:
        return self._trade(LedgerAccount(entry.stream), entry.event)  # type: ignore[arg-type]

    def _trade(self, client: LedgerAccount, event: OrderFilled) -> list[Posting]:
        terms = self._of(event.symbol)
        between = clearing(terms.mic)
        if event.is_contract:
            gained = moved(client, market(terms.mic), terms.quote, event.realized)
            fee = moved(FEES, client, terms.quote, event.fee)
            return [posting for posting in (gained, fee) if posting.units]
        if event.side is Side.BUY:
            base = moved(client, between, terms.base, event.base_units)
            cash = moved(between, client, terms.quote, event.gross - event.residue)
        else:
            base = moved(between, client, terms.base, event.base_units)
            cash = moved(client, between, terms.quote, event.gross + event.residue)
        # A fill may be so small that it costs nothing once rounded down: that is no posting.
        postings = [base, cash] if cash.units else [base]
        if event.residue:
            postings.append(moved(ROUNDING, client, terms.quote, event.residue))
        if event.fee:
            postings.append(moved(FEES, client, terms.quote, event.fee))
        return postings

    def _busted(self, entry: Entry) -> Sequence[Posting]:
        return self._reversed(LedgerAccount(entry.stream), entry.event)  # type: ignore[arg-type]

    def _corrected(self, entry: Entry) -> Sequence[Posting]:
        event: FillCorrected = entry.event  # type: ignore[assignment]
        client = LedgerAccount(entry.stream)
        return [*self._reversed(client, event.bust), *self._trade(client, event.fill)]

    def _reversed(self, client: LedgerAccount, event: FillBusted) -> list[Posting]:
        """Back the way it came, as far as the other fills of its order did not need it."""
        terms = self._of(event.symbol)
        between, sign = clearing(terms.mic), 1 if event.side is Side.BUY else -1
        if event.is_contract:
            postings = [moved(market(terms.mic), client, terms.quote, event.realized)]
        else:
            cash = sign * event.gross - event.residue
            postings = [
                moved(between, client, terms.base, sign * event.base_units),
                moved(client, between, terms.quote, cash),
                moved(client, ROUNDING, terms.quote, event.residue),
            ]
        postings.append(moved(client, FEES, terms.quote, event.fee))
        return [posting for posting in postings if posting.units]

    def _executed(self, entry: Entry) -> Sequence[Posting]:
        event: Executed = entry.event  # type: ignore[assignment]
        terms = self._of(event.symbol)
        if entry.stream.startswith(POOLED):
            return NOTHING  # the desk's account says the other side of it
        return self._beyond(terms, event.side, event.fills)

    def _undone(self, entry: Entry) -> Sequence[Posting]:
        event: Busted = entry.event  # type: ignore[assignment]
        terms, sold = self._of(event.symbol), event.side is Side.SELL
        back = self._beyond(terms, Side.BUY if sold else Side.SELL, (event.busted,))
        again = self._beyond(terms, event.side, (event.fill,)) if event.fill else NOTHING
        return [*back, *again]

    def _beyond(self, terms: Instrument, side: Side, fills: Sequence[Fill]) -> Sequence[Posting]:
        """Between the market and who clears: what venues executed."""
        if terms.kind is InstrumentKind.LINEAR:
            return NOTHING  # what it gains or loses is known to the account alone, and posted there
        between, beyond = clearing(terms.mic), market(terms.mic)
        if side is Side.SELL:
            between, beyond = beyond, between
        postings = []
        for fill in fills:
            lots, cost = fill.lots * terms.base_per_lot, terms.cost_down(fill.px, fill.lots)
            postings.append(moved(between, beyond, terms.base, lots))
            if cost:
                postings.append(moved(beyond, between, terms.quote, cost))
        return postings
