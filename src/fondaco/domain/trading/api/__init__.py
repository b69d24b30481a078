"""What can be asked of the trading room. The doors do the rest: they decode, authorise, encode.

`operations` is called by app.py with what only a running house has: its reference data as they are
now, and the law of accounts for `validate`, which decides without placing; `looks` also with the
questions to the views.
"""

from collections.abc import Callable
from typing import Any

from fondaco.domain.identity.model import Scope
from fondaco.domain.reference.model import HOUSE_STREAM
from fondaco.domain.trading.api import accounts as ac
from fondaco.domain.trading.api import (
    daily,
    journal,
    limiting,
    margin,
    margin_watch,
    moving,
    news,
    proofs,
    risk,
    standing,
    stopping,
    terms,
    validate,
    views,
)
from fondaco.domain.trading.api import orders as od
from fondaco.domain.trading.api.house import Decide, bulk
from fondaco.domain.trading.api.house import House as House
from fondaco.domain.trading.api.orders import BulkReply as BulkReply
from fondaco.domain.trading.api.orders import BulkRequest as BulkRequest
from fondaco.domain.trading.api.orders import OrderReply as OrderReply
from fondaco.domain.trading.api.orders import PlaceOrderRequest as PlaceOrderRequest
from fondaco.domain.trading.api.orders import RefsNow
from fondaco.domain.trading.api.views import Queries as Queries
from fondaco.domain.trading.model import AccountState
from fondaco.domain.trading.replies import (
    AccountLine,
    ExecutionLine,
    OrderLine,
    OrderReplyFull,
    Page,
)
from fondaco.domain.trading.why import Why
from fondaco.kernel.decider import Decider
from fondaco.kernel.errors import Conflict, NotFound, Refused
from fondaco.kernel.event import StreamId
from fondaco.kernel.operation import Ask, Do, Look, Operation


def _house(_: Any) -> StreamId:
    return HOUSE_STREAM


def operations(refs: RefsNow, decide: Decide) -> tuple[Operation[Any, Any], ...]:
    """Everything that is asked of the account streams and of the house's."""
    return (
        *_placing(od.Replies(refs)),
        *_changing(od.Replies(refs)),
        *_money(ac.Transfers(refs)),
        *_bounds(ac.LimitsReader(refs)),
        *_house_wide(ac.LimitsReader(refs)),
        *terms.operations(refs),
        *news.operations(refs),
        *moving.operations(refs),
        *margin.operations(refs),
        *standing.operations(refs),
        *margin_watch.operations(refs),
        *stopping.operations(),
        *limiting.operations(refs),
        *validate.operations(refs, decide),
        *_risk(refs),
    )


def _placing(replies: od.Replies) -> tuple[Operation[Any, Any], ...]:
    return (
        Ask(
            name="trading.place_order",
            summary="Place one order; the answer says what the account decided, for good.",
            method="POST",
            path="/orders",
            aliases=(("POST", "/trades/execute"),),
            request=od.PlaceOrderRequest,
            reply=od.OrderReply,
            example=od.AN_ORDER,
            scope=Scope.ORDERS_WRITE,
            errors=(Refused,),
            status=201,
            account=od.account_of_ask,
            stream=od.stream_of_account,
            command=od.place,
            answer=replies.placed,
            hot=True,
        ),
        Do(
            name="trading.place_orders",
            summary="Place many orders, each for itself, or all or none in one turn.",
            method="POST",
            path="/orders/bulk",
            aliases=(("POST", "/trades/bulk"),),
            request=od.BulkRequest,
            reply=od.BulkReply,
            example={"orders": [od.AN_ORDER]},
            scope=Scope.ORDERS_WRITE,
            errors=(Refused,),
            source="house",
            answer=bulk(replies),
        ),
    )


