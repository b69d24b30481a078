"""The laws of a book: transfers that are posted at once or in two phases, linked ones all or none.

A pending transfer counts against the limits of its accounts from its first phase on, so its second
phase cannot fail for want of funds. It is resolved once: posted, voided or expired. One that is
due is expired before anything else is decided, whoever asks.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from fondaco.domain.ledger.events import (
    BookAccountOpened,
    BookCommand,
    BookEvent,
    BookRefused,
    ExpireTransfers,
    Leg,
    NothingDue,
    OpenBookAccount,
    PostPending,
    Transfer,
    TransferExpired,
    TransferMade,
    TransferPending,
    TransferPosted,
    TransferVoided,
    VoidPending,
)
from fondaco.domain.ledger.model import (
    AMOUNT_MAX,
    IS_EXPIRED,
    IS_PENDING,
    IS_POSTED,
    IS_SINGLE,
    IS_VOIDED,
    Account,
    BookAccount,
    BookReason,
    BookRefs,
    BookState,
    Pending,
)
from fondaco.kernel.decider import Decider
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant, StreamId
from fondaco.kernel.money import format_scaled, parse_scaled

SECOND_NS: Final = 1_000_000_000


def initial(_: StreamId) -> BookState:
    """A book without accounts."""
    return BookState()


def decide(state: BookState, command: BookCommand, refs: BookRefs) -> tuple[BookEvent, ...]:
    """What happens if this is asked now. Never changes the state; never raises for a refusal."""
    expired = _expired(state, command.at)
    if isinstance(command, ExpireTransfers):
        return expired or (NothingDue("nothing is due"),)
    if isinstance(command, OpenBookAccount):
        return (*expired, _open(state, command, refs))
    draft = _Draft(state)
    for event in expired:
        draft.live(event)
    made: list[BookEvent] = []
    for nth, leg in enumerate(command.legs):
        event = draft.take(leg, nth, command.at)
        if isinstance(event, BookRefused):
            return (*expired, event)
        draft.live(event)
        made.append(event)
    return (*expired, *made) or (NothingDue("no transfer was asked for"),)


def evolve(state: BookState, event: BookEvent) -> BookState:
    """The same book, changed. Accepts every event, refuses nothing."""
    _EVOLVED[type(event)](state, event)
    return state


def _expired(state: BookState, at: Instant) -> tuple[BookEvent, ...]:
    events: list[BookEvent] = []
    for instant in sorted(state.due):
        if instant > at:
            break
        for number in state.due[instant]:
            p = state.pending[number]
            of = state.accounts[p.debit]
            events.append(
                TransferExpired(number, p.debit, p.credit, of.asset, of.decimals, p.units)
            )
    return tuple(events)


def _open(state: BookState, ask: OpenBookAccount, refs: BookRefs) -> BookEvent:
    asset = refs.assets.get(ask.asset)
    if asset is None:
        return _refused(BookReason.UNKNOWN_ASSET, f"{ask.asset} is not kept here")
    if ask.debits_must_not_exceed_credits and ask.credits_must_not_exceed_debits:
        return _refused(
            BookReason.FLAGS_ARE_MUTUALLY_EXCLUSIVE, "an account has one of the two limits, or none"
        )
    known = state.accounts.get(ask.account)
    opened = BookAccountOpened(
        ask.account,
        ask.asset,
        asset.decimals,
        ask.debits_must_not_exceed_credits,
        ask.credits_must_not_exceed_debits,
    )
    if known is None:
        return opened
    if (
        known.asset == opened.asset
        and known.debits_must_not_exceed_credits == opened.debits_must_not_exceed_credits
        and known.credits_must_not_exceed_debits == opened.credits_must_not_exceed_debits
    ):
        return NothingDue("the account is open")
    return _refused(BookReason.EXISTS_WITH_DIFFERENT_FLAGS, f"{ask.account} is open, otherwise")


def _refused(reason: BookReason, text: str, leg: int = 0, limit: str = "") -> BookRefused:
    return BookRefused(reason, text, leg, limit)


class _Draft:
    """The book as it is within a turn: what a chain touches is copied, and changed here only."""

    def __init__(self, state: BookState) -> None:
        self._kept = state
        self._accounts: dict[BookAccount, Account] = {}
        self._new: dict[int, Pending] = {}
        self._fates: dict[int, int] = {}
        self._count = len(state.fates)

    def live(self, event: BookEvent) -> None:
        match event:
            case TransferMade(number=number):
                _post(self._of(event.debit), self._of(event.credit), event.units, 0)
                self._fates[number], self._count = IS_SINGLE, number
            case TransferPending(number=number):
                _set_aside(self._of(event.debit), self._of(event.credit), event.units)
                self._new[number] = Pending(event.debit, event.credit, event.units)
                self._fates[number], self._count = IS_PENDING, number
            case TransferPosted(number=number):
                _post(self._of(event.debit), self._of(event.credit), event.units, event.set_aside)
                self._fates[number] = IS_POSTED
            case TransferVoided(number=number):
                _set_aside(self._of(event.debit), self._of(event.credit), -event.set_aside)
                self._fates[number] = IS_VOIDED
            case TransferExpired(number=number):
                _set_aside(self._of(event.debit), self._of(event.credit), -event.set_aside)
                self._fates[number] = IS_EXPIRED
            case _:
                return

    def take(self, leg: Leg, nth: int, at: Instant) -> BookEvent:
        """What one leg does, or why it cannot be."""
        if isinstance(leg, Transfer):
            return self._transfer(leg, nth, at)
        return self._resolve(leg, nth)

    def _transfer(self, leg: Transfer, nth: int, at: Instant) -> BookEvent:
        if leg.timeout_s and not leg.pending:
            text = "only a pending transfer has a timeout"
            return _refused(BookReason.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER, text, nth)
        if leg.debit == leg.credit:
            text = f"{leg.debit} is on both sides"
            return _refused(BookReason.ACCOUNTS_MUST_BE_DIFFERENT, text, nth)
        debit, credit = self._find(leg.debit), self._find(leg.credit)
        if debit is None:
            return _refused(BookReason.DEBIT_ACCOUNT_NOT_FOUND, f"there is no {leg.debit}", nth)
        if credit is None:
            return _refused(BookReason.CREDIT_ACCOUNT_NOT_FOUND, f"there is no {leg.credit}", nth)
        if debit.asset != credit.asset:
            text = f"{leg.debit} is in {debit.asset}, {leg.credit} in {credit.asset}"
            return _refused(BookReason.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER, text, nth)
        units = _units(leg.amount, debit.decimals, nth)
        if isinstance(units, BookRefused):
            return units
        if not units:
            return _refused(BookReason.AMOUNT_INVALID, "amount is 0, must be positive", nth)
        refused = _beyond_limits(debit, credit, units, nth)
        if refused is not None:
            return refused
        number, asset, decimals = self._count + 1, debit.asset, debit.decimals
        if not leg.pending:
            return TransferMade(
                number, leg.debit, leg.credit, asset, decimals, units, leg.reference
            )
        expires_at = Instant(at + leg.timeout_s * SECOND_NS if leg.timeout_s else 0)
        return TransferPending(
            number, leg.debit, leg.credit, asset, decimals, units, leg.reference, expires_at
        )

    def _resolve(self, leg: PostPending | VoidPending, nth: int) -> BookEvent:
        number = leg.number
        fate = self._fate(number)
        if fate != IS_PENDING:
            reason, text = _NOT_PENDING[fate]
            return _refused(reason, f"transfer {number} {text}", nth)
        p = self._new.get(number) or self._kept.pending[number]
        debit = self._of(p.debit)
        if isinstance(leg, VoidPending):
            return TransferVoided(number, p.debit, p.credit, debit.asset, debit.decimals, p.units)
        units: int | BookRefused = p.units
        if leg.amount is not None:
            units = _units(leg.amount, debit.decimals, nth)
        if isinstance(units, BookRefused):
            return units
        if units > p.units:
            limit = format_scaled(p.units, debit.decimals)
            text = f"{leg.amount} is more than the {limit} that are pending"
            return _refused(BookReason.EXCEEDS_PENDING_TRANSFER_AMOUNT, text, nth, limit)
        return TransferPosted(
            number, p.debit, p.credit, debit.asset, debit.decimals, units, p.units
        )

    def _fate(self, number: int) -> int:
        found = self._fates.get(number)
        if found is not None:
            return found
        return self._kept.fates[number - 1] if 0 < number <= len(self._kept.fates) else 0

    def _find(self, name: BookAccount) -> Account | None:
        return self._of(name) if name in self._kept.accounts else None

    def _of(self, name: BookAccount) -> Account:
        found = self._accounts.get(name)
        if found is None:
            found = self._accounts[name] = msgspec.structs.replace(self._kept.accounts[name])
        return found


def _units(amount: str, decimals: int, nth: int) -> int | BookRefused:
    try:
        units = parse_scaled(amount, decimals, "amount")
    except Invalid as error:
        return _refused(BookReason.AMOUNT_INVALID, error.message, nth)
    if units < 0:
        return _refused(BookReason.AMOUNT_INVALID, f"amount is {amount}, must not be negative", nth)
    return units


def _beyond_limits(debit: Account, credit: Account, units: int, nth: int) -> BookRefused | None:
    debits = debit.debits_pending + debit.debits_posted
    credits = credit.credits_pending + credit.credits_posted
    decimals = debit.decimals
    for reason, is_on, left in (
        (BookReason.OVERFLOWS_DEBITS, True, AMOUNT_MAX - debits),
        (BookReason.OVERFLOWS_CREDITS, True, AMOUNT_MAX - credits),
        (
            BookReason.EXCEEDS_CREDITS,
            debit.debits_must_not_exceed_credits,
            debit.credits_posted - debits,
        ),
        (
            BookReason.EXCEEDS_DEBITS,
            credit.credits_must_not_exceed_debits,
            credit.debits_posted - credits,
        ),
    ):
        if is_on and units > left:
            limit = format_scaled(max(left, 0), decimals)
            text = f"{format_scaled(units, decimals)} {debit.asset}, and {limit} would pass"
            return _refused(reason, text, nth, limit)
    return None


_NOT_PENDING: Final = {
    0: (BookReason.PENDING_TRANSFER_NOT_FOUND, "does not exist"),
    IS_SINGLE: (BookReason.PENDING_TRANSFER_NOT_PENDING, "was posted in one phase"),
    IS_POSTED: (BookReason.PENDING_TRANSFER_ALREADY_POSTED, "is posted already"),
    IS_VOIDED: (BookReason.PENDING_TRANSFER_ALREADY_VOIDED, "is voided already"),
    IS_EXPIRED: (BookReason.PENDING_TRANSFER_EXPIRED, "has expired"),
}


def _set_aside(debit: Account, credit: Account, units: int) -> None:
    debit.debits_pending += units
    credit.credits_pending += units


def _post(debit: Account, credit: Account, units: int, set_aside: int) -> None:
    debit.debits_pending -= set_aside
    credit.credits_pending -= set_aside
    debit.debits_posted += units
    credit.credits_posted += units


# --- After an event -----------------------------------------------------------------------------


def _on_opened(state: BookState, event: BookAccountOpened) -> None:
    state.accounts[event.account] = Account(
        event.asset,
        event.decimals,
        event.debits_must_not_exceed_credits,
        event.credits_must_not_exceed_debits,
    )


def _on_made(state: BookState, event: TransferMade) -> None:
    state.fates.append(IS_SINGLE)
    _post(state.accounts[event.debit], state.accounts[event.credit], event.units, 0)


def _on_pending(state: BookState, event: TransferPending) -> None:
    state.fates.append(IS_PENDING)
    _set_aside(state.accounts[event.debit], state.accounts[event.credit], event.units)
    state.pending[event.number] = Pending(event.debit, event.credit, event.units, event.expires_at)
    if event.expires_at:
        state.due.setdefault(event.expires_at, {})[event.number] = True


def _on_posted(state: BookState, event: TransferPosted) -> None:
    debit, credit = state.accounts[event.debit], state.accounts[event.credit]
    _post(debit, credit, event.units, event.set_aside)
    _resolved(state, event.number, IS_POSTED)


def _on_voided(state: BookState, event: TransferVoided) -> None:
    _set_aside(state.accounts[event.debit], state.accounts[event.credit], -event.set_aside)
    _resolved(state, event.number, IS_VOIDED)


def _on_expired(state: BookState, event: TransferExpired) -> None:
    _set_aside(state.accounts[event.debit], state.accounts[event.credit], -event.set_aside)
    _resolved(state, event.number, IS_EXPIRED)


def _resolved(state: BookState, number: int, fate: int) -> None:
    state.fates[number - 1] = fate
    expires_at = state.pending.pop(number).expires_at
    if expires_at:
        due = state.due[expires_at]
        del due[number]
        if not due:
            del state.due[expires_at]


def _on_nothing(_: BookState, __: BookRefused | NothingDue) -> None:
    """The trace that a command left; the book is as it was."""


_EVOLVED: Final[dict[type, Callable[[BookState, Any], None]]] = {
    BookAccountOpened: _on_opened,
    TransferMade: _on_made,
    TransferPending: _on_pending,
    TransferPosted: _on_posted,
    TransferVoided: _on_voided,
    TransferExpired: _on_expired,
    BookRefused: _on_nothing,
    NothingDue: _on_nothing,
}

decider: Final = Decider(initial, decide, evolve, BookState)
