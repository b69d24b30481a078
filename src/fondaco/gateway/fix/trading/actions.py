"""What messages ask for, in the words of the operations that the other doors serve."""

from typing import Final

from fondaco.domain.identity.model import Action, Scope

PLACE: Final = Action("trading.place_order", Scope.ORDERS_WRITE, reads=False, second=False)
PLACE_LIST: Final = PLACE._replace(operation="trading.place_orders")
CANCEL_ALL: Final = PLACE._replace(operation="trading.cancel_orders")
CHANGES: Final = {
    "1": PLACE._replace(operation="trading.cancel_order"),
    "2": PLACE._replace(operation="trading.replace_order"),
}
LOOK: Final = Action("trading.orders", Scope.ORDERS_READ, reads=True, second=False)
TRADES: Final = LOOK._replace(operation="trading.executions")
