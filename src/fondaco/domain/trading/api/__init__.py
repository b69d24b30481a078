"""What can be asked of the trading room. The doors do the rest: they decode, authorise, encode."""

from collections.abc import Mapping
from typing import Any

from fondaco.domain.reference.model import Instrument, Symbol
from fondaco.domain.trading.api import orders
from fondaco.domain.trading.api.orders import OrderReply as OrderReply
from fondaco.domain.trading.api.orders import PlaceOrderRequest as PlaceOrderRequest
from fondaco.domain.trading.model import AccountId, account_stream
from fondaco.kernel.errors import Refused
from fondaco.kernel.event import StreamId
from fondaco.kernel.operation import Ask, Operation


def _account(ask: Any) -> str:
    account_id: str = ask.account_id
    return account_id


def _account_stream(ask: Any) -> StreamId:
    return account_stream(AccountId(ask.account_id))


def operations(instruments: Mapping[Symbol, Instrument]) -> tuple[Operation[Any, Any], ...]:
    """Everything that this room offers. Without instruments: good for documents alone."""
    replies = orders.Replies(instruments)
    return (
        Ask(
            name="trading.place_order",
            summary="Place one order; the answer says what the account decided, for good.",
            method="POST",
            path="/orders",
            aliases=(("POST", "/trades/execute"),),
            request=PlaceOrderRequest,
            reply=OrderReply,
            scope="orders:write",
            errors=(Refused,),
            status=201,
            account=_account,
            stream=_account_stream,
            command=orders.place,
            answer=replies.placed,
            hot=True,
        ),
    )
