"""One house, as a stranger meets it: every door, view and alias, over the network alone.

All tests share one house. Nothing here looks inside: what is claimed is what was answered.
"""

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import msgspec
import pytest
from websockets.sync.client import ClientConnection, connect

from running import TOKEN, Client, Running, house, order

MINE: Final = "account_id=demo"
LINES: Final = "lines.jsonl"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / LINES


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, log: Path) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("day") / "house"
    with house(data, options=("--set", "log_level=INFO"), log=log) as found:
        yield found


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    found = running.client()
    yield found
    found.close()


def done(client: Client, method: str, path: str, body: object, **more: Any) -> Any:
    reply = client.ask(method, path, body, **more)
    assert reply.status in (200, 201), reply
    return reply.body


def crossing(cl_ord_id: str, **terms: str) -> dict[str, str]:
    """A buy that takes what is offered."""
    return order(cl_ord_id, order_qty="0.01", price="60000.00", time_in_force="ioc", **terms)


def placed(client: Client, asked: dict[str, str]) -> Any:
    return done(client, "POST", "/api/orders", asked)


def until_done(client: Client, order_id: str, position: int) -> Any:
    """The order with its history, once nothing of it works any more."""
    until = time.monotonic() + 10
    while True:
        found = client.get(f"/api/orders/{order_id}?min_position={position}")
        if found["order"]["ord_status"] in ("filled", "canceled", "expired"):
            return found
        assert time.monotonic() < until, found
        time.sleep(0.02)


@contextlib.contextmanager
def talking(running: Running, path: str) -> Iterator[ClientConnection]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = f"ws://127.0.0.1:{running.port}{path}"
    with connect(url, additional_headers=headers) as found:
        yield found


def tell(socket: ClientConnection, **message: Any) -> None:
    socket.send(msgspec.json.encode(message).decode())


def hear(socket: ClientConnection) -> Any:
    return msgspec.json.decode(socket.recv(timeout=10))


# --- Orders -------------------------------------------------------------------------------------


def test_an_order_goes_in_meets_the_market_and_every_view_shows_it(client: Client) -> None:
    answer = client.ask("POST", "/api/orders", crossing("meets"))
    assert answer.status == 201
    assert answer.body.keys() == {
        "order_id", "cl_ord_id", "ord_status", "leaves_qty", "position",
    }  # fmt: skip
    order_id = answer.body["order_id"]
    found = until_done(client, order_id, answer.body["position"])
    shown, history, executions = (found[part] for part in ("order", "history", "executions"))
    assert (shown["ord_status"], shown["cum_qty"], shown["leaves_qty"]) == ("filled", "0.01", "0")
    kinds = [each["kind"] for each in history]
    assert kinds[0] == "trading.order_accepted.v1"
    assert {"venues.order_executed.v1", "trading.order_filled.v1"} <= set(kinds)
    assert [each["position"] for each in history] == sorted(each["position"] for each in history)
    assert sum(Decimal(each["last_qty"]) for each in executions) == Decimal("0.01")

    trace = client.get(f"/api/why/{order_id}")["steps"]
    assert [step["kind"] for step in trace] == kinds
    assert trace[0]["causes"][0] | {"by": "request", "id": "meets"} == trace[0]["causes"][0]
    assert trace[0]["marks"]
    assert trace[0]["headroom"]

    listed = client.get(f"/trades/history?{MINE}&limit=1000")["items"]
    assert [each for each in listed if each["order_id"] == order_id] == executions
    risk = client.get(f"/api/risk/positions?{MINE}&min_position={shown['position']}")
    traded = {each["symbol"]: Decimal(each["traded_qty"]) for each in risk["traded"]}
    assert traded["BTC-USD"] >= Decimal("0.01")


def test_positions_are_shown_as_of_any_position_of_the_journal(client: Client) -> None:
    first = placed(client, crossing("as-of"))
    last = until_done(client, first["order_id"], first["position"])["order"]["position"]

    def bitcoin(at: int) -> Decimal:
        items = client.get(f"/api/risk/positions?{MINE}&as_of={at}")["items"]
        return next(Decimal(each["balance"]) for each in items if each["asset"] == "BTC")

    assert bitcoin(last) - bitcoin(first["position"]) == Decimal("0.01")


