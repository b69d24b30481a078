"""Event contracts in a whole house: what an exchange or an operator says becomes what is paid."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from app.test_redelivery import entries_of
from app.test_restart import wait_for
from build import ask as order_ask
from build import deposit, opened, placed
from fondaco.app.files import Files
from fondaco.app.house import Kernel
from fondaco.app.paying import Paying
from fondaco.domain.market.feeds.synthetic import SyntheticFeed
from fondaco.domain.market.model import Finality
from fondaco.domain.market.wires import kalshi
from fondaco.domain.reference.events import SetSettlement
from fondaco.domain.reference.model import HOUSE_STREAM, Stage
from fondaco.domain.trading.model import AccountId, account_stream
from fondaco.kernel.event import CommandId, StreamId
from fondaco.settings import load
from market.recorded import said_by_kalshi as said
from running import Client, house

YES, NO = (kalshi.contract("KXTEST-26" + each) for each in ("", kalshi.NO))
NAMES = ("A1", "B1", "C1")
STREAMS = [account_stream(AccountId(name)) for name in NAMES]
BOOK: dict[str, Any] = {
    "yes_dollars_fp": [["0.4000", "500.00"]],
    "no_dollars_fp": [["0.5000", "500.00"]],
}


class TwoContracts(SyntheticFeed):
    """Lists both contracts of one market; what is heard of them is told by the test."""

    def __init__(self) -> None:
        super().__init__()
        self.listings = (YES, NO)


class Lived:
    """A house with two contracts, an exchange that speaks, and holders as accounts have them."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.wire = kalshi.Kalshi(kernel.board, (YES, NO))
        self.position = 0

        async def holders(_: Sequence[str], __: Sequence[str], ___: int) -> list[str]:
            return list(NAMES)

        self.paying = Paying(kernel, holders, lambda task: None)

    def hears(self, *messages: bytes) -> None:
        for raw in messages:
            self.position += 1
            self.wire.take("kalshi-2026", self.kernel.now(), self.position, raw)

    async def rests(self) -> None:
        """Until nothing is under way."""
        for _ in range(3):
            while self.kernel.reactor.open_count or self.paying._looking:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.02)

    def state(self, stream: StreamId) -> Any:
        memory = self.kernel.peek(stream)
        assert memory is not None
        return memory.state


async def started(data: Path) -> Lived:
    settings = load({"data": str(data), "paper_latency_ms": 0}, {})
    kernel = Kernel(settings, Files(data), TwoContracts())
    await kernel.start(lambda _: None)
    lived = Lived(kernel)
    lived.paying.start()
    return lived


def order(name: str, listed: Any, qty: str, price: str, side: Any = None) -> Any:
    asked = order_ask(name, order_qty=qty, price=price, symbol=listed.symbol)
    return placed(asked if side is None else msgspec.structs.replace(asked, side=side))


def ends(kind: str, **body: Any) -> bytes:
    return said("market_lifecycle_v2", event_type=kind, **body)


def test_what_the_exchange_says_is_journaled_and_pays_every_holder_once(tmp_path: Path) -> None:
    """Closed and determined pay nothing, nor does a dispute; settled pays YES and NO, cancels what
    is open, and a restart or a second telling changes nothing."""

    async def live() -> list[dict[str, int]]:
        lived = await started(tmp_path)
        kernel = lived.kernel
        lived.hears(said("orderbook_snapshot", 1, **BOOK))
        for stream in STREAMS:
            for command in (opened(), deposit("1000")):
                await kernel.submit(stream, command)
        a, b, c = STREAMS
        await kernel.submit(a, order("y", YES, "100", "0.50"))
        await kernel.submit(b, order("n", NO, "200", "0.60"))
        await kernel.submit(c, order("rests", YES, "10", "0.10"))
        await lived.rests()
        assert lived.state(a).balances[YES.instrument.base] == 100 * 10**6
        assert lived.state(b).balances[NO.instrument.base] == 200 * 10**6
        said_so_far = [dict(lived.state(each).balances) for each in STREAMS]
        lived.hears(ends("closed"), ends("determined", result="no"), ends("disputed"))
        await lived.rests()
        assert [dict(lived.state(each).balances) for each in STREAMS] == said_so_far
        assert len(lived.state(c).working) == 1
        lived.hears(ends("amended", result="yes"), ends("settled"), ends("settled"))
        await lived.rests()
        assert not lived.state(c).working
        found = [dict(lived.state(each).balances) for each in STREAMS]
        await kernel.stop()
        return found

    async def again() -> list[dict[str, int]]:
        lived = await started(tmp_path)
        assert lived.kernel.board.contracts[YES.symbol].stage is Stage.SETTLED
        await lived.rests()
        lived.hears(said("orderbook_snapshot", 1, **BOOK), ends("determined", result="no"))
        lived.hears(ends("settled"))
        await lived.rests()
        found = [dict(lived.state(each).balances) for each in STREAMS]
        await lived.kernel.stop()
        return found

    first = asyncio.run(live())
    # 100 YES at 0.50 and 1.75 in fees, paid a dollar each; 200 NO at 0.60 and 3.36, paid nothing
    assert [each["USD"] / 10**8 for each in first] == [1048.25, 876.64, 1000]
    assert {each.get(YES.instrument.base, 0) for each in first} == {0}
    assert {each.get(NO.instrument.base, 0) for each in first} == {0}
    written = entries_of(tmp_path, HOUSE_STREAM)
    assert written.count("reference.contract_moved.v1") == 2 * len("cdDds")
    assert asyncio.run(again()) == first
    assert entries_of(tmp_path, HOUSE_STREAM) == written
    for stream, count in zip(STREAMS, (1, 1, 0), strict=True):
        assert entries_of(tmp_path, stream).count("trading.contract_paid.v1") == count


