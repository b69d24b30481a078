"""A counterparty as a venue: house A routes its orders to house B over FIX, both of them real.

B's instrument trades on B's own book, so that a test decides when A's order meets somebody.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fix.foreign import free_port
from fondaco.domain.identity.model import digest_of, key_id_of
from running import Client, Reply, Running, begin

KEY = key_id_of(digest_of("demo"))
THEIR_TERMS = {
    "symbol": "BTX-USD",
    "base": "FON",
    "quote": "USD",
    "tick_size": "0.01",
    "lot_size": "1",
    "reference_price": "50000.00",
}
ACCEPTS = f"""
[[session]]
begin_string = "FIX.4.4"
sender_comp_id = "HOUSEB"
target_comp_id = "HOUSEA"
application = "orders"
key_id = "{KEY}"
accounts = ["demo"]
"""
CONNECTS = """
[[session]]
begin_string = "FIX.4.4"
sender_comp_id = "HOUSEA"
target_comp_id = "HOUSEB"
role = "initiator"
connect = ["127.0.0.1:{port}"]
application = "venue"
venue = {{ mic = "HOUSEB", symbols = {{ "BTC-USD" = "BTX-USD" }}, answer_s = 1.0 }}
"""
SESSION = "FIX.4.4:HOUSEB->HOUSEA"


WAIT_S = 40.0


def wait_for(what: Callable[[], object], seen: Callable[[], object] = lambda: "") -> None:
    until = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < until, f"it never came to pass: {seen()}"
        time.sleep(0.05)


class Patient(Client):
    """Connects again where the connection had been idle for too long."""

    def ask(self, *asked: Any, **more: Any) -> Reply:
        try:
            return super().ask(*asked, **more)
        except ConnectionError:
            return super().ask(*asked, **more)


class Pair:
    """A and B, each of which may be killed and begun again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folders = {"a": folder / "a", "b": folder / "b"}
        for name, agreed in (("a", CONNECTS.format(port=self.port)), ("b", ACCEPTS)):
            self.folders[name].mkdir()
            (self.folders[name] / "fix.toml").write_text(agreed)
        self.houses: dict[str, Running] = {}
        self.clients: dict[str, Client] = {}
        for name in "ba":
            self.begin(name)
        for name in "ba":
            self.ready(name)

    def begin(self, name: str) -> None:
        options = ("--fix-port", str(self.port)) if name == "b" else ("--set", "checks_every_s=1")
        self.houses[name] = begin(self.folders[name], options=options)

    def ready(self, name: str) -> None:
        self.clients[name] = Patient(self.houses[name].wait().port)

    @property
    def a(self) -> Client:
        return self.clients["a"]

    @property
    def b(self) -> Client:
        return self.clients["b"]

    def done(self, client: Client, method: str, path: str, body: Any = None) -> Any:
        reply = client.ask(method, path, body)
        assert reply.status in (200, 201), reply
        return reply.body

    def is_up(self) -> bool:
        [shown] = self.a.get("/api/fix/sessions")["items"]
        return bool(shown["state"] == "up")

    def place(self, name: str, **more: Any) -> str:
        """At A: a buy for 3, unless said otherwise. Its order_id."""
        asked = {
            "account_id": "demo",
            "cl_ord_id": name,
            "symbol": "BTC-USD",
            "side": "buy",
            "ord_type": "limit",
            "order_qty": "3",
            "price": "49000.00",
            "time_in_force": "gtc",
            **more,
        }
        return str(self.done(self.a, "POST", "/api/orders", asked)["order_id"])

    def meet(self, name: str, qty: str, price: str = "49000.00") -> None:
        """At B, somebody else sells."""
        asked = {
            "account_id": "seller",
            "cl_ord_id": name,
            "symbol": "BTX-USD",
            "side": "sell",
            "ord_type": "limit",
            "order_qty": qty,
            "price": price,
            "time_in_force": "ioc",
        }
        self.done(self.b, "POST", "/api/orders", asked)

    def order(self, order_id: str) -> tuple[str, str]:
        """At A: OrdStatus and CumQty."""
        reply = self.a.ask("GET", f"/api/orders/{order_id}")
        if reply.status != 200:  # views are not there yet
            return str(reply.status), ""
        found = reply.body["order"]
        return found["ord_status"], found["cum_qty"]

    def becomes(self, order_id: str, status: str, cum: str) -> None:
        wait_for(lambda: self.order(order_id) == (status, cum), lambda: self.order(order_id))

    def theirs(self) -> list[tuple[str, str]]:
        """At B: what works for A."""
        found = self.b.all("/api/orders?account_id=demo&symbol=BTX-USD")
        is_open = ("new", "partially_filled")
        return [(it["order_id"], it["leaves_qty"]) for it in found if it["ord_status"] in is_open]

    def rests(self, leaves: str) -> str:
        """Until exactly one order of A works at B; its order_id there."""
        wait_for(lambda: [left for _, left in self.theirs()] == [leaves], self.theirs)
        return self.theirs()[0][0]

    def executions(self, order_id: str) -> list[str]:
        found = self.a.get(f"/api/orders/{order_id}")["executions"]
        return sorted(each["last_qty"] for each in found)

    def kill(self) -> None:
        for each in self.houses.values():
            each.kill()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    found = Pair(tmp_path_factory.mktemp("pair"))
    try:
        found.done(found.b, "POST", "/api/instruments", THEIR_TERMS)
        found.done(found.b, "POST", "/api/accounts", {"account_id": "seller"})
        fons = {"asset": "FON", "amount": "1000"}
        found.done(found.b, "POST", "/api/accounts/seller/deposits", fons)
        wait_for(found.is_up)
        yield found
    finally:
        found.kill()