def test_orders_are_filtered_by_symbol_status_account_and_time_page_by_page(
    client: Client,
) -> None:
    asked = [order(f"page-{nth}") for nth in range(5)]
    many = [*asked, order("page-eth", symbol="ETH-USD", price="2000.00")]
    last = [placed(client, each) for each in many][-1]["position"]
    seen = client.get(f"/api/orders?{MINE}&limit=500&min_position={last}")["items"]
    at = {each["cl_ord_id"]: each["created_at"] for each in seen}

    def names(query: str) -> list[str]:
        found = client.all(f"/api/orders?{query}")
        assert len({each["order_id"] for each in found}) == len(found)
        return [each["cl_ord_id"] for each in found if each["cl_ord_id"].startswith("page-")]

    newest_first = [f"page-{nth}" for nth in reversed(range(5))]
    assert names(f"{MINE}&symbol=BTC-USD&limit=2") == newest_first
    assert names("symbol=ETH-USD") == ["page-eth"]
    assert names(f"{MINE}&ord_status=new&symbol=BTC-USD") == newest_first
    assert names(f"{MINE}&ord_status=canceled,rejected") == []
    assert client.ask("GET", "/api/orders?account_id=nobody").status == 404
    since, until = (at[name].replace("+", "%2B") for name in ("page-1", "page-4"))
    assert names(f"{MINE}&since={since}&until={until}") == ["page-3", "page-2", "page-1"]


def test_the_same_request_again_is_one_order_however_often_and_at_once(running: Running) -> None:
    asked = order("again")

    def send(_: int) -> tuple[int, Any]:
        client = running.client()
        reply = client.ask("POST", "/api/orders", asked)
        client.close()
        return reply.status, reply.body

    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(send, range(24)))
    assert [status for status, _ in answers] == [201] * 24
    assert all(body == answers[0][1] for _, body in answers)
    client = running.client()
    other = client.ask("POST", "/api/orders", asked | {"price": "39999.00"})
    assert (other.status, other.body["code"], other.body["retryable"]) == (409, "key_reused", False)
    path = f"/api/orders?{MINE}&cl_ord_id=again&min_position={answers[0][1]['position']}"
    assert len(client.get(path)["items"]) == 1


def test_an_idempotency_key_replays_status_and_body(client: Client) -> None:
    for nth, (asked, status) in enumerate(
        [(order("key-1"), 201), (order("key-2", order_qty="1000000"), 409)]
    ):
        headers = {"Idempotency-Key": f"key-{nth}"}
        first, again = (
            client.ask("POST", "/api/orders", asked, headers=headers) for _ in ("first", "again")
        )
        assert (first.status, again.status) == (status, status)
        assert first.body == again.body
        assert "idempotent-replayed" not in first.headers
        assert again.headers["idempotent-replayed"] == "true"
        other = client.ask("POST", "/api/orders", asked | {"price": "1.00"}, headers=headers)
        assert (other.status, other.body["code"]) == (409, "idempotency_key_reused")
    wrong = {"Idempotency-Key": "key-wrong"}
    malformed = client.ask("POST", "/api/orders", order("key-3", side="by"), headers=wrong)
    assert malformed.status == 422
    assert client.ask("POST", "/api/orders", order("key-3"), headers=wrong).status == 201
    long = {"Idempotency-Key": "x" * 256}
    assert client.ask("POST", "/api/orders", order("key-4"), headers=long).status == 422


def test_a_quantity_and_an_amount_together_are_refused(client: Client) -> None:
    asked = order("z10", ord_type="market", time_in_force="ioc", cash_order_qty="100")
    del asked["price"]
    refused = client.ask("POST", "/api/orders", asked)
    assert (refused.status, refused.body["code"]) == (409, "unsupported_order")
    for nth, (qty, code) in enumerate(
        [("0.123456789", "quantity_off_lot"), ("0.1234567891", "invalid")]
    ):  # nine decimals are read, and the lot of this instrument has five
        fine = client.ask("POST", "/api/orders", order(f"z10-{nth}", order_qty=qty))
        assert fine.body["code"] == code
    assert client.ask("POST", "/api/orders", order("z10-lot", order_qty="0.12345")).status == 201


def test_a_bulk_is_atomic_or_answers_each_order_for_itself(client: Client) -> None:
    good, bad = order("bulk-1"), order("bulk-2", symbol="DOGE-USD")
    each = done(client, "POST", "/trades/bulk", {"orders": [good, bad]})
    assert [item["status"] for item in each["items"]] == [201, 409]
    assert (each["accepted"], each["items"][1]["error"]["code"]) == (1, "unknown_instrument")
    orders = [order("bulk-3"), order("bulk-4", symbol="DOGE-USD")]
    none = client.ask("POST", "/trades/bulk", {"orders": orders, "atomic": True})
    assert (none.status, none.body["code"]) == (409, "unknown_instrument")
    at = none.body["state"].get("position", 0)
    found = client.get(f"/api/orders?{MINE}&cl_ord_id=bulk-3&min_position={at}")["items"]
    assert [each["ord_status"] for each in found] in ([], ["rejected"])


# --- One gateway, one log -----------------------------------------------------------------------


