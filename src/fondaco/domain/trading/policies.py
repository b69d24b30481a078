"""What an account says to another about money that it has sent. Pure: an entry in, messages out."""

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from fondaco.domain.trading.events import (
    ReceiveTransfer,
    ReturnTransfer,
    SettleTransfer,
    SetTradingState,
    TransferReceived,
    TransferReturned,
    TransferSent,
)
from fondaco.domain.trading.model import TradingState
from fondaco.kernel.event import Command, Entry, Event, Instant, StreamId, message_id

_Messages: TypeAlias = tuple[tuple[StreamId, Command], ...]


def _sent(entry: Entry, at: Instant) -> _Messages:
    event: TransferSent = entry.event  # type: ignore[assignment]
    cause = message_id(entry.stream, entry.version)
    command = ReceiveTransfer(
        cause, at, entry.stream, event.tenant, event.number, event.asset, event.units
    )
    return ((event.to, command),)


def _received(entry: Entry, at: Instant) -> _Messages:
    event: TransferReceived = entry.event  # type: ignore[assignment]
    cause = message_id(entry.stream, entry.version)
    return ((event.source, SettleTransfer(cause, at, event.number)),)


def _returned(entry: Entry, at: Instant) -> _Messages:
    event: TransferReturned = entry.event  # type: ignore[assignment]
    cause = message_id(entry.stream, entry.version)
    return ((event.source, ReturnTransfer(cause, at, event.number, event.text)),)


def goes_first(command: Command) -> bool:
    """Who may open nothing more hears it before anybody hears what else follows."""
    return type(command) is SetTradingState and command.state is TradingState.REDUCING


policies: Final[
    dict[type[Event], tuple[Callable[[Entry, Instant], Iterable[tuple[StreamId, Command]]], ...]]
] = {TransferSent: (_sent,), TransferReceived: (_received,), TransferReturned: (_returned,)}
