"""What strangers send: the right answer to each, and orders of others go on meanwhile."""

import contextlib
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest

from fondaco.bench.doors import Target, WebSocket
from fondaco.gateway.protocol import LINGER_BYTES
from running import Client, Running, house, order

SOAK: Final = os.environ.get("FONDACO_SOAK") == "1"
SLOW: Final = 200
IDLE_SOCKETS: Final = 5_000 if SOAK else 500


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("abuse") / "house"
    with house(data, options=("--set", "header_timeout_s=2")) as found:
        yield found


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    found = running.client()
    yield found
    found.close()


def raw(**terms: str) -> bytes:
    """An order whose named fields hold this JSON text, whatever it is."""
    fields = {name: msgspec.json.encode(value).decode() for name, value in order("abuse").items()}
    return ("{" + ",".join(f'"{n}":{v}' for n, v in (fields | terms).items()) + "}").encode()


MALFORMED: Final[dict[str, tuple[bytes, int]]] = {
    "nothing": (b"", 422),
    "half an object": (b'{"account_id":"demo",', 422),
    "no object": (b'["demo"]', 422),
    "not utf-8": (b'{"account_id":"\xff\xfe"}', 422),
    "deeply nested": (b"[" * 100_000, 422),
    "deeply nested in a field": (raw(price="[" * 50_000 + "]" * 50_000), 422),
    "a field nobody knows": (raw(leverage='"100"'), 422),
    "a quantity that is NaN": (raw(order_qty="NaN"), 422),
    "a quantity that says NaN": (raw(order_qty='"NaN"'), 422),
    "infinite": (raw(order_qty='"Infinity"'), 422),
    "negative": (raw(order_qty='"-1"'), 422),
    "minus zero": (raw(order_qty='"-0"'), 422),
    "1e30 as a number": (raw(order_qty="1e30"), 422),
    "1e30 as text": (raw(order_qty='"1e30"'), 422),
    "a number of 400 digits": (raw(order_qty=f'"{"9" * 400}"'), 422),
    "a price that is null": (raw(order_qty="null"), 409),
    "digits of another script": (raw(order_qty='"١"'), 422),
    "a sign": (raw(order_qty='"+1"'), 422),
    "blanks": (raw(order_qty='" 1"'), 422),
    "an id with a newline": (raw(cl_ord_id='"a\\nb"'), 422),
    "an id with a null byte": (raw(cl_ord_id='"a\\u0000b"'), 422),
    "an id that is empty": (raw(cl_ord_id='""'), 422),
    "an id of 10,000 letters": (raw(cl_ord_id=f'"{"a" * 10_000}"'), 422),
    "a side nobody takes": (raw(side='"both"'), 422),
    "a symbol that cannot be": (raw(symbol='"../../etc"'), 422),
    "a symbol nobody lists": (raw(symbol='"XXX-YYY"', cl_ord_id='"abuse-symbol"'), 409),
    "finer than a lot": (raw(order_qty='"0.000000001"', cl_ord_id='"abuse-lot"'), 409),
    "finer than a tick": (raw(price='"40000.001"', cl_ord_id='"abuse-tick"'), 409),
    "zero": (raw(order_qty='"0"', cl_ord_id='"abuse-zero"'), 409),
    "more than there is money": (raw(order_qty='"20000"', cl_ord_id='"abuse-much"'), 409),
    "an account that is not there": (raw(account_id='"nobody"'), 404),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_an_order_that_cannot_be_is_answered_so(client: Client, what: str) -> None:
    body, status = MALFORMED[what]
    reply = client.ask("POST", "/api/orders", body)
    assert reply.status == status, reply
    assert reply.headers["content-type"].startswith("application/problem+json")
    assert set(reply.body) >= {"code", "message", "retryable", "reached_venue", "request_id"}
    assert reply.body["retryable"] is False
    assert reply.body["reached_venue"] == "no"
    assert "Traceback" not in reply.body["message"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer somebody-else"}, 401),
        ({"Authorization": "Basic ZGVtbzpkZW1v"}, 401),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer " + "x" * 5_000}, 401),
    ],
)
def test_who_is_not_known_is_told_so(client: Client, headers: dict[str, str], status: int) -> None:
    reply = client.ask("POST", "/api/orders", order("abuse"), headers=headers)
    assert reply.status == status