def test_every_path_that_the_documents_name_leads_to_the_same_thing(client: Client) -> None:
    known = placed(client, order("alias"))
    bodies = [
        done(client, "POST", path, order("alias"))
        for path in ("/api/orders", "/api/v1/orders", "/trades/execute", "/api/trades/execute",
                     "/api/v1/trades/execute")
    ]  # fmt: skip
    assert bodies == [known] * 5
    order_id, seen = known["order_id"], f"min_position={known['position']}"
    for _ in range(200):  # until the venue has booked it, so that nothing more happens to it
        if len(client.get(f"/api/orders/{order_id}?{seen}")["history"]) > 1:
            break
        time.sleep(0.05)
    shown = [
        client.get(f"{path}?{seen}")
        for path in (f"/api/orders/{order_id}", f"/trades/{order_id}/status",
                     f"/api/v1/trades/{order_id}/status")
    ]  # fmt: skip
    assert shown[0] == shown[1] == shown[2]
    histories = [
        client.get(f"{path}?{MINE}&limit=1")["items"]
        for path in ("/trades/history", "/api/trades/history", "/api/executions")
    ]
    assert histories[0] == histories[1] == histories[2]
    for path in ("/health", "/ready", "/api/openapi.json", "/docs", "/metrics"):
        assert client.ask("GET", path).status == 200, path
    for path in ("/orders", "/risk/limits"):  # only those the documents name are served bare
        assert client.ask("GET", path).status == 404, path


def test_orders_and_executions_are_ordered_by_account_and_prices_by_instrument(
    client: Client,
) -> None:
    position = placed(client, crossing("keyed"))["position"]
    order_id = client.get(f"/api/orders?{MINE}&cl_ord_id=keyed&min_position={position}")
    until_done(client, order_id["items"][0]["order_id"], position)
    entries: list[Any] = []
    after = 0
    while True:
        page = client.get(f"/api/journal?after={after}&limit=1000")
        entries += page["items"]
        if page["next"] >= page["head"]:
            break
        after = page["next"]
    streams: dict[str, list[int]] = {}
    for entry in entries:
        room = entry["kind"].partition(".")[0]
        if room == "trading":
            assert entry["stream"].startswith("account/")
        streams.setdefault(entry["stream"], []).append(entry["version"])
    assert "account/demo" in streams
    for versions in streams.values():  # a total order without gaps, for each
        assert versions == list(range(1, len(versions) + 1))


# --- Risk ---------------------------------------------------------------------------------------


def test_what_validate_says_is_what_placing_does(client: Client) -> None:
    cases = [
        order("v-ok"),
        order("v-qty", order_qty="1000000"),
        order("v-collar", price="90000.00", time_in_force="ioc"),
        order("v-symbol", symbol="DOGE-USD"),
    ]
    for asked in cases:
        said = done(client, "POST", "/api/risk/validate", asked)
        assert said["policy_version"] > 0
        did = client.ask("POST", "/api/orders", asked)
        assert said["accepted"] is (did.status == 201)
        if said["accepted"]:
            assert said["headroom"]["power"]
            continue
        [reason, *_] = said["reasons"]
        assert reason["reason"] == did.body["code"]
        if "limit" in did.body["details"]:
            same = ("limit", "unit")
            assert {name: reason[name] for name in same} == {
                name: did.body["details"][name] for name in same
            }
            assert said["order_qty_max"] == did.body["details"]["order_qty_max"]


def test_limits_come_with_what_of_them_is_used(client: Client) -> None:
    def used() -> dict[str, str]:
        found = client.get(f"/api/risk/limits?{MINE}")
        return {each["name"]: each["used"] for each in found["usage"] if each["used"]}

    placed(client, order("used", order_qty="1"))
    now = used()
    assert int(now["orders_max"]) >= 1
    assert Decimal(now["notional_max"]) >= 40_000
    assert client.get(f"/api/risk/limits?{MINE}")["policy_version"] > 0


# --- The market ---------------------------------------------------------------------------------


def test_bitcoin_ether_and_solana_trade_by_default_and_say_that_they_are_synthetic(
    client: Client,
) -> None:
    items = client.get("/api/instruments")["items"]
    own = {"FON-USD"}  # what the demo trades on the house's own venue, where no feed serves
    listed = [each["symbol"] for each in items if each["symbol"] not in own]
    assert listed == ["BTC-USD", "ETH-USD", "SOL-USD"]
    for symbol in listed:
        found = client.get(f"/api/market-data/prices/{symbol}")
        assert (found["quality"], found["synthetic"]) == ("ok", True)
        for quote in ("last", "mid", "mark"):
            assert Decimal(found[quote]["price"]) > 0
            assert found[quote]["source"] == "synthetic"
            assert 0 <= found[quote]["age_ms"] < 60_000


