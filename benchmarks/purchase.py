"""How long a buyer waits: from the payment provider's message to an account that takes an order.

    python benchmarks/purchase.py [--rate 5] [--seconds 20]

Purchases are opened before. Then each one's signed message is due at its time, open loop: waits are
counted from there, to the 200 (`told`), and to the first order that the new account accepts
(`usable`; reach: 200 ms). The peer, beside it in the same run, is a bare handler at its best: it
verifies the same messages and commits them to SQLite with a full sync, and makes nothing of them.
Both serve on core 0, one after the other; the load shares core 1 with the house's follower.
"""

import argparse
import http.client
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from house import SERVING, fresh

from fondaco.domain.evaluation.assessments.model import assessment_id_of
from fondaco.ports.payments import signatures

TIER = "two-step-100k"
PATIENCE_S = 20.0
PAUSE_S = 0.004  # between two tries of an order
MARKS = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99, "max_ms": 1.0}


def ask(url: str, method: str, path: str, body: object) -> tuple[int, dict]:
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)) as line:
        headers = {"Authorization": "Bearer demo", "Content-Type": "application/json"}
        line.request(method, path, json.dumps(body).encode(), headers)
        answer = line.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")


def message(purchase_id: str, minor: int) -> bytes:
    """As Stripe says that a checkout is paid."""
    session = {
        "id": f"cs_{purchase_id}", "object": "checkout.session", "payment_status": "paid",
        "payment_intent": f"pi_{purchase_id}", "amount_total": minor, "currency": "usd",
        "metadata": {"purchase_id": purchase_id},
    }  # fmt: skip
    kind = "checkout.session.completed"
    said = {"id": f"evt_{purchase_id}", "type": kind, "data": {"object": session}}
    return json.dumps(said).encode()


def tell(url: str, path: str, secret: str, body: bytes) -> None:
    signed = {signatures.HEADER: signatures.header_of([secret], int(time.time()), body)}
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)) as line:
        line.request("POST", path, body, signed)
        answer = line.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"a message was answered {answer.status}")


def use(url: str, purchase_id: str) -> None:
    """Until the new account accepts an order that rests far below the market."""
    account = f"{assessment_id_of(purchase_id)}-1"
    until = time.perf_counter() + PATIENCE_S
    for nth in range(100_000):
        order = {
            "account_id": account, "cl_ord_id": f"first-{nth}", "symbol": "BTC-USD", "side": "buy",
            "ord_type": "limit", "order_qty": "0.001", "price": "40000.00", "time_in_force": "gtc",
        }  # fmt: skip
        if ask(url, "POST", "/api/orders", order)[0] == 201:
            return
        if time.perf_counter() > until:
            raise SystemExit(f"{account} took no order within {PATIENCE_S} s")
        time.sleep(PAUSE_S)


def offered(count: int, rate: float, act: Callable[[int, Callable[[str], None]], None]) -> dict:
    """`act` on each at its due time; its waits by what it says has happened."""
    waits: dict[str, list[float]] = {}
    start = time.perf_counter() + 0.5

    def one(nth: int) -> None:
        due = start + nth / rate
        time.sleep(max(due - time.perf_counter(), 0))
        act(nth, lambda name: waits.setdefault(name, []).append(time.perf_counter() - due))

    threads = [threading.Thread(target=one, args=(nth,)) for nth in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if any(len(each) != count for each in waits.values()):
        raise SystemExit("not every purchase came through: see above")
    found = {}
    for name, each in waits.items():
        each.sort()
        found[name] = {
            mark: round(each[min(int(len(each) * part), len(each) - 1)] * 1e3, 1)
            for mark, part in MARKS.items()
        }
    return found


def of_the_house(count: int, rate: float) -> dict:
    with fresh() as house:
        bought = []
        for _ in range(count):
            status, made = ask(house.url, "POST", "/api/purchases", {"tier": TIER})
            if status != 201:
                raise SystemExit(f"a purchase was answered {status}: {made}")
            bought.append((made["purchase_id"], round(float(made["total"]) * 100)))
        with closing(sqlite3.connect(house.data / "sandbox.db")) as books:
            secret = books.execute("SELECT secret FROM secrets").fetchone()[0]

        def act(nth: int, happened: Callable[[str], None]) -> None:
            name, minor = bought[nth]
            tell(house.url, "/payments/webhooks/sandbox", secret, message(name, minor))
            happened("told")
            use(house.url, name)
            happened("usable")

        return offered(count, rate, act)


def of_the_peer(count: int, rate: float) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--serve-peer", folder]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, SERVING),
        )  # fmt: skip
        try:
            assert process.stdout  # noqa: S101
            url = process.stdout.readline().strip()

            def act(nth: int, happened: Callable[[str], None]) -> None:
                tell(url, "/", "whsec_peer", message(f"pu_{nth:024x}", 54_000))
                happened("told")

            return offered(count, rate, act)
        finally:
            process.kill()
            process.wait()


def serve_peer(folder: Path) -> None:
    """Verifies, commits, answers."""
    import asyncio
    import socket

    import uvicorn

    rows = sqlite3.connect(folder / "peer.db", isolation_level=None, check_same_thread=False)
    rows.execute("PRAGMA journal_mode=WAL")
    rows.execute("PRAGMA synchronous=FULL")
    rows.execute("CREATE TABLE told (id TEXT PRIMARY KEY, body BLOB)")
    one = threading.Lock()

    def commit(body: bytes) -> None:
        with one:
            rows.execute("INSERT OR IGNORE INTO told VALUES (?, ?)", (json.loads(body)["id"], body))

    async def app(scope: dict, receive: Callable, send: Callable) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            part = await receive()
            body += part.get("body", b"")
            if not part.get("more_body"):
                break
        named = {name.decode(): value.decode() for name, value in scope["headers"]}
        signatures.verify(["whsec_peer"], named.get(signatures.HEADER.lower()), body, time.time())
        await asyncio.to_thread(commit, body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    door = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"http://127.0.0.1:{door.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(app, log_level="error", lifespan="off", access_log=False)
    uvicorn.Server(config).run(sockets=[door])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=5, help="messages a second")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--serve-peer", metavar="DIR", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve_peer:
        serve_peer(Path(asked.serve_peer))
        return
    count = max(int(asked.rate * asked.seconds), 1)
    peer, house = of_the_peer(count, asked.rate), of_the_house(count, asked.rate)
    ratio = round(house["told"]["p50_ms"] / peer["told"]["p50_ms"], 1)
    found = {"purchases": count, "per_s": asked.rate, "house": house, "peer": peer}
    print(json.dumps({**found, "told_ratio_p50": ratio}))


if __name__ == "__main__":
    main()
