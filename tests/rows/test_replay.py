"""Requirement R8: what was decided once is decided again, to the byte, whatever else differs."""

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from fondaco.app.kinds import CODEC
from fondaco.app.offline import rebuild, record, verify
from fondaco.domain.reference.model import HOUSE_STREAM, HouseState, Instrument, Symbol
from fondaco.domain.reference.rules import decider as reference
from fondaco.domain.trading.events import (
    Ask,
    CancelOrder,
    CancelRequested,
    OrderAccepted,
    OrderRejected,
    PlaceOrder,
)
from fondaco.domain.trading.model import (
    AccountId,
    ClOrdId,
    Contingency,
    OrdType,
    Side,
    TimeInForce,
    account_stream,
)
from fondaco.domain.trading.refs import refresh, refs_of, roll_session, update_rates
from fondaco.domain.trading.rules import decider as trading
from fondaco.domain.venues.policies import policies
from fondaco.kernel.event import Command, CommandId, Decision, Instant
from fondaco.ports.journal import entries_of
from fondaco.ports.journal.segments import SegmentJournal
from rows.day import ACCOUNTS, Request
from running import house
from simulation.under_load import orders

DEMO: Final = account_stream(AccountId("demo"))
PATH: Final = os.pathsep.join(entry for entry in sys.path if entry)
SYMBOL: Final = Symbol("BTC-USD")
FRAMES: Final = 240  # at least so many are on the tape, however busy the machine was
REQUESTS: Final = 160


def ask(name: str, draw: random.Random) -> Ask:
    """One of everything, around 50,000.00."""
    side = draw.choice(list(Side))
    away = draw.randint(-300, 300)
    near, qty = f"{50_000 + away / 100:.2f}", f"0.{draw.randint(1, 90):03}"
    kind = draw.choice(["rest", "cross", "cash", "stop", "trail", "ice", "beyond"])
    plain: dict[str, Any] = {"order_qty": qty, "time_in_force": TimeInForce.GTC}
    terms: dict[str, dict[str, Any]] = {
        "rest": {"ord_type": OrdType.LIMIT, "price": near},
        "cross": {
            "ord_type": OrdType.LIMIT,
            "price": "50500.00" if side is Side.BUY else "49500.00",
            "time_in_force": TimeInForce.IOC,
        },
        "cash": {
            "ord_type": OrdType.MARKET,
            "order_qty": "",
            "cash_order_qty": "1234.5",
            "time_in_force": TimeInForce.IOC,
        },
        "stop": {"ord_type": OrdType.STOP, "stop_px": near},
        "trail": {"ord_type": OrdType.TRAILING_STOP, "trail_offset": "0.80"},
        "ice": {"ord_type": OrdType.LIMIT, "price": near, "display_qty": "0.001"},
        "beyond": {"ord_type": OrdType.LIMIT, "price": near, "order_qty": "5000"},
    }
    return Ask(ClOrdId(name), SYMBOL, side, **(plain | terms[kind]))


def oco(name: str) -> list[Ask]:
    both: dict[str, Any] = {"side": Side.SELL, "order_qty": "0.2", "symbol": SYMBOL}
    both["time_in_force"] = TimeInForce.GTC
    return [
        Ask(ClOrdId(f"{name}a"), ord_type=OrdType.LIMIT, price="50003.00", **both),
        Ask(ClOrdId(f"{name}b"), ord_type=OrdType.STOP, stop_px="49997.00", **both),
    ]


def planned(frames: int) -> list[Request]:
    draw = random.Random(8)
    requests = []
    for nth in range(REQUESTS):
        after = 20 + nth * (frames - 60) // REQUESTS
        account = draw.choice(ACCOUNTS)
        if nth % 40 == 39:
            requests.append(Request(after, account, []))
        elif nth % 10 == 5:
            requests.append(Request(after, account, oco(f"g{nth}"), Contingency.OCO))
        else:
            requests.append(Request(after, account, [ask(f"o{nth}", draw)]))
    return requests


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tape that `fondaco record` has written, and what was asked meanwhile."""
    root = tmp_path_factory.mktemp("day")
    recorded = record(root, "synthetic,rate=60", 1.5)
    frames = recorded["last_position"]
    assert frames > FRAMES
    plan = root / "plan.json"
    plan.write_bytes(msgspec.json.encode(planned(frames)))
    return root / "tape", plan


def again(
    day: tuple[Path, Path], data: Path, *, hash_seed: str, loaders: int, skew_s: int
) -> "subprocess.Popen[bytes]":
    script = Path(__file__).with_name("day.py")
    options = [*map(str, day), str(data), str(loaders), str(skew_s)]
    environment = {
        **os.environ,
        "PYTHONPATH": PATH,
        "PYTHONHASHSEED": hash_seed,
        "TZ": "Asia/Tokyo",
    }
    return subprocess.Popen(
        [sys.executable, str(script), *options], stdout=subprocess.PIPE, env=environment
    )


def test_a_recorded_day_gives_the_same_order_log_to_the_byte_whatever_else_differs(
    day: tuple[Path, Path], tmp_path: Path
) -> None:
    """Hash seed, number of loader threads, the machine's clock and time zone, and the process."""
    runs = [
        again(day, tmp_path / str(nth), hash_seed=seed, loaders=loaders, skew_s=skew_s)
        for nth, (seed, loaders, skew_s) in enumerate(
            [("0", 1, 0), ("1", 2, 86_400), ("4242", 8, -3_600)]
        )
    ]
    found = []
    for running in runs:
        said, _ = running.communicate(timeout=120)
        assert running.returncode == 0
        found.append(msgspec.json.decode(said))
    kinds = found[0]["kinds"]
    for kind in ("accepted", "rejected", "filled", "triggered", "trailed", "canceled"):
        assert kinds.get(f"trading.order_{kind}.v1", 0) > 2, kinds
    assert kinds["venues.order_executed.v1"] > 20
    assert found[1:] == [found[0]] * 2


