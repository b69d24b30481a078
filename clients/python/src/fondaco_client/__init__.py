"""A typed client of a Fondaco house. Needs nothing but Python.

    from fondaco_client import Client, Refused

    with Client("http://127.0.0.1:8000", "demo") as house:
        order = house.trading.place_order(
            account_id="demo", cl_ord_id="my-1", symbol="BTC-USD", side="buy",
            order_qty="0.5", ord_type="market",
        )
        print(order["order_id"], order["ord_status"])

Amounts are decimals as text. What goes wrong is raised as a `Problem`, which says whether the venue
was reached, whether to try again, and what is true now.
"""

from types import TracebackType

from fondaco_client.asking import ABSENT, Asking, NoAnswer, Problem, Refused
from fondaco_client.operations import Operations

__all__ = ["ABSENT", "Client", "NoAnswer", "Problem", "Refused"]


class Client(Operations):
    """Every operation, by room: `client.trading.orders(account_id="demo")`. One request at a time;
    give each thread a client of its own."""

    def __init__(self, url: str, token: str, *, timeout_s: float = 30.0) -> None:
        self._asking = Asking(url, token, timeout_s)
        super().__init__(self._asking)

    def close(self) -> None:
        self._asking.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()
