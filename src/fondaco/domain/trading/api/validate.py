"""What an order, or a list of them, would be told and would cost. Nothing is placed."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from fondaco.domain.identity.model import Scope
from fondaco.domain.market.api import Board
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.api.cost import CostReply, preview
from fondaco.domain.trading.api.house import Decide
from fondaco.domain.trading.api.house import House as Writing
from fondaco.domain.trading.api.orders import (
    AN_ORDER,
    BulkRequest,
    OrderIdText,
    PlaceOrderRequest,
    RefsNow,
    account_of_ask,
    account_of_order,
    number_of,
    order_ask,
    place_all,
)
from fondaco.domain.trading.api.risk import (
    HeadroomReply,
    LimitsRequest,
    MarkReply,
    RefusalReply,
    headroom_text,
    mark_text,
    state_of,
)
from fondaco.domain.trading.model import ClOrdId, Side, TradingRefs
from fondaco.domain.trading.rules.replace import measured
from fondaco.domain.trading.rules.terms import own_terms
from fondaco.kernel.errors import Corrupt, NotFound
from fondaco.kernel.event import CommandId
from fondaco.kernel.money import DecimalText, format_scaled
from fondaco.kernel.operation import Do, Operation, Stamp

Decided = ev.OrderAccepted | ev.OrderRejected


class House(Writing, Protocol):
    """Also what markets display, for an order's cost."""

    @property
    def board(self) -> Board: ...


class ValidationReply(msgspec.Struct, frozen=True):
    """What POST /orders would be answered now. Nothing was placed, held or counted."""

    accepted: bool
    reasons: list[RefusalReply]
    order_qty_max: str | None  # the largest that would pass, where a measuring rule refused
    headroom: HeadroomReply
    marks: list[MarkReply]
    policy_version: int  # of the reference data that was used
    cost: CostReply | None = None  # null: nothing can be said of such an order now


class ListValidationReply(msgspec.Struct, frozen=True):
    """What POST /orders/bulk with `atomic` would be answered: all pass, or none is placed."""

    accepted: bool
    items: list[ValidationReply]  # of each order, in their order
    policy_version: int


class ValidateReplaceRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """New terms of an order that works. What is left out stays as it is."""

    order_id: OrderIdText
    order_qty: DecimalText | None = None
    price: DecimalText | None = None
    stop_px: DecimalText | None = None


class ReplaceValidationReply(msgspec.Struct, frozen=True, kw_only=True):
    """What PATCH /orders/{order_id} would be answered now; a venue may still deny it. `cancels`:
    no more would be left than has executed. `hold` is set aside while the venue is asked, for the
    old terms and the new ones."""

    accepted: bool
    cancels: bool
    reasons: list[RefusalReply]
    hold: str | None
    hold_asset: str | None
    policy_version: int


