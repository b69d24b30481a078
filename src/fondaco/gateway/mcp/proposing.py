"""What a tool that writes does: find out what would happen, and ask whether it may.

The order of things is that of every door: scope and account first, then the preview, which places
nothing, then the policy. There is no way from here to the operation itself: the desk that keeps
approvals does what was agreed to.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from fondaco.domain.trading.api.orders import PlaceOrderRequest
from fondaco.gateway.house import Caller, House
from fondaco.gateway.mcp.asking import Asker, Asking
from fondaco.gateway.mcp.proposals import Asked, Desk, Proposed
from fondaco.gateway.mcp.tools import PROPOSE, PROPOSED, Proposal, Tool
from fondaco.gateway.rest import Exchange, Response
from fondaco.kernel.errors import FondacoError
from fondaco.kernel.money import format_scaled, parse_scaled

Fields = Mapping[str, Any]
_DECIMALS: Final = 9
_NEXT: Final = {
    "waiting": (
        "Tell the person: {id} waits for them until it expires. They agree or refuse on the page "
        "Access, with `fondaco approvals approve {id} --reason …`, or over /api/approvals. Read "
        "approvals_show with {id} to learn what became of it."
    ),
    "executed": "It was done, within the budget that a person has set; `result` is the answer.",
    "failed": "The budget covered it and it was tried, but refused: `result` says why.",
    "not_proposed": (
        "Nothing was proposed, because it would be refused now: `preview` and `why` say why, and "
        "what would pass."
    ),
}


class Peer(Asker, Protocol):
    @property
    def client(self) -> str: ...


class Looked(NamedTuple):
    """What a preview says."""

    shown: Any = None
    passes: bool | None = None
    refusal: str = ""
    notional: str | None = None
    currency: str = ""
    symbol: str = ""
    power_after: str | None = None
    power_asset: str | None = None


class Proposing:
    def __init__(self, house: House, asking: Asking) -> None:
        self._house, self._asking = house, asking

    async def propose(self, peer: Peer, tool: Tool, fields: Fields) -> Response:
        """A `Proposal`, or a `Problem`."""
        endpoint = tool.endpoint
        exchange = Exchange(endpoint, {}, _answered)
        exchange.address, exchange.caller = peer.address, peer.caller
        exchange.door = "mcp"
        try:
            endpoint.take(peer.caller, peer.address)
            exchange.ask = ask = endpoint.read(fields)
            scope = _scope(peer.caller, tool)
            endpoint.authorise(peer.caller, ask, "mcp", peer.address, scope)
            await self._house.noted(peer.caller)
            looked = await self._look(peer, tool.operation.name, fields)
            account = tool.operation.account(ask) if tool.operation.account else None
            asked = Asked(
                operation=tool.operation.name,
                request=ask,
                scope=tool.operation.scope,
                account_id=account or "",
                client=peer.client,
                preview=b"" if looked.shown is None else msgspec.json.encode(looked.shown),
                notional=looked.notional,
                currency=looked.currency,
                symbol=looked.symbol,
                reduces=tool.operation.name in _REDUCES,
                refusal=looked.refusal,
            )
            desk: Desk = self._house.source("agents")
            proposed = await desk.propose(exchange.stamp(peer.caller, ""), asked)
            response = _response(tool, fields, looked, proposed)
        except FondacoError as error:
            response = exchange.problem(error)
        exchange.finish(response)
        return response

    async def _look(self, peer: Peer, operation: str, fields: Fields) -> Looked:
        """What would be answered now, where there is an operation that says so and may be asked."""
        if operation == "trading.place_orders":
            return await self._look_at_list(peer, fields)
        found = _PREVIEWS.get(operation)
        if found is None or not self._asking.may(peer.caller, found.operation):
            return Looked()
        given = {name: value for name, value in fields.items() if name in found.fields}
        shown, problem = await self._asked(peer, found.operation, given)
        if problem and found.reads is _seen:  # what is there is no condition, and may be shown late
            return Looked()
        return _refused(problem) if problem else found.reads(shown, fields)

    async def _look_at_list(self, peer: Peer, fields: Fields) -> Looked:
        """All as one where they are one, else each for itself."""
        orders = fields.get("orders")
        if not isinstance(orders, list) or not self._asking.may(peer.caller, "risk.validate"):
            return Looked()
        if fields.get("atomic") or fields.get("contingency"):
            shown, problem = await self._asked(peer, "risk.validate_list", fields)
            if problem:
                return _refused(problem)
            return _several(shown["items"], orders, bool(shown["accepted"]), shown)
        if len(orders) > _LOOKED_AT_MAX:
            return Looked()
        items = []
        for each in orders:
            shown, problem = await self._asked(peer, "risk.validate", each)
            if problem:
                return _refused(problem)
            items.append(shown)
        passes = any(each["accepted"] for each in items)
        return _several(items, orders, passes, {"items": items})

    async def _asked(
        self, peer: Peer, operation: str, fields: Fields
    ) -> tuple[Any, Mapping[str, Any] | None]:
        response = await self._asking.ask(peer, operation, fields)
        found = msgspec.json.decode(response.body or b"{}")
        return (None, found) if response.status >= 400 else (found, None)


_LOOKED_AT_MAX: Final = 20
_REDUCES: Final = frozenset({"trading.cancel_order", "trading.cancel_orders"})


class _Preview(NamedTuple):
    operation: str
    fields: frozenset[str]  # of the request, that the preview's own has, too
    reads: Callable[[Any, Fields], Looked]


def _order(shown: Any, fields: Fields) -> Looked:
    """Of risk.validate."""
    cost = shown.get("cost") or {}
    passes = bool(shown["accepted"])
    after, asset = _power_after(shown, cost)
    return Looked(
        shown,
        passes,
        "" if passes else _reasons(shown),
        _at_most(cost),
        cost.get("currency", ""),
        str(fields.get("symbol", "")),
        after,
        asset,
    )


def _at_most(cost: Mapping[str, Any]) -> str | None:
    """What a budget counts: no less than what is set aside, for prices may move."""
    notional: str | None = cost.get("notional")
    if notional is None or cost["hold_asset"] != cost["currency"]:
        return notional
    found = [parse_scaled(text, _DECIMALS, "notional") for text in (notional, cost["hold"])]
    return format_scaled(max(found), _DECIMALS)


def _several(items: list[Any], orders: list[Any], passes: bool, shown: Any) -> Looked:
    """One sum, where all of them are quoted in one currency."""
    costs = [each.get("cost") or {} for each in items]
    currencies = {cost.get("currency") for cost in costs}
    symbols = {str(order.get("symbol")) for order in orders if isinstance(order, dict)}
    notional = None
    if len(currencies) == 1 and all("notional" in cost for cost in costs):
        total = sum(parse_scaled(str(_at_most(cost)), _DECIMALS, "notional") for cost in costs)
        notional = format_scaled(total, _DECIMALS)
    refusal = "" if passes else "; ".join(_reasons(each) for each in items if each["reasons"])
    currency = str(next(iter(currencies))) if notional is not None else ""
    symbol = next(iter(symbols)) if len(symbols) == 1 else ""
    return Looked(shown, passes, refusal, notional, currency, symbol)


def _replaced(shown: Any, _: Fields) -> Looked:
    """Of risk.validate_replace."""
    passes = bool(shown["accepted"])
    return Looked(shown, passes, "" if passes else _reasons(shown))


def _seen(shown: Any, _: Fields) -> Looked:
    """What is there now, of which some would end."""
    return Looked(shown)


_ORDER: Final = frozenset(field.name for field in msgspec.structs.fields(PlaceOrderRequest))
_PREVIEWS: Final[Mapping[str, _Preview]] = {
    "trading.place_order": _Preview("risk.validate", _ORDER, _order),
    "trading.replace_order": _Preview(
        "risk.validate_replace",
        frozenset({"order_id", "order_qty", "price", "stop_px"}),
        _replaced,
    ),
    "trading.cancel_order": _Preview("trading.order", frozenset({"order_id"}), _seen),
    "trading.cancel_orders": _Preview(
        "trading.orders", frozenset({"account_id", "symbol", "side"}), _seen
    ),
    "trading.close_positions": _Preview("risk.positions", frozenset({"account_id"}), _seen),
    "risk.kill": _Preview("risk.kill_preview", frozenset(), _seen),
    "risk.stop": _Preview("risk.kill_preview", frozenset({"account_id", "symbol"}), _seen),
    "trading.withdraw": _Preview("trading.account", frozenset({"account_id"}), _seen),
    "trading.transfer": _Preview("trading.account", frozenset({"account_id"}), _seen),
    "trading.set_account_limits": _Preview("risk.limits", frozenset({"account_id"}), _seen),
}


def _power_after(shown: Any, cost: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """What is left to pay with, once the order's hold is set aside."""
    margin = cost.get("margin")
    if margin:
        return margin["available"], margin["currency"]
    power = shown.get("headroom", {}).get("power")
    if power is None or "hold" not in cost:
        return None, None
    before = parse_scaled(power, _DECIMALS, "power")
    left = before - parse_scaled(cost["hold"], _DECIMALS, "hold")
    return format_scaled(left, _DECIMALS), cost["hold_asset"]


