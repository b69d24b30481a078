"""Asks about money between accounts, and about virtual accounts that begin anew."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.api.accounts import AssetText, DoneReply, check_movable, done
from fondaco.domain.trading.api.orders import (
    AccountText,
    ClOrdIdText,
    RefsNow,
    own_id,
    stream_of_account,
)
from fondaco.domain.trading.model import AccountId, account_stream
from fondaco.kernel.errors import Corrupt, Invalid, Refused
from fondaco.kernel.event import Entry, StreamId, fingerprint, request_id
from fondaco.kernel.money import AssetCode, DecimalText, format_scaled
from fondaco.kernel.operation import Ask, Operation, Stamp

BALANCES_MAX: Final = 100


class SendRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What nothing holds goes to another account of yours. `transfer_id` is yours, as a cl_ord_id
    is: the same transfer sent again moves nothing."""

    account_id: AccountText
    to_account_id: AccountText
    asset: AssetText
    amount: DecimalText
    transfer_id: ClOrdIdText | None = None

    @property
    def account_ids(self) -> tuple[str, str]:
        """The door checks that both are the caller's."""
        return self.account_id, self.to_account_id


class SentNowReply(msgspec.Struct, frozen=True):
    """It has left the account; the other one has it within a moment, or sends it back."""

    account_id: str
    number: int
    to_account_id: str
    asset: str
    amount: str
    status: Literal["pending"]
    position: int


class ResetRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a virtual account has from here on."""

    account_id: AccountText
    balances: Annotated[dict[AssetText, DecimalText], Meta(max_length=BALANCES_MAX)]


def send(ask: SendRequest, stamp: Stamp) -> ev.SendTransfer:
    if ask.account_id == ask.to_account_id:
        raise Invalid(f"to_account_id is {ask.to_account_id} as well; name another account")
    check_movable(ask.account_id)
    check_movable(ask.to_account_id)
    if ask.transfer_id is None:
        command_id = own_id("send", ask, stamp)
    else:
        command_id = request_id(f"!transfer/{ask.transfer_id}", fingerprint(ask))
    to = account_stream(AccountId(ask.to_account_id))
    return ev.SendTransfer(command_id, stamp.at, to, AssetCode(ask.asset), ask.amount)


def reset(ask: ResetRequest, stamp: Stamp) -> ev.ResetAccount:
    check_movable(ask.account_id)
    balances = tuple((AssetCode(asset), amount) for asset, amount in sorted(ask.balances.items()))
    return ev.ResetAccount(own_id("reset", ask, stamp), stamp.at, balances)


def reset_done(ask: ResetRequest, entries: Sequence[Entry]) -> DoneReply:
    """Raises `Refused` where the account would not."""
    _raise_refusal(entries)
    return done(ask, entries)


class Sending:
    def __init__(self, refs: RefsNow) -> None:
        self._refs = refs

    def sent(self, ask: SendRequest, entries: Sequence[Entry]) -> SentNowReply:
        """Raises `Refused`, with what could have been sent."""
        _raise_refusal(entries)
        for entry in entries:
            event = entry.event
            if isinstance(event, ev.TransferSent):
                amount = format_scaled(event.units, self._refs().assets[event.asset].decimals)
                return SentNowReply(
                    ask.account_id,
                    event.number,
                    ask.to_account_id,
                    event.asset,
                    amount,
                    "pending",
                    entry.position,
                )
        raise Corrupt(f"a transfer left {[type(entry.event).__name__ for entry in entries]}")


def _raise_refusal(entries: Sequence[Entry]) -> None:
    for entry in entries:
        if isinstance(entry.event, ev.TransferRefused):
            limit = entry.event.limit
            raise Refused(
                entry.event.text, code="transfer_refused", limit=limit, position=entry.position
            )


def _stream(ask: Any) -> StreamId:
    return stream_of_account(ask)


def operations(refs: RefsNow) -> tuple[Operation[Any, Any], ...]:
    sending = Sending(refs)
    return (
        Ask(
            name="trading.send",
            summary="Send what nothing holds to another account of yours.",
            method="POST",
            path="/transfers",
            request=SendRequest,
            reply=SentNowReply,
            example={"to_account_id": "savings", "asset": "USD", "amount": "10.25"},
            scope=Scope.ACCOUNTS_WRITE,
            errors=(Refused,),
            status=201,
            stream=_stream,
            command=send,
            answer=sending.sent,
        ),
        Ask(
            name="trading.reset_account",
            summary="Give a virtual account new balances and no history of gains.",
            method="POST",
            path="/accounts/{account_id}/reset",
            request=ResetRequest,
            reply=DoneReply,
            example={"balances": {"USD": "100000"}},
            scope=Scope.ACCOUNTS_WRITE,
            errors=(Refused,),
            account=lambda ask: str(ask.account_id),
            stream=_stream,
            command=reset,
            answer=reset_done,
        ),
    )