def test_a_head_without_end_is_refused(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as sock:
        sock.sendall(b"POST /api/orders HTTP/1.1\r\nHost: house\r\nX-Large: ")
        sock.settimeout(0.05)
        answer = b""
        for _ in range(20):
            with contextlib.suppress(OSError):
                sock.sendall(b"x" * 16_384)
                answer += sock.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 431 ")


def test_a_huge_body_is_refused_before_it_is_read(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as sock:
        sock.sendall(
            b"POST /api/orders HTTP/1.1\r\nHost: house\r\nAuthorization: Bearer demo\r\n"
            b"Content-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n"
        )
        assert sock.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_grows_beyond_the_limit_is_cut_off(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as sock:
        sock.sendall(
            b"POST /api/orders HTTP/1.1\r\nHost: house\r\nAuthorization: Bearer demo\r\n"
            b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(64):  # four times the limit, and nobody's pipe breaks
            sock.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
        assert sock.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_who_is_still_sending_reads_why_it_was_refused(running: Running) -> None:
    """A body of two megabytes, as any client sends it: all of it, then it listens."""
    reply = running.client().ask("POST", "/api/orders", b"x" * 2_000_000)
    assert (reply.status, reply.body["code"]) == (413, "too_large")


def test_who_never_stops_sending_is_closed(running: Running) -> None:
    """The house takes a bounded amount and throws it away; it does not listen for ever."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as sock:
        sock.sendall(
            b"POST /api/orders HTTP/1.1\r\nHost: house\r\nContent-Length: 1000000000\r\n\r\n"
        )
        sent = 0
        with contextlib.suppress(OSError):  # a reset or a broken pipe: which, is luck
            while sent < 8 * LINGER_BYTES:
                sock.sendall(b"x" * (1 << 20))
                sent += 1 << 20
        assert sent < 4 * LINGER_BYTES, "it listens for ever"


def test_what_is_no_http_is_refused(running: Running) -> None:
    for nonsense in (b"\x16\x03\x01\x02\x00\x01", b"GARBAGE\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as sock:
            sock.sendall(nonsense + b"\r\n\r\n")
            assert sock.recv(65_536)[:13] in (b"HTTP/1.1 400 ", b"")


class Beside:
    """An ordinary client beside the abuse: every order of its is accepted, and none waits long."""

    def __init__(self, running: Running, name: str) -> None:
        self.waits_s: list[float] = []
        self.wrong: list[Any] = []
        self._running, self._name = running, name
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._place)

    def _place(self) -> None:
        client = self._running.client()
        nth = 0
        while not self._stop.is_set():
            nth += 1
            started = time.perf_counter()
            reply = client.ask("POST", "/api/orders", order(f"{self._name}-{nth}"))
            self.waits_s.append(time.perf_counter() - started)
            if reply.status != 201:
                self.wrong.append(reply)
            time.sleep(0.002)
        client.close()

    def __enter__(self) -> "Beside":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def check(self, *, orders_min: int, wait_max_s: float) -> None:
        assert not self.wrong, self.wrong[:3]
        assert len(self.waits_s) >= orders_min
        assert max(self.waits_s) < wait_max_s


def test_a_poison_request_fails_alone(running: Running) -> None:
    """Bad requests among good ones, on connections of their own and on the same one."""
    mixed = running.client()
    with Beside(running, "beside-poison") as beside:
        for nth, (what, (body, status)) in enumerate(MALFORMED.items()):
            assert mixed.ask("POST", "/api/orders", body).status == status, what
            good = mixed.ask("POST", "/api/orders", order(f"after-poison-{nth}"))
            assert good.status == 201, what
        time.sleep(0.3)
    beside.check(orders_min=20, wait_max_s=2.0)


def test_slowloris_does_not_stop_orders(running: Running) -> None:
    """Two hundred connections that never end their request are cut off; nobody else notices."""
    slow = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(SLOW)]
    head = b"POST /api/orders HTTP/1.1\r\nHost: house\r\nX-Slow: "
    closed: set[int] = set()
    started = time.perf_counter()
    with Beside(running, "beside-slow") as beside:
        while len(closed) < SLOW and time.perf_counter() - started < 8:
            at = int((time.perf_counter() - started) * 20)
            for nth, sock in enumerate(slow):
                if nth not in closed and _ended(sock, head[at : at + 1] or b"x"):
                    closed.add(nth)
            time.sleep(0.05)
    for sock in slow:
        sock.close()
    beside.check(orders_min=10, wait_max_s=2.0)
    assert len(closed) == SLOW, f"{SLOW - len(closed)} slow connections are still served"


def _ended(sock: socket.socket, piece: bytes) -> bool:
    """Send one more byte; whether the other side has had enough."""
    try:
        sock.send(piece)
        sock.settimeout(0.0)
        sock.recv(65_536)  # an answer, or the end
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def test_idle_websockets_cost_nobody_anything(running: Running) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = IDLE_SOCKETS + 500
    if hard < need:
        pytest.fail(f"this machine allows {hard} files a process; the test needs {need}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, need), hard))
    resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE, (max(soft, need), hard))
    target = Target("127.0.0.1", running.port, "demo")
    sockets: list[WebSocket] = []
    try:
        with Beside(running, "beside-idle") as beside:
            sockets.extend(
                WebSocket(target, _nobody, window=1, path="/ws/market-data")
                for _ in range(IDLE_SOCKETS)
            )
            time.sleep(1.0)
        beside.check(orders_min=50, wait_max_s=2.0)
        assert all(each.read() for each in sockets), "an idle client was cut off"
    finally:
        for each in sockets:
            each.sock.close()


def _nobody(nth: int, code: str) -> None:
    raise AssertionError(f"{nth} was answered {code!r}, and nothing was asked")
