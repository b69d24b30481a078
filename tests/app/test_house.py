"""A house whose parts fail: it says so, mends what can be mended, and stops where it must."""

import asyncio
import os
import resource
import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest

from app.test_restart import after, done, statuses, wait_for
from fondaco.app import keeping
from fondaco.app.files import Files
from fondaco.app.house import Kernel
from fondaco.domain.market.feeds.synthetic import SyntheticFeed
from fondaco.domain.reference.model import Instrument
from fondaco.kernel.errors import Refused
from fondaco.settings import load
from running import Client, NotReady, Running, begin, house, order

NOWHERE: Final = "http://127.0.0.1:9"  # a proxy that nobody is


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with house(tmp_path_factory.mktemp("parts") / "house") as found:
        yield found


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    found = running.client()
    yield found
    found.close()


def metric(client: Client, name: str) -> float:
    text = client.ask("GET", "/metrics").body.decode()
    [line] = [line for line in text.splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[1])


def follower_of(running: Running) -> int:
    children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
    [pid] = map(int, children.read_text().split())
    return pid


def test_it_says_where_it_is_what_it_shows_and_how_to_ask(running: Running) -> None:
    first, second = [each for each in running.said().splitlines() if ": root " not in each][:2]
    assert "house, feed synthetic, listening on " + running.url in first
    assert "Bearer demo" in second


def test_a_follower_that_dies_is_seen_and_started_again(running: Running, client: Client) -> None:
    assert metric(client, "fondaco_follower_up") == 1
    before = follower_of(running)
    os.kill(before, signal.SIGTERM)  # which a terminal sends to all: its parent ends it, not this
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: metric(client, "fondaco_follower_deaths_total") == 1)
    views = client.ask("GET", "/ready").body["checks"]["views"]
    assert not views["ok"]
    assert "has ended with -9" in views["text"]
    placed = done(client, "POST", "/api/orders", order("after-follower"))
    wait_for(lambda: statuses(client).get("after-follower") == "new")
    assert client.get(f"/api/orders/{placed['order_id']}?min_position={placed['position']}")
    assert follower_of(running) != before
    wait_for(lambda: client.ask("GET", "/ready").status == 200)


def test_a_disk_that_was_full_for_a_while_ends_no_deadline(
    running: Running, client: Client
) -> None:
    """The clock's task writes the reactor's cursor; it must survive that it cannot."""
    _, hard = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (0, hard))
    time.sleep(1.2)
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (hard, hard))

    def placed() -> bool:
        due = order("due", time_in_force="gtd", expire_time=expires)
        return client.ask("POST", "/api/orders", due).status == 201

    expires = after(2.0)
    wait_for(placed)
    wait_for(lambda: statuses(client).get("due") == "expired")


def test_views_that_nobody_can_read_are_filled_anew(tmp_path: Path) -> None:
    data = tmp_path / "house"
    data.mkdir()
    (data / "views.db").write_bytes(b"no database" * 1_000)
    with house(data) as running:
        assert "views.db is broken, and filled anew" in running.said()
        assert running.client().get("/api/accounts/demo")["account_id"] == "demo"


def refused(data: Path, *options: str) -> str:
    """What a house says that does not start; it exits with 1, and shows nobody a traceback."""
    starting = begin(data, options=options)
    with pytest.raises(NotReady, match="ended with 1"):
        starting.wait()
    starting.kill()
    assert "Traceback" not in starting.said()
    return starting.said()


def test_a_data_directory_is_served_once(running: Running, client: Client) -> None:
    [data] = [word.removesuffix(",") for word in running.said().split() if word.endswith("/house,")]
    said = refused(Path(data))
    assert data in said
    assert f"process {running.process.pid}: stop that one first" in said
    assert client.ask("GET", "/health").status == 200


def test_a_port_is_taken_once(running: Running, tmp_path: Path) -> None:
    said = refused(tmp_path / "house", "--port", str(running.port))
    assert f"port {running.port}: " in said
    assert "--port" in said
    assert not (tmp_path / "house").exists(), "nothing is touched"


def test_a_place_that_cannot_hold_a_house_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be a data directory" in refused(tmp_path / "file" / "house")