# --- A live day ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a house has left after some hundred orders: rest, cross, refused, canceled."""
    data = tmp_path_factory.mktemp("lived") / "house"
    with house(data) as running:
        client = running.client()
        placed = []
        for asked in islice(orders(3), 300):
            reply = client.ask("POST", "/api/orders", asked)
            assert reply.status in (201, 409), reply
            placed += [reply.body] if reply.status == 201 else []
        for each in placed[::5]:
            assert client.ask("DELETE", f"/api/orders/{each['order_id']}").status in (200, 404, 409)
        assert running.stop() == 0
    return data


def asked_as(event: OrderAccepted | OrderRejected, terms: Mapping[Symbol, Instrument]) -> Ask:
    """The request of a limit or market order, out of what was decided about it."""
    if isinstance(event, OrderRejected):
        force = TimeInForce.IOC if event.ord_type is OrdType.MARKET else TimeInForce.GTC
        return Ask(
            event.cl_ord_id, event.symbol, event.side, event.ord_type, force,
            event.order_qty, event.price,
        )  # fmt: skip
    order = event.order
    instrument = terms[order.symbol]
    price = "" if order.ord_type is OrdType.MARKET else instrument.px_text(order.px)
    return Ask(
        order.cl_ord_id, order.symbol, order.side, order.ord_type, order.time_in_force,
        instrument.qty_text(order.lots), price,
    )  # fmt: skip


class Auditor:
    """Reads a journal, and decides for itself what an account decided then."""

    def __init__(self) -> None:
        self.house = HouseState()
        self.refs = refs_of(self.house, {}, Instant(0))
        self.state = trading.initial(DEMO)
        self.messages: dict[CommandId, Command] = {}
        self.agreed: Counter[str] = Counter()

    def read(self, decision: Decision[Any], first: int) -> None:
        if decision.stream == HOUSE_STREAM:
            for event in decision.events:
                self.house = reference.evolve(self.house, event)
            refresh(self.refs, self.house, decision.at)
        for entry in entries_of([decision], first - 1):
            for policy in policies.get(type(entry.event), ()):
                self.messages |= {
                    command.command_id: command for _, command in policy(entry, entry.at)
                }
        if decision.stream == DEMO:
            self.decide(decision)
            for event in decision.events:
                self.state = trading.evolve(self.state, event)

    def decide(self, decision: Decision[Any]) -> None:
        command = self.command(decision)
        if command is None:
            return
        for event in decision.events:
            for mark in getattr(event, "marks", ()):
                self.refs.marks[mark.symbol] = mark
                update_rates(self.refs, mark)
        roll_session(self.refs, decision.at)
        events = trading.decide(self.state, command, self.refs)  # type: ignore[arg-type]
        mine = msgspec.structs.replace(decision, events=events, refs_version=self.refs.version)
        assert CODEC.encode([mine]) == CODEC.encode([decision])
        self.agreed[type(command).__name__] += 1

    def command(self, decision: Decision[Any]) -> Command | None:
        told = self.messages.get(decision.caused_by)
        if told is not None:
            return msgspec.structs.replace(told, at=decision.at)
        last = decision.events[-1]
        if isinstance(last, OrderAccepted | OrderRejected):
            asked = asked_as(last, self.refs.instruments)
            return PlaceOrder(decision.caused_by, decision.at, asked)
        if isinstance(last, CancelRequested):
            return CancelOrder(decision.caused_by, decision.at, last.number)
        return None


def test_every_decision_of_a_live_account_is_made_again_from_the_journal_alone(lived: Path) -> None:
    """The same bytes: of acceptances, refusals, cancels, fills and ends."""
    auditor = Auditor()
    with closing(SegmentJournal(lived / "journal", CODEC, writer=False)) as journal:
        for decision, first in journal.decisions(0):
            auditor.read(decision, first)
    assert auditor.agreed["PlaceOrder"] == 300
    assert auditor.agreed["CancelOrder"] > 20
    assert auditor.agreed["RecordExecution"] > 40
    assert auditor.agreed["RecordEnd"] > 20


def test_a_replay_says_the_same_whatever_the_hash_seed_and_the_time_zone(lived: Path) -> None:
    command = [sys.executable, "-m", "fondaco", "replay", "--data", str(lived)]
    runs = [
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": PATH, "PYTHONHASHSEED": seed, "TZ": zone},
        )
        for seed, zone in (("0", "UTC"), ("77", "Asia/Tokyo"))
    ]
    said = [running.communicate(timeout=60)[0].decode() for running in runs]
    assert said[0] == said[1]
    assert "account/demo  version " in said[0]
    assert said[0].count("sha256") >= 3


def test_views_filled_anew_from_the_journal_are_row_by_row_those_that_served(lived: Path) -> None:
    assert verify(lived)["wrong"] == []
    found = rebuild(lived)
    assert found["different"] == []
    assert found["entries"] > 500