def _reasons(shown: Any) -> str:
    said = []
    for each in shown["reasons"]:
        numbers = [f"{key} {each[key]}" for key in ("value", "limit", "distance") if each.get(key)]
        said.append(
            f"{each['reason']}: {each['text']}" + (f" ({', '.join(numbers)})" if numbers else "")
        )
    if largest := shown.get("order_qty_max"):
        said.append(f"the largest that would pass is {largest}")
    return "; ".join(said) or "a rule would refuse it"


def _refused(problem: Mapping[str, Any]) -> Looked:
    """Even the preview was: of an account or a symbol that is not there, say."""
    return Looked(problem, False, f"{problem['code']}: {problem['message']}")


def _scope(caller: Caller, tool: Tool) -> str:
    """Who may only propose is let through to the proposal, never to what is proposed."""
    scope, scopes = tool.operation.scope, caller.scopes
    only_proposes = scope == PROPOSED and PROPOSE in scopes and PROPOSED not in scopes
    return PROPOSE if only_proposes else scope


def _response(tool: Tool, fields: Fields, looked: Looked, proposed: Proposed) -> Response:
    proposal = Proposal(
        tool=tool.name,
        request=dict(fields),
        passes=looked.passes,
        preview=looked.shown,
        power_after=looked.power_after,
        power_asset=looked.power_asset,
        policy=proposed.verdict,
        why=proposed.reason,
        budget=proposed.budget,
        state=proposed.state,
        approval_id=proposed.approval_id,
        expires_at=proposed.expires_at,
        next=_NEXT[proposed.state].format(id=proposed.approval_id),
        result=proposed.result,
    )
    return Response(200, b"application/json", msgspec.json.encode(proposal))


def _answered(_: Exchange) -> None:
    """The response is awaited, not called back."""