def _changing(replies: od.Replies) -> tuple[Operation[Any, Any], ...]:
    return (
        Ask(
            name="trading.cancel_order",
            summary="Cancel one working order.",
            method="DELETE",
            path="/orders/{order_id}",
            request=od.CancelOrderRequest,
            reply=od.ChangeReply,
            scope=Scope.ORDERS_WRITE,
            errors=(Refused, NotFound),
            account=od.account_of_order,
            stream=od.stream_of_order,
            command=od.cancel,
            answer=replies.changed,
        ),
        Ask(
            name="trading.replace_order",
            summary="Change quantity, price or stop of a working order, under a new cl_ord_id.",
            example={"cl_ord_id": "my-order-2", "price": "49500.00"},
            method="PATCH",
            path="/orders/{order_id}",
            request=od.ReplaceOrderRequest,
            reply=od.ChangeReply,
            scope=Scope.ORDERS_WRITE,
            errors=(Refused, NotFound),
            account=od.account_of_order,
            stream=od.stream_of_order,
            command=od.replace,
            answer=replies.changed,
        ),
        Ask(
            name="trading.cancel_orders",
            summary="Cancel all working orders of an account, or those of a symbol or a side.",
            method="DELETE",
            path="/orders",
            request=od.CancelOrdersRequest,
            reply=od.ChangesReply,
            scope=Scope.ORDERS_WRITE,
            account=od.account_of_ask,
            stream=od.stream_of_account,
            command=od.cancel_all,
            answer=od.all_changed,
        ),
        Ask(
            name="trading.close_positions",
            summary="Cancel what works, then sell every position at market, or one symbol's.",
            method="POST",
            path="/positions/close",
            request=od.ClosePositionsRequest,
            reply=od.ChangesReply,
            scope=Scope.ORDERS_WRITE,
            account=od.account_of_ask,
            stream=od.stream_of_account,
            command=od.close,
            answer=od.all_changed,
        ),
    )


def _money(transfers: ac.Transfers) -> tuple[Operation[Any, Any], ...]:
    return (
        Ask(
            name="trading.open_account",
            summary="Open an account of your tenant's.",
            method="POST",
            path="/accounts",
            request=ac.OpenAccountRequest,
            reply=ac.AccountOpenedReply,
            scope=Scope.ACCOUNTS_WRITE,
            errors=(Conflict,),
            status=201,
            stream=od.stream_of_account,
            command=ac.open_account,
            answer=ac.opened,
        ),
        Ask(
            name="trading.transfer",
            summary="Deposit to an account, or withdraw what nothing holds.",
            method="POST",
            path="/accounts/{account_id}/transfers",
            request=ac.EitherTransferRequest,
            reply=ac.TransferReply,
            scope=Scope.ACCOUNTS_WRITE,
            errors=(Refused,),
            status=201,
            account=od.account_of_ask,
            stream=od.stream_of_account,
            command=ac.transfer,
            answer=transfers.moved,
        ),
        Ask(
            name="trading.deposit",
            summary="Deposit to an account.",
            method="POST",
            path="/accounts/{account_id}/deposits",
            request=ac.TransferRequest,
            reply=ac.TransferReply,
            scope=Scope.ACCOUNTS_WRITE,
            errors=(Refused,),
            status=201,
            account=od.account_of_ask,
            stream=od.stream_of_account,
            command=ac.deposit,
            answer=transfers.moved,
        ),
        Ask(
            name="trading.withdraw",
            summary="Withdraw from an account what nothing holds.",
            method="POST",
            path="/accounts/{account_id}/withdrawals",
            request=ac.TransferRequest,
            reply=ac.TransferReply,
            scope=Scope.ACCOUNTS_WRITE,
            errors=(Refused,),
            status=201,
            account=od.account_of_ask,
            stream=od.stream_of_account,
            command=ac.withdraw,
            answer=transfers.moved,
        ),
    )


