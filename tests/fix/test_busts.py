"""A venue takes trades back, and corrects them, over FIX: the house's own FIX clients are told so,
and its books are as if what was taken back had never been. Both ends share no code with it."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fix.foreign import Broker, Foreign, agreements, free_port, order
from fondaco.domain.identity.model import digest_of, key_id_of
from running import Client, Running, house

KEY = key_id_of(digest_of("demo"))
SESSIONS = (("FIX.4.4", "BUYSIDE", "orders"), ("FIX.4.2", "OLD", "drop_copy"))
VENUE = """
[[session]]
begin_string = "FIX.4.4"
sender_comp_id = "HOUSE"
target_comp_id = "BROKER"
role = "initiator"
connect = ["127.0.0.1:{port}"]
application = "venue"
venue = {{ mic = "BRKR", symbols = ["BTC-USD"] }}
"""


class Between:
    """A buyer, the house, its broker, and who watches in an older version."""

    def __init__(self, running: Running, port: int, broker: Broker) -> None:
        self.client, self.broker, self.port = Client(running.port), broker, port
        broker.accept()
        self.buyer, self.watcher = Foreign(port, "BUYSIDE"), Foreign(port, "OLD", "FIX.4.2")
        self.buyer.log_on()
        self.watcher.log_on()

    def bought(self, name: str, *fills: tuple[str, str]) -> tuple[dict[int, str], list[str]]:
        """An order to buy 3 that has executed so (quantity, price); their ExecIDs."""
        self.buyer.send("D", order(name, t38="3", t44="49000.00"))
        self.buyer.report("0", t11=name)
        asked = self.broker.hear("D")
        self.broker.tell(asked, "0", "0", "0")
        cum, ids = 0, []
        for qty, px in fills:
            cum += int(qty)
            told = self.broker.tell(asked, "F", "2" if cum == 3 else "1", str(cum), t32=qty, t31=px)
            ids.append(told)
        return asked, ids

    def free(self, asset: str) -> str:
        found = self.client.get("/api/accounts/demo")["balances"]
        return str({each["asset"]: each["balance"] for each in found}.get(asset, "0"))

    def cash(self, asset: str, units: str) -> None:
        settled(lambda: self.free(asset) == units, lambda: self.free(asset))


def settled(what: Callable[[], object], seen: Callable[[], object]) -> None:
    until = time.monotonic() + 20
    while not what():
        assert time.monotonic() < until, seen()
        time.sleep(0.05)


@pytest.fixture(scope="module")
def between(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Between]:
    data, port = tmp_path_factory.mktemp("busts"), free_port()
    broker = Broker(free_port())
    agreements(data, KEY, *SESSIONS)
    with (data / "fix.toml").open("a") as agreed:
        agreed.write(VENUE.format(port=broker.port))
    options = ("--fix-port", str(port), "--set", "checks_every_s=1")
    with house(data, options=options) as running:
        yield Between(running, port, broker)
    broker.close()


def test_a_trade_that_never_was_leaves_nothing_and_clients_are_told(between: Between) -> None:
    usd, btc = between.free("USD"), between.free("BTC")
    asked, (one, two) = between.bought("a-1", ("1", "49000.00"), ("2", "48999.99"))
    first = between.buyer.report("F", t32="1")[17]
    second = between.buyer.report("F", t32="2", t39="2")
    settled(lambda: between.free("BTC") != btc, lambda: between.free("BTC"))
    between.broker.tell(asked, "H", "4", "2", t19=one, t32="1", t31="49000.00", t58="their error")
    bust = between.buyer.report(
        "H", t11="a-1", t19=first, t32="1", t31="49000", t14="2", t151="0", t39="4"
    )
    assert (bust[58], bust[6]) == ("their error", "48999.99")
    between.broker.tell(asked, "H", "4", "0", t19=two)
    between.buyer.report("H", t19=second[17], t14="0", t6="0", t151="0")
    between.cash("USD", usd)
    between.cash("BTC", btc)
    told = [between.watcher.hear("8") for _ in range(5)]
    assert [(each[20], each[150]) for each in told[-2:]] == [("1", "4"), ("1", "4")]
    assert [each.get(19) for each in told] == [None, None, None, first, second[17]]


def test_a_correction_is_one_entry_and_one_report(between: Between) -> None:
    asked, (one,) = between.bought("b-1", ("1", "49000.00"))
    was = between.buyer.report("F", t32="1")
    between.broker.tell(asked, "G", "1", "1", t19=one, t32="1", t31="48000.00")
    now = between.buyer.report(
        "G", t11="b-1", t19=was[17], t32="1", t31="48000", t6="48000", t14="1", t151="2", t39="1"
    )
    between.buyer.send("AD", [(11, "b-1"), (568, "t-1"), (569, "1")])
    assert between.buyer.hear("AQ")[748] == "1", "the trade that was none is not told"
    assert between.buyer.hear("AE")[17] == now[17]
    path = f"/api/orders/{now[37]}"

    def lines() -> list[Any]:
        return [(each["last_px"], each.get("amended")) for each in shown()["executions"]]

    def shown() -> Any:
        found = between.client.ask("GET", path)  # of views, which may not have heard of it yet
        return found.body if found.status == 200 else {"executions": []}

    settled(lambda: len(lines()) == 2, lines)
    assert lines() == [("49000", "corrected"), ("48000", None)]
    assert (shown()["order"]["cum_qty"], shown()["order"]["leaves_qty"]) == ("1", "2")
    assert shown()["order"]["avg_px"].startswith("48000")
    said = [step["said"] for step in between.client.get(f"/api/why/{now[37]}")["steps"]]
    assert any("the venue corrects execution 1: 1 at 49000 was 1 at 48000" in each for each in said)
    assert any("execution 1 taken back by its venue: 1 at 49000" in each for each in said)


def test_what_was_never_counted_is_disputed(between: Between) -> None:
    asked, _ = between.bought("c-1")
    between.broker.tell(asked, "H", "0", "0", t19="nobody")
    assert between.broker.hear("j")[372] == "8"


def test_the_books_balance(between: Between) -> None:
    def standing() -> Any:
        return between.client.get("/api/checks")

    settled(lambda: standing()["holds"] is not None, standing)
    assert standing()["holds"], standing()


def test_who_is_not_let_in_is_kept_and_seen(between: Between) -> None:
    """Somebody tries names: nobody answers, and the detectors are told."""
    for nth in range(6):
        knock = Foreign(between.port, f"GUESS{nth}")
        with pytest.raises(ConnectionError):
            knock.log_on((553, "somebody"), (554, "geheim"))

    def kept() -> list[Any]:
        return between.client.all("/api/fix/messages?session=refused")

    settled(lambda: len(kept()) == 6, kept)
    assert {each["msg_type"] for each in kept()} == {"A"}
    full = [between.client.get(f"/api/fix/messages/{each['id']}") for each in kept()]
    assert "geheim" not in str(full)

    def sprayed() -> list[Any]:
        found = between.client.all("/api/fix/alerts?session=refused")
        return [(each["pattern"], each["subject"]) for each in found]

    settled(lambda: ("F02", "127.0.0.1") in sprayed(), sprayed)
