"""Lists of orders: NewOrderList (E), ListStatusRequest (M), ListCancelRequest (K), and ListStatus
(N) back: when a list was taken or refused, when somebody asks, and when all of it is done.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from fondaco.domain.fix.api import Message, Unsupported
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.api import orders as od
from fondaco.domain.trading.api.orders import stream_of_account
from fondaco.gateway.fix.line import Line
from fondaco.gateway.fix.trading import words
from fondaco.gateway.fix.trading.actions import CANCEL_ALL, LOOK, PLACE_LIST
from fondaco.gateway.fix.trading.blotter import Blotter, ListRow, ListTold
from fondaco.gateway.fix.trading.naming import LIST, key_of
from fondaco.kernel.errors import Denied, FondacoError, Invalid, Unavailable
from fondaco.kernel.event import fingerprint, request_id
from fondaco.runtime.committer import Outcome

if TYPE_CHECKING:
    from fondaco.gateway.fix.trading.orders import Orders

OTHER, UNKNOWN_ID, FIELD_MISSING = 0, 1, 5
ACKNOWLEDGED, RESPONSE, ALL_DONE = "1", "2", "5"  # ListStatusType (429)
REFUSED = "7"  # ListOrderStatus (431)


def place(
    orders: "Orders", line: Line, message: Message, seq_num: int, entries: Sequence[Any]
) -> bool:
    """All of them or none, in one turn of their account."""
    if not entries:
        raise Unsupported(FIELD_MISSING, ref_tag=73)
    if len(entries) > od.BULK_MAX:
        raise Unsupported(OTHER, f"a list has {od.BULK_MAX} orders at most")
    list_id = message.text(66) or ""
    try:
        asks = [orders.order_of(each) for each in entries]
        contingency = words.one_of(words.CONTINGENCIES)(message, 1385)
        ask = od.BulkRequest(asks, True, contingency)
        command = od.place_all(ask, orders.stamp_of(orders.who(), message, line))
    except (Invalid, ValueError, Denied) as error:
        text = error.message if isinstance(error, FondacoError) else str(error)
        raise Unsupported(OTHER, text, ref_id=list_id) from error
    if list_id:
        key = key_of(LIST, list_id, f"{line.id}/{asks[0].cl_ord_id}")
        command = replace(command, command_id=request_id(key, fingerprint(ask)))
    orders.admit(asks[0].account_id, line, PLACE_LIST, ask)
    blotter = orders.hub.blotter(asks[0].account_id)
    settled = partial(_placed, orders, line, blotter, list_id, entries)
    return orders.submit(stream_of_account(asks[0]), command, settled, seq_num)


def _placed(
    orders: "Orders",
    line: Line,
    blotter: Blotter,
    list_id: str,
    entries: Sequence[Any],
    outcome: Outcome,
) -> None:
    if isinstance(outcome, Unavailable):
        return
    if isinstance(outcome, FondacoError):
        _refuse(orders, line, blotter, list_id, entries, outcome.message)
        return
    refused = [each.event for each in outcome if isinstance(each.event, ev.OrderRejected)]
    if refused:
        # Each is reported, behind this commit; and then the list.
        text = f"{refused[0].reason}: {refused[0].text}"
        act = partial(_refuse, orders, line, blotter, list_id, entries, text)
    else:
        act = partial(_tell, orders, line, blotter, list_id, ACKNOWLEDGED)
    asyncio.get_running_loop().call_soon(act)


def _refuse(
    orders: "Orders",
    line: Line,
    blotter: Blotter,
    list_id: str,
    entries: Sequence[Any],
    text: str,
) -> None:
    rows = [ListRow(each.text(11) or "", "0", "8", "0", "0", "0", text) for each in entries]
    told = ListTold(list_id, ACKNOWLEDGED, REFUSED, rows, blotter.account, orders.house.now(), text)
    line.send("N", orders.writing.list_status(told))


def _tell(orders: "Orders", line: Line, blotter: Blotter, list_id: str, kind: str) -> None:
    told = blotter.list_told(list_id, kind, orders.house.now())
    if told is not None:
        line.send("N", orders.writing.list_status(told))


def status(orders: "Orders", line: Line, message: Message, seq_num: int) -> None:
    blotter, list_id = _known(orders, message)
    orders.authorise(blotter.account, LOOK)
    _tell(orders, line, blotter, list_id, RESPONSE)


def cancel(orders: "Orders", line: Line, message: Message, seq_num: int) -> bool | None:
    """Each that is open is canceled by a turn of its own, in order: done once the last is. The same
    request again has the same names, another one at another time has not."""
    blotter, list_id = _known(orders, message)
    caller = orders.admit(blotter.account, line, CANCEL_ALL, None)
    request = f"{caller.name}/{line.id}/{list_id}/{message.text(60)}"
    answer = partial(_tell, orders, line, blotter, list_id, RESPONSE)
    found = blotter.open_in(list_id)
    for nth, known in enumerate(found, 1):
        ask = od.CancelOrderRequest(f"{blotter.account}.{known.number}")
        key = key_of("list-cancel", list_id, f"{request}/{known.number}")
        named = request_id(key, fingerprint(ask))
        command = ev.CancelOrder(named, orders.house.now(), known.number)
        stream = od.stream_of_order(ask)
        if nth < len(found):
            orders.house.submit(stream, command)
            continue

        def settled(outcome: Outcome) -> None:
            asyncio.get_running_loop().call_soon(answer)

        return orders.submit(stream, command, settled, seq_num)
    answer()
    return None


def _known(orders: "Orders", message: Message) -> tuple[Blotter, str]:
    list_id = message.text(66) or ""
    for account in orders.accounts:
        blotter = orders.hub.blotter(account)
        if list_id in blotter.lists:
            return blotter, list_id
    raise Unsupported(UNKNOWN_ID, f"there is no list {list_id[:64]}", ref_id=list_id)