def _bounds(limits: ac.LimitsReader) -> tuple[Operation[Any, Any], ...]:
    return (
        Ask(
            name="trading.set_account_limits",
            needs_second=True,
            summary="Give an account limits of its own, or take them back.",
            method="PUT",
            path="/accounts/{account_id}/limits",
            request=ac.AccountLimitsRequest,
            example={"limits": ac.SOME_LIMITS},
            reply=ac.DoneReply,
            scope=Scope.LIMITS_WRITE,
            account=od.account_of_ask,
            stream=od.stream_of_account,
            command=limits.of_account,
            answer=ac.done,
        ),
        Ask(
            name="trading.set_account_fees",
            summary="Give an account fees of its own, or take them back.",
            method="PUT",
            path="/accounts/{account_id}/fees",
            request=ac.AccountFeesRequest,
            example={"fees": {"maker_fee_ppm": 50, "taker_fee_ppm": 150}, "reason": "a friend"},
            reply=ac.DoneReply,
            scope=Scope.HOUSE_WRITE,
            account=od.account_of_ask,
            stream=od.stream_of_account,
            command=ac.set_own_fees,
            answer=ac.done,
        ),
        Ask(
            name="trading.set_account_state",
            summary="Let an account trade, only reduce, or halt it.",
            method="PUT",
            path="/accounts/{account_id}/trading-state",
            request=ac.AccountStateRequest,
            reply=ac.DoneReply,
            scope=Scope.LIMITS_WRITE,
            account=od.account_of_ask,
            stream=od.stream_of_account,
            command=ac.set_state,
            answer=ac.done,
        ),
    )


def _house_wide(limits: ac.LimitsReader) -> tuple[Operation[Any, Any], ...]:
    return (
        Ask(
            name="risk.set_limits",
            needs_second=True,
            summary="Set the limits of every account that has none of its own.",
            method="PUT",
            path="/risk/limits",
            request=ac.HouseLimitsRequest,
            example={"limits": ac.SOME_LIMITS},
            reply=ac.DoneReply,
            scope=Scope.HOUSE_WRITE,
            errors=(Refused,),
            stream=_house,
            command=limits.of_house,
            answer=ac.done,
        ),
        Ask(
            name="risk.set_trading_state",
            summary="Let the house or one instrument trade, only reduce, or halt it.",
            method="PUT",
            path="/risk/trading-state",
            request=ac.HouseStateRequest,
            reply=ac.DoneReply,
            scope=Scope.LIMITS_WRITE,
            errors=(Refused,),
            stream=_house,
            command=ac.set_house_state,
            answer=ac.done,
        ),
        Ask(
            name="risk.kill",
            summary="Accept nothing new anywhere and cancel what works, until unkilled.",
            method="POST",
            path="/risk/kill",
            request=ac.KillRequest,
            reply=ac.DoneReply,
            scope=Scope.LIMITS_WRITE,
            stream=_house,
            command=ac.kill,
            answer=ac.done,
        ),
        Ask(
            name="risk.unkill",
            summary="Take the kill switch back; the states set before hold again.",
            method="POST",
            path="/risk/unkill",
            request=ac.KillRequest,
            reply=ac.DoneReply,
            scope=Scope.LIMITS_WRITE,
            stream=_house,
            command=ac.unkill,
            answer=ac.done,
        ),
    )


def _risk(refs: RefsNow) -> tuple[Operation[Any, Any], ...]:
    return (
        Do(
            name="risk.limits",
            summary="The limits that hold for an account, and how much of them is used.",
            method="GET",
            path="/risk/limits",
            request=risk.LimitsRequest,
            reply=risk.LimitsReply,
            scope=Scope.LIMITS_READ,
            account=od.account_of_ask,
            source="house",
            answer=risk.LimitsShown(refs).answer,
        ),
    )


def looks(
    refs: RefsNow,
    decider: Decider[AccountState, Any, Any, Any],
    queries: Queries,
    owner: Callable[[str], str | None],
) -> tuple[Operation[Any, Any], ...]:
    """Everything that is read. `owner` says whose an account is."""
    ask = views.Looks(refs, decider, queries)
    return (
        *_trades(ask), *_books(ask), *daily.looks(ask), *_records(ask), *proofs.looks(owner),
        *journal.looks(decider, queries, owner), *stopping.looks(queries),
    )  # fmt: skip