class Validator:
    def __init__(self, refs: RefsNow, decide: Decide) -> None:
        self._refs = refs
        self._decide = decide

    async def answer(self, ask: PlaceOrderRequest, stamp: Stamp, house: House) -> ValidationReply:
        state, refs = await state_of(house, ask), self._refs()
        asked = order_ask(ask)
        command = ev.PlaceOrder(CommandId("?"), stamp.at, asked)
        [event] = _decided(self._decide(state, command, refs), 1)
        own = own_terms(state, command, refs) if state.fees else refs
        cost = preview(state, asked, own, stamp.at, house.board)
        return _validation(ask, event, refs, cost)

    async def answer_list(self, ask: BulkRequest, stamp: Stamp, house: House) -> Any:
        """Raises `Invalid` for orders of several accounts, or too few for their contingency."""
        command = place_all(ask, stamp)
        state, refs = await state_of(house, ask.orders[0]), self._refs()
        events = _decided(self._decide(state, command, refs), len(ask.orders))
        own = own_terms(state, command, refs) if state.fees else refs
        return ListValidationReply(
            all(isinstance(event, ev.OrderAccepted) for event in events),
            [
                _validation(
                    order,
                    event,
                    refs,
                    preview(state, order_ask(order), own, stamp.at, house.board),
                )
                for order, event in zip(ask.orders, events, strict=True)
            ],
            refs.version,
        )

    async def answer_replace(
        self, ask: ValidateReplaceRequest, stamp: Stamp, house: House
    ) -> ReplaceValidationReply:
        number = number_of(ask.order_id)
        account = LimitsRequest(account_of_order(ask))
        state, refs = await state_of(house, account), self._refs()
        terms = (ask.order_qty or "", ask.price or "", ask.stop_px or "")
        name = ClOrdId("?")  # no order is called so
        command = ev.ReplaceOrder(CommandId("?"), stamp.at, number, name, *terms)
        event = self._decide(state, command, refs)[0]
        if isinstance(event, ev.ChangeDenied):
            reasons = [_denied(event, measured(state, command, refs))]
            return ReplaceValidationReply(
                accepted=False, cancels=False, reasons=reasons, hold=None, hold_asset=None,
                policy_version=refs.version,
            )  # fmt: skip
        hold = asset = None
        if isinstance(event, ev.ReplaceRequested | ev.OrderReplaced):
            order = state.working[number]
            asset = order.quote if order.side is Side.BUY or order.ref_px else order.base
            hold = format_scaled(event.hold, refs.assets[asset].decimals)
        return ReplaceValidationReply(
            accepted=True, cancels=hold is None, reasons=[], hold=hold, hold_asset=asset,
            policy_version=refs.version,
        )  # fmt: skip


def _denied(event: ev.ChangeDenied, found: ev.OrderRejected | None) -> RefusalReply:
    if found is not None:
        over = found.excess
        numbers = (over.value, over.limit, over.distance, over.unit) if over else ()
        return RefusalReply(found.reason, found.text, *numbers)
    reason, _, text = event.text.partition(": ")
    return RefusalReply(reason, text or reason.replace("_", " "))


def _decided(events: Sequence[Any], count: int) -> list[Decided]:
    found = [event for event in events if isinstance(event, Decided)]
    if len(found) != count:
        raise Corrupt(f"of {count} orders {len(found)} were accepted or refused")
    return found


def _validation(
    ask: PlaceOrderRequest, event: Decided, refs: TradingRefs, cost: CostReply | None
) -> ValidationReply:
    headroom = headroom_text(ask, event.headroom, refs)
    marks = [mark_text(mark, refs) for mark in event.marks]
    if isinstance(event, ev.OrderAccepted):
        return ValidationReply(True, [], None, headroom, marks, refs.version, cost)
    excess = event.excess
    reason = RefusalReply(
        event.reason,
        event.text,
        *((excess.value, excess.limit, excess.distance, excess.unit) if excess else ()),
    )
    largest = excess.order_qty_max if excess else None
    return ValidationReply(False, [reason], largest, headroom, marks, refs.version, cost)


def operations(refs: RefsNow, decide: Decide) -> tuple[Operation[Any, Any], ...]:
    validator = Validator(refs, decide)
    return (
        Do(
            name="risk.validate",
            summary="Say what an order would be told and would cost. Places nothing.",
            method="POST",
            path="/risk/validate",
            request=PlaceOrderRequest,
            reply=ValidationReply,
            example=AN_ORDER,
            scope=Scope.ORDERS_READ,
            account=account_of_ask,
            source="house",
            answer=validator.answer,
        ),
        Do(
            name="risk.validate_replace",
            summary="Say what new terms of a working order would be told. Changes nothing.",
            method="POST",
            path="/risk/validate/replace",
            request=ValidateReplaceRequest,
            reply=ReplaceValidationReply,
            example={"order_id": "demo.1", "price": "61000.00"},
            scope=Scope.ORDERS_READ,
            errors=(NotFound,),
            account=account_of_order,
            source="house",
            answer=validator.answer_replace,
        ),
        Do(
            name="risk.validate_list",
            summary="The same of an atomic list, an OCO or a bracket. Places nothing.",
            method="POST",
            path="/risk/validate/bulk",
            request=BulkRequest,
            reply=ListValidationReply,
            example={"orders": [AN_ORDER]},
            scope=Scope.ORDERS_READ,
            source="house",
            answer=validator.answer_list,
        ),
    )
