"""What this machine can do without us: so that figures taken on two machines can be compared.

    python benchmarks/machine.py [--seconds 4]

An empty ASGI application (uvicorn, uvloop, httptools; it decodes an order and answers 201) on core
0 is asked by one process on core 1 over 64 connections; a file on the data disk is synced 400
times; a loop is counted. What a house reaches is best read as a share of the first.
"""

import argparse
import json
import os
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from house import OTHERS, SERVING

BODY = (
    b'{"account_id":"demo","cl_ord_id":"a-1","symbol":"BTC-USD","side":"buy","ord_type":"limit",'
    b'"order_qty":"0.001","price":"50000.00","time_in_force":"gtc"}'
)
REQUEST = (
    b"POST /api/orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer demo\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)
CONNECTIONS = 64
SYNCS = 400


def serve(port: int) -> None:
    import msgspec
    import uvicorn

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        order = msgspec.json.decode((await receive())["body"])
        body = msgspec.json.encode(order)
        length = str(len(body)).encode()
        head = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": 201, "headers": head})
        await send({"type": "http.response.body", "body": body})

    uvicorn.run(
        application, port=port, loop="uvloop", http="httptools", access_log=False,
        log_level="warning", lifespan="off",
    )  # fmt: skip


def asked_per_s(port: int, seconds: float) -> float:
    """Answers a second, each connection asking again once it is answered."""
    selector = selectors.DefaultSelector()
    for _ in range(CONNECTIONS):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(REQUEST)
        sock.setblocking(False)
        selector.register(sock, selectors.EVENT_READ)
    began, answered = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        for key, _ in selector.select(1.0):
            sock = key.fileobj
            assert isinstance(sock, socket.socket)  # noqa: S101
            if not sock.recv(65_536):
                raise SystemExit("the application hung up")
            answered += 1  # an answer of 300 bytes comes in one piece
            sock.sendall(REQUEST)
    for key in list(selector.get_map().values()):
        assert isinstance(key.fileobj, socket.socket)  # noqa: S101
        key.fileobj.close()
    return answered / (time.perf_counter() - began)


def asgi_per_s(seconds: float) -> float:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    child = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(port)],
        preexec_fn=lambda: os.sched_setaffinity(0, SERVING),
    )
    os.sched_setaffinity(0, OTHERS)
    try:
        until = time.perf_counter() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if child.poll() is not None or time.perf_counter() > until:
                    raise
                time.sleep(0.05)
        return statistics.median(asked_per_s(port, seconds) for _ in range(3))
    finally:
        child.terminate()
        child.wait()


def sync_ms() -> list[float]:
    """Sorted times of writing and syncing 8 KiB at the end of a file."""
    found = []
    with tempfile.TemporaryFile(dir="/var/tmp") as file:
        for _ in range(SYNCS):
            began = time.perf_counter()
            file.write(bytes(8_192))
            file.flush()
            os.fdatasync(file.fileno())
            found.append((time.perf_counter() - began) * 1e3)
    return sorted(found)


def loop_ns() -> float:
    """One turn of `for i in range(n): total += i`."""
    began, total = time.process_time(), 0
    for i in range(5_000_000):
        total += i
    return (time.process_time() - began) / 5_000_000 * 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.serve)
        return
    syncs = sync_ms()
    print(
        json.dumps(
            {
                "python": sys.version.split()[0],
                "cores": os.cpu_count(),
                "asgi_per_s": round(asgi_per_s(asked.seconds)),
                "fdatasync_p50_ms": round(syncs[SYNCS // 2], 3),
                "fdatasync_p99_ms": round(syncs[SYNCS * 99 // 100], 3),
                "loop_ns": round(loop_ns(), 1),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