def _trades(ask: views.Looks) -> tuple[Operation[Any, Any], ...]:
    return (
        Look(
            name="trading.orders",
            summary="List orders, newest first, by account, cl_ord_id, symbol, status, side, time.",
            method="GET",
            path="/orders",
            request=views.OrdersRequest,
            reply=Page[OrderLine],
            scope=Scope.ORDERS_READ,
            account=od.account_of_ask,
            source="store",
            answer=ask.orders,
        ),
        Look(
            name="trading.order",
            summary="One order with its history and its executions.",
            method="GET",
            path="/orders/{order_id}",
            aliases=(("GET", "/trades/{order_id}/status"),),
            request=views.OrderRequest,
            reply=OrderReplyFull,
            scope=Scope.ORDERS_READ,
            errors=(NotFound,),
            account=od.account_of_order,
            source="store",
            answer=ask.order,
        ),
        Look(
            name="trading.executions",
            summary="List executions, newest first.",
            method="GET",
            path="/executions",
            aliases=(("GET", "/trades/history"),),
            request=views.ExecutionsRequest,
            reply=Page[ExecutionLine],
            scope=Scope.ORDERS_READ,
            account=od.account_of_ask,
            source="store",
            answer=ask.executions,
        ),
    )


def _books(ask: views.Looks) -> tuple[Operation[Any, Any], ...]:
    return (
        Look(
            name="trading.accounts",
            summary="List your tenant's accounts.",
            method="GET",
            path="/accounts",
            request=views.AccountsRequest,
            reply=Page[AccountLine],
            scope=Scope.ACCOUNTS_READ,
            source="store",
            answer=ask.accounts,
        ),
        Look(
            name="trading.account",
            summary="An account's balances and their value, now or as of a position.",
            method="GET",
            path="/accounts/{account_id}",
            request=views.AccountRequest,
            reply=views.AccountReply,
            scope=Scope.ACCOUNTS_READ,
            errors=(NotFound,),
            account=od.account_of_ask,
            source="store",
            answer=ask.account,
        ),
        Look(
            name="trading.transfers",
            summary="Deposits and withdrawals of an account, newest first.",
            method="GET",
            path="/accounts/{account_id}/transfers",
            request=views.TransfersRequest,
            reply=views.TransfersReply,
            scope=Scope.ACCOUNTS_READ,
            errors=(NotFound,),
            account=od.account_of_ask,
            source="store",
            answer=ask.transfers,
        ),
        Look(
            name="trading.statement",
            summary="Every movement of an account in a time, with the balance after each, as CSV.",
            method="GET",
            path="/accounts/{account_id}/statement.csv",
            request=views.StatementRequest,
            reply=str,
            media_type="text/csv",
            scope=Scope.ACCOUNTS_READ,
            errors=(NotFound,),
            account=od.account_of_ask,
            source="store",
            answer=ask.statement,
        ),
        Look(
            name="risk.positions",
            summary="What an account is exposed to, now or as of a position.",
            method="GET",
            path="/risk/positions",
            request=views.AccountRequest,
            reply=views.PositionsReply,
            scope=Scope.ACCOUNTS_READ,
            errors=(NotFound,),
            account=od.account_of_ask,
            source="store",
            answer=ask.positions,
        ),
    )


def _records(ask: views.Looks) -> tuple[Operation[Any, Any], ...]:
    return (
        Look(
            name="trading.why",
            summary="Why an order is as it is: each step, with what caused it.",
            method="GET",
            path="/why/{about}",
            request=views.WhyRequest,
            reply=Why,
            scope=Scope.ORDERS_READ,
            errors=(NotFound,),
            account=od.account_of_ask,
            source="store",
            answer=ask.why,
        ),
        Look(
            name="reference.instruments",
            summary="What can be traded here, with tick, lot, fees and trading state.",
            method="GET",
            path="/instruments",
            request=views.InstrumentsRequest,
            reply=views.InstrumentsReply,
            scope=Scope.MARKET_READ,
            source="market",
            answer=ask.instruments,
            on_loop=True,
        ),
    )
