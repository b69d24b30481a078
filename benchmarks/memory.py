"""What a million orders cost in memory: the serving process before and after them.

    python benchmarks/memory.py [--orders 1000000]

Nearly all of them are done: what stays of an order is the hash of its cl_ord_id. Also measured
after a restart, when nothing but the state is in memory.
"""

import argparse
import json
import os
import time

from house import OTHERS, House, data_directory

from fondaco.bench.orders import Plan, run

MIB = 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    asked = parser.parse_args()
    os.sched_setaffinity(0, OTHERS)
    with data_directory() as data:
        house = House(data)
        try:
            plan = Plan(url=house.url, rate=0, door="bulk", marketable=1.0, connections=4, warmup=0)
            run(plan._replace(orders=10_000))  # buffers and caches are as large as they get
            before = house.rss_bytes()
            figures = run(plan._replace(orders=asked.orders))
            time.sleep(1)
            after = house.rss_bytes()
        finally:
            house.kill()
        again = House(data)
        restarted, ready_s = again.rss_bytes(), again.ready_s
        again.kill()
    print(
        json.dumps(
            {
                "orders": figures.orders,
                "accepted": figures.accepted,
                "refused": figures.refused,
                "rss_before_mib": round(before / MIB, 1),
                "rss_after_mib": round(after / MIB, 1),
                "bytes_per_order": round((after - before) / figures.orders, 1),
                "rss_after_restart_mib": round(restarted / MIB, 1),
                "restart_ready_s": round(ready_s, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