def test_a_feed_that_the_journal_contradicts_is_refused(tmp_path: Path) -> None:
    """Prices of one market in the ticks of another would be wrong by a factor."""

    class Finer(SyntheticFeed):
        def instruments(self) -> tuple[Instrument, ...]:
            return tuple(
                msgspec.structs.replace(each, tick_units=each.tick_units * 10)
                for each in super().instruments()
            )

    async def start(feed: SyntheticFeed) -> None:
        kernel = Kernel(load({"data": str(tmp_path)}, {}), Files(tmp_path), feed)
        try:
            await kernel.start(lambda task: None)
        finally:
            await kernel.stop()

    asyncio.run(start(SyntheticFeed()))
    asyncio.run(start(SyntheticFeed()))
    with pytest.raises(Refused, match="the feed and the journal differ"):
        asyncio.run(start(Finer()))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, NOWHERE)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_network")
def test_auto_is_synthetic_where_there_is_no_network_and_says_so(tmp_path: Path) -> None:
    with house(tmp_path / "house", options=("--feed", "auto")) as running:
        client = running.client()
        market = client.get("/ready")["checks"]["market"]
        assert market["text"].startswith("synthetic: ")
        assert client.get("/api/market-data/prices/BTC-USD")["synthetic"] is True
        assert "feed synthetic (auto)" in running.said()
        assert running.stop() == 0


@pytest.mark.usefixtures("no_network")
def test_a_live_feed_without_a_network_is_said_and_waited_for(tmp_path: Path) -> None:
    running = begin(tmp_path / "house", options=("--feed", "binance:BTCUSDT"))
    try:
        wait_for(lambda: "listening on " in running.said())
        running.url = running.said().split("listening on ")[1].split()[0]
        client = running.client()
        wait_for(lambda: answers(client, "/health"))
        wait_for(lambda: "(" in client.ask("GET", "/ready").body["checks"]["market"]["text"])
        reply = client.ask("GET", "/ready")
        assert reply.status == 503
        assert "BTC-USDT recovering" in reply.body["checks"]["market"]["text"]
        opens = client.ask("POST", "/api/orders", order("blind", symbol="BTC-USDT"))
        assert opens.status == 409
        assert running.stop() == 0
    finally:
        running.kill()


def answers(client: Client, path: str) -> bool:
    try:
        return client.ask("GET", path).status == 200
    except OSError:
        return False


def test_a_feed_that_dies_is_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "AGAIN_MIN_S", 0.001)
    died: list[BaseException | None] = []
    lives: list[Callable[[], object]] = [lambda: 1 / 0, lambda: None, lambda: int("x")]
    begun = 0

    async def feed() -> None:
        nonlocal begun
        begun += 1
        if len(died) < len(lives):
            lives[len(died)]()
        else:
            await asyncio.Event().wait()

    async def watch() -> None:
        kept = asyncio.create_task(keeping.keep_running(feed, died.append))
        while begun <= len(lives):
            await asyncio.sleep(0.001)
        kept.cancel()
        await asyncio.wait({kept})

    asyncio.run(watch())
    assert [type(each) for each in died] == [ZeroDivisionError, type(None), ValueError]


def test_a_part_that_dies_ends_the_house_and_is_named(tmp_path: Path) -> None:
    """Whoever watches the process sees the status, and the log says which part and why."""
    with house(tmp_path / "house") as running:
        with sqlite3.connect(tmp_path / "house" / "records.db") as records:
            records.execute("DROP TABLE store_outbox")
        assert running.process.wait(20) == 1
        assert "called outbox has died" in running.said()
        assert "no such table" in running.said()


def test_a_request_under_way_is_answered_before_the_house_ends(tmp_path: Path) -> None:
    with house(tmp_path / "house") as running:
        body = b'{"orders":[%s]}' % b",".join(
            b'{"account_id":"demo","cl_ord_id":"drain-%d","symbol":"BTC-USD","side":"buy",'
            b'"order_qty":"0.001","price":"30000.00"}' % nth
            for nth in range(1_000)
        )
        head = (
            b"POST /api/orders/bulk HTTP/1.1\r\nHost: house\r\nAuthorization: Bearer demo\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as sock:
            sock.sendall(head + body[:-1])
            time.sleep(0.1)
            running.process.terminate()
            sock.sendall(body[-1:])
            answer = b""
            while more := sock.recv(65_536):
                answer += more
        assert answer.startswith(b"HTTP/1.1 200 "), answer[:300]
        assert b'"accepted":1000' in answer
        assert running.process.wait(20) == 0