def test_who_comes_by_a_settled_contract_afterwards_is_paid_then(tmp_path: Path) -> None:
    async def live() -> Any:
        lived = await started(tmp_path)
        for command in (opened(), deposit("1000")):
            await lived.kernel.submit(STREAMS[0], command)
        confirms = SetSettlement(CommandId("c#1"), lived.kernel.now(), YES.symbol, 0, confirms=True)
        await lived.kernel.submit(HOUSE_STREAM, confirms)
        lived.hears(said("orderbook_snapshot", 1, **BOOK))
        await lived.kernel.submit(STREAMS[0], order("y", YES, "2", "0.50"))
        await lived.rests()
        lived.hears(ends("determined", result="yes"), ends("settled"))
        await lived.rests()
        held = lived.state(STREAMS[0])
        assert (held.balances[YES.instrument.base], len(held.matched)) == (2 * 10**6, 1)
        lived.kernel.board.own_trade("A1.1.1", Finality.CONFIRMED)  # as the user channel says it
        await lived.rests()
        assert lived.state(STREAMS[0]).balances["USD"] == 1_000_96 * 10**6  # 2 less 1.04
        late = deposit("3", YES.instrument.base)
        await lived.kernel.submit(STREAMS[0], msgspec.structs.replace(late, command_id="late#f"))
        await lived.rests()
        state = lived.state(STREAMS[0])
        await lived.kernel.stop()
        return state

    state = asyncio.run(live())
    assert state.balances["USD"] == 1_003_96 * 10**6
    assert state.balances[YES.instrument.base] == 0


def put(client: Client, path: str, body: object, status: int = 200) -> Any:
    reply = client.ask("PUT", path, body)
    assert reply.status == status, reply
    return reply.body


def dollars(client: Client) -> str:
    found = client.get("/api/accounts/demo")["balances"]
    return str(next(each["balance"] for each in found if each["asset"] == "USD"))


def fails_to_settle(client: Client, before: str) -> None:
    """Matched, and never confirmed: an operator says so, and everything is as before, once."""
    put(client, f"/api/instruments/{NO.symbol}/settlement", {"settle_days": 0, "confirms": True})
    asked = {
        "account_id": "demo", "cl_ord_id": "n1", "symbol": NO.symbol, "side": "buy",
        "order_qty": "10", "price": "0.60", "time_in_force": "ioc",
    }  # fmt: skip
    reply = client.ask("POST", "/api/orders", asked)
    assert reply.status == 201, reply
    order_id = reply.body["order_id"]
    wait_for(lambda: dollars(client) != before)
    path = f"/api/orders/{order_id}/finality"
    assert (
        put(client, path, {"exec_number": 1, "finality": "MINED", "reason": "a block"})["changed"]
        is False
    )
    assert put(client, path, {"exec_number": 1, "finality": "FAILED", "reason": "reverted"})[
        "changed"
    ]
    wait_for(lambda: dollars(client) == before)
    again = client.ask("PUT", path, {"exec_number": 1, "finality": "CONFIRMED", "reason": "no"})
    assert (again.status, again.body["code"]) == (409, "not_waiting")


def test_an_operator_settles_by_the_api_and_the_statement_shows_it(tmp_path: Path) -> None:
    """Over the network, with a feed that never says what became of the contract."""
    folder = tmp_path / "recorded"
    folder.mkdir()
    spoken = [said("orderbook_snapshot", nth, **BOOK) for nth in range(1, 601)]  # for a minute
    (folder / "kalshi_book.jsonl").write_bytes(b"\n".join(spoken))
    path = f"/api/instruments/{YES.symbol}/contract"
    with house(tmp_path / "data", options=["--feed", f"replay:{folder}"]) as running:
        client = running.client()
        for asset, amount in ((YES.instrument.base, "40"), (NO.instrument.base, "60")):
            asked = {"asset": asset, "amount": amount, "direction": "deposit"}
            assert client.ask("POST", "/api/accounts/demo/transfers", asked).status == 201
        before = dollars(client)
        fails_to_settle(client, before)
        early = client.ask("PUT", path, {"stage": "settled", "payout": "1", "reason": "mine"})
        assert (early.status, early.body["code"]) == (409, "contract_stage")
        told = put(client, path, {"stage": "determined", "payout": "0.25", "reason": "a draw"})
        assert dollars(client) == before
        told = put(client, path, {"stage": "settled", "reason": "nobody disputes it"})
        assert told["changed"]
        assert not put(client, path, {"stage": "settled", "reason": "nobody disputes it, again"})[
            "changed"
        ]
        shown = {each["symbol"]: each for each in client.get("/api/instruments")["items"]}
        line = shown[YES.symbol]
        assert (line["stage"], line["payout"], line["fee_formula"]) == ("settled", "0.25", "kalshi")
        assert shown[NO.symbol]["stage"] == "open"

        def paid() -> list[list[str]]:
            reply = client.ask("GET", "/api/accounts/demo/statement.csv")
            text = reply.body.decode() if isinstance(reply.body, bytes) else str(reply.body)
            return [line.split(",") for line in text.splitlines() if ",contract," in line]

        wait_for(lambda: len(paid()) == 2)
        [gone, came] = paid()
        assert (gone[3], gone[4], came[3], came[4]) == (
            YES.instrument.base,
            "-40.00",
            "USD",
            "10.00",
        )
        assert client.ask("GET", "/ready").status == 200  # closed as it should be
