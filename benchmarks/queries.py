"""How long a read takes while orders come in: open loop, from each read's due time.

    python benchmarks/queries.py [--reads 200] [--orders 2000] [--seconds 15]

Reads are one order by its cl_ord_id, the newest hundred orders, an account, its positions and an
order book, in turn, over eight connections. Meanwhile orders are offered over HTTP at `--orders` a
second, 20 % of them marketable. House on core 0; follower, orders and reads on core 1.
"""

import argparse
import http.client
import json
import threading
import time

from house import fresh

from fondaco.bench.orders import Plan, run

CONNECTIONS = 8
READS = (
    "/api/orders?account_id=demo&cl_ord_id={name}",
    "/api/orders?account_id=demo&limit=100",
    "/api/accounts/demo",
    "/api/risk/positions?account_id=demo",
    "/api/market-data/orderbook/BTC-USD",
)


def read(url: str, mine: list[int], start: float, rate: float, waits: list[float]) -> None:
    """Ask what is due on one connection; a late one is asked at once, and its wait counted."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    for nth in mine:
        due = start + nth / rate
        time.sleep(max(due - time.perf_counter(), 0))
        path = READS[nth % len(READS)].format(name=f"none-{nth}")
        connection.request("GET", path, headers={"Authorization": "Bearer demo"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"GET {path} was answered {answer.status}")
        waits.append(time.perf_counter() - due)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reads", type=float, default=200)
    parser.add_argument("--orders", type=float, default=2_000)
    parser.add_argument("--seconds", type=float, default=15)
    asked = parser.parse_args()
    waits: list[float] = []
    with fresh() as house:
        run(Plan(url=house.url, rate=asked.orders, seconds=2))  # something to read
        count = int(asked.reads * asked.seconds)
        start = time.perf_counter() + 1
        readers = [
            threading.Thread(
                target=read,
                args=(house.url, list(range(nth, count, CONNECTIONS)), start, asked.reads, waits),
            )
            for nth in range(CONNECTIONS)
        ]
        for reader in readers:
            reader.start()
        run(Plan(url=house.url, rate=asked.orders, seconds=asked.seconds))
        for reader in readers:
            reader.join()
    waits.sort()
    marks = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99, "p999_ms": 0.999}
    found = {name: round(waits[int(len(waits) * p)] * 1e3, 2) for name, p in marks.items()}
    print(json.dumps({"reads": len(waits), "reads_per_s": asked.reads, **found}))


if __name__ == "__main__":
    main()