def test_a_book_comes_with_source_sequence_and_a_checksum_of_its_levels(client: Client) -> None:
    terms = {each["symbol"]: each for each in client.get("/api/instruments")["items"]}
    books = [client.get("/api/market-data/orderbook/BTC-USD?depth=10") for _ in range(2)]
    for book in books:
        tick, lot = (Decimal(terms["BTC-USD"][name]) for name in ("tick_size", "lot_size"))
        parts = [
            f"{int(Decimal(px) / tick)}:{int(Decimal(qty) / lot)}"
            for pair in zip(book["bids"], book["asks"], strict=True)
            for px, qty in pair
        ]
        assert crc32(":".join(parts).encode()) == book["checksum"]
        assert (book["source"], book["quality"]) == ("synthetic", "ok")
        bids, asks = ([Decimal(px) for px, _ in book[side]] for side in ("bids", "asks"))
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert bids[0] < asks[0]
    assert books[1]["sequence"] >= books[0]["sequence"]


def test_the_market_socket_sends_a_snapshot_and_then_numbered_deltas(running: Running) -> None:
    with talking(running, "/ws/market-data") as socket:
        for channel in ("book", "prices"):
            tell(socket, op="subscribe", id=channel, channel=channel, symbols=["BTC-USD"])
        bids: dict[str, str] = {}
        asks: dict[str, str] = {}
        sequence = deltas = prices = 0
        while deltas < 5 or not prices:
            said = hear(socket)
            prices += said.get("channel") == "prices"
            if said.get("channel") != "book":
                continue
            if said["type"] == "snapshot":
                bids, asks = dict(said["bids"]), dict(said["asks"])
            else:
                assert said["sequence"] == sequence + 1
                deltas += 1
                for side, changes in ((bids, said["bids"]), (asks, said["asks"])):
                    side.update(changes)
            sequence = said["sequence"]
            best = [max(map(Decimal, (px for px, qty in bids.items() if qty != "0")))]
            best += [min(map(Decimal, (px for px, qty in asks.items() if qty != "0")))]
            assert best[0] < best[1]


def test_the_trading_socket_tells_of_order_fill_and_balance(running: Running) -> None:
    with talking(running, "/ws/trading") as socket:
        tell(socket, op="subscribe", id=1, accounts=["demo"])
        snapshot: Any = {}
        while snapshot.get("type") != "snapshot":
            snapshot = hear(socket)
        tell(socket, op="place", id=2, **crossing("told"))
        order_id = ""
        told: dict[str, list[Any]] = {"orders": [], "executions": [], "balances": []}
        filled = ("orders", "filled")
        while filled not in {(channel, each.get("ord_status")) for channel, all_ in told.items()
                             for each in all_} or not told["balances"]:  # fmt: skip
            said = hear(socket)
            if said.get("id") == 2:
                assert said["status"] == 201
                order_id = said["order_id"]
            elif "channel" in said:
                told[said["channel"]].append(said)
        mine = [each for each in told["executions"] if each["order_id"] == order_id]
        assert sum(Decimal(each["last_qty"]) for each in mine) == Decimal("0.01")
        positions = [each["position"] for each in (*told["orders"], *told["executions"])]
        assert min(positions) > snapshot["position"]


# --- Watching -----------------------------------------------------------------------------------


def test_health_is_life_and_ready_says_what_each_part_is(client: Client) -> None:
    assert client.ask("GET", "/health").body == {"status": "alive"}
    ready = client.ask("GET", "/ready")
    assert ready.status == 200
    checks = ready.body["checks"]
    assert {"serving", "journal", "views", "market"} <= checks.keys()
    assert all(check["ok"] and check["text"] for check in checks.values())


def test_logs_are_json_lines_with_level_and_correlation_and_metrics_count(
    client: Client, log: Path
) -> None:
    def counted() -> dict[str, float]:
        text = client.ask("GET", "/metrics").body.decode()
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}

    mine = 'fondaco_requests_total{operation="trading.place_order",door="http",status="422"}'
    before = counted().get(mine, 0.0)
    headers = {"X-Correlation-Id": "rows-c70", "X-Request-Id": "rows-r1"}
    answer = client.ask("POST", "/api/orders", order("log", side="by"), headers=headers)
    assert (answer.headers["x-correlation-id"], answer.body["request_id"]) == (
        "rows-c70",
        "rows-r1",
    )
    assert counted()[mine] == before + 1
    until = time.monotonic() + 5
    while b"rows-c70" not in (written := log.read_bytes()):
        assert time.monotonic() < until
        time.sleep(0.02)
    lines = [msgspec.json.decode(line) for line in written.splitlines() if line.startswith(b"{")]
    assert all(line["level"] in ("DEBUG", "INFO", "WARN", "ERROR") for line in lines)
    [line] = [line for line in lines if line.get("correlation_id") == "rows-c70"]
    assert (line["request_id"], line["status"], line["level"]) == ("rows-r1", 422, "INFO")
    assert line["operation"] == "trading.place_order"