def test_orders_go_out_and_what_becomes_of_them_comes_back(pair: Pair) -> None:
    """Placed, executed in part, replaced, executed, and another canceled: as at any venue."""
    first = pair.place("a-1")
    pair.rests("3")
    pair.meet("s-1", "1")
    pair.becomes(first, "partially_filled", "1")
    changed = {"cl_ord_id": "a-2", "order_qty": "5", "price": "48990.00"}
    pair.done(pair.a, "PATCH", f"/api/orders/{first}", changed)
    pair.rests("4")
    pair.meet("s-2", "4", "48990.00")
    pair.becomes(first, "filled", "5")
    assert pair.executions(first) == ["1", "4"]
    second = pair.place("a-3")
    pair.rests("3")
    pair.done(pair.a, "DELETE", f"/api/orders/{second}")
    pair.becomes(second, "canceled", "0")
    assert pair.theirs() == []


def test_a_refusal_and_a_market_order(pair: Pair) -> None:
    refused = pair.place("b-1", order_qty="0.5")  # B's lot is 1
    pair.becomes(refused, "rejected", "0")
    lonely = pair.place("b-2", ord_type="market", price=None, time_in_force="ioc", order_qty="1")
    pair.becomes(lonely, "expired", "0")


def test_a_disconnect_leaves_unknown_what_is_then_resolved(pair: Pair) -> None:
    """What executes meanwhile is counted once they are back, and nothing is sent late."""
    resting, untouched = pair.place("c-1"), pair.place("c-2", price="48000.00")
    wait_for(lambda: len(pair.theirs()) == 2)
    stop = {"session": SESSION, "reason": "the line breaks"}
    pair.done(pair.b, "POST", "/api/fix/sessions/stop", stop)
    pair.becomes(resting, "unknown", "0")
    pair.becomes(untouched, "unknown", "0")
    pair.meet("s-3", "2")
    late = pair.place("c-3")
    pair.becomes(late, "rejected", "0")
    pair.done(pair.a, "DELETE", f"/api/orders/{untouched}")
    start = {"session": SESSION, "reason": "it is mended"}
    pair.done(pair.b, "POST", "/api/fix/sessions/start", start)
    pair.becomes(resting, "partially_filled", "2")
    pair.becomes(untouched, "canceled", "0")
    assert pair.rests("1")
    assert pair.executions(resting) == ["2"]
    pair.done(pair.a, "DELETE", f"/api/orders/{resting}")
    pair.becomes(resting, "canceled", "2")


def test_executions_that_no_resend_brings_are_asked_for(pair: Pair) -> None:
    """Both sides begin their numbers anew while a report of B is on its way: it is lost for good,
    and A is told by a TradeCaptureReport."""
    resting = pair.place("f-1")
    pair.rests("3")
    sessions = ((pair.a, "FIX.4.4:HOUSEA->HOUSEB"), (pair.b, SESSION))
    for client, session in sessions:
        pair.done(client, "POST", "/api/fix/sessions/stop", {"session": session, "reason": "end"})
    pair.meet("s-8", "2")
    pair.rests("1")
    for client, session in sessions:
        anew = {"session": session, "next_out": 1, "next_in": 1, "reason": "begin anew"}
        pair.done(client, "POST", "/api/fix/sessions/sequence", anew)
    for client, session in reversed(sessions):
        pair.done(
            client, "POST", "/api/fix/sessions/start", {"session": session, "reason": "again"}
        )
    pair.becomes(resting, "partially_filled", "2")
    assert pair.executions(resting) == ["2"]
    pair.done(pair.a, "DELETE", f"/api/orders/{resting}")
    pair.becomes(resting, "canceled", "2")


def test_a_fill_that_came_while_we_were_dead_is_counted_once(pair: Pair) -> None:
    partly, gone = pair.place("d-1"), pair.place("d-2", price="48500.00")
    wait_for(lambda: len(pair.theirs()) == 2)
    pair.becomes(partly, "new", "0")
    pair.houses["a"].kill()
    pair.meet("s-4", "2")
    wait_for(lambda: {left for _, left in pair.theirs()} == {"1", "3"}, pair.theirs)
    theirs = {left: order for order, left in pair.theirs()}
    pair.done(pair.b, "DELETE", f"/api/orders/{theirs['3']}")
    pair.begin("a")
    pair.ready("a")
    pair.becomes(partly, "partially_filled", "2")
    pair.becomes(gone, "canceled", "0")
    pair.meet("s-5", "1")
    pair.becomes(partly, "filled", "3")
    assert pair.executions(partly) == ["1", "2"]


def test_their_death_loses_nothing(pair: Pair) -> None:
    resting = pair.place("e-1")
    pair.rests("3")
    pair.meet("s-6", "1")
    pair.houses["b"].kill()
    wait_for(lambda: pair.order(resting)[0] == "unknown")  # whether or not they have said so
    pair.begin("b")
    pair.ready("b")
    wait_for(pair.is_up)
    pair.becomes(resting, "partially_filled", "1")
    pair.meet("s-7", "2")
    pair.becomes(resting, "filled", "3")
    assert pair.executions(resting) == ["1", "2"]


def test_our_books_balance(pair: Pair) -> None:
    """Both sides of every trade are booked against the venue's clearing account."""

    def standing() -> Any:
        return pair.a.get("/api/checks")

    wait_for(lambda: standing()["holds"] is not None, standing)
    assert standing()["holds"], standing()
