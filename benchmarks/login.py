"""What knowing who asks costs: a sign-in, a token seen first, and one seen before.

    python benchmarks/login.py [--logins 50] [--tokens 2000] [--checks 200000] [--rate 4] [--for 10]

A sign-in is `PeopleDesk.sign_in` with argon2id as it is set by default (64 MiB, one pass), which is
nearly all of it; beside it the hash alone, and with the three passes and four lanes of RFC 9106.
`crowd_ms` is from arrival to answer where `--rate` people a second come, whether or not the ones
before are done, through the threads that a house has for it. A first check is
`Directory.authenticate` of an access token that was never seen, with its signature; a later one is
a look into a table, of an API key, of a key that is bound to networks, and of an access token;
beside it `dict.get`. Prints JSON.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from argon2 import PasswordHasher, Type

from fondaco.app.files import Files
from fondaco.app.secrets import sealing_at
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.key_terms import Terms
from fondaco.domain.identity.model import Role, Scope
from fondaco.domain.identity.oidc.bearers import Bearers
from fondaco.domain.identity.oidc.issuer import Issuer
from fondaco.domain.identity.people.crowd import Crowd
from fondaco.domain.identity.people.desk import PeopleDesk
from fondaco.domain.identity.people.passwords import MEMORY_KIB, Hashing
from fondaco.kernel.event import Instant
from fondaco.ports.cache.memory import MemoryCache
from fondaco.ports.store.sqlite import SqliteStore

PASSWORD = "correct horse battery staple"  # noqa: S105
HOUR_NS = 3_600_000_000_000


class Machine:
    """A house's directory, people and provider over records in a file."""

    def __init__(self, folder: Path) -> None:
        self.now = time.time_ns()
        clock = lambda: Instant(self.now)  # noqa: E731
        store, sealing = SqliteStore(folder / "records.db"), sealing_at(Files(folder))
        self.directory = Directory(store, MemoryCache(clock), clock, os.urandom)
        self.hashing = Hashing()
        self.directory.create_user("acme", "ada", [Role.TRADER])
        self.desk = PeopleDesk(
            store,
            self.directory,
            clock,
            os.urandom,
            sealing=sealing,
            mail=SimpleNamespace(send=print),
            hashing=self.hashing,
            session_ns=HOUR_NS,
            idle_ns=HOUR_NS,
        )
        self.desk.add("acme", "ada", PASSWORD, "ada@example.com", "Ada")
        about = lambda tenant, user: {}  # noqa: E731
        url = "https://fondaco.example.com"
        self.issuer = Issuer(store, self.directory, os.urandom, sealing, about, url)
        self.directory.bearing = Bearers(self.issuer)
        self.directory.create_service_account("acme", "svc", "ada", [Role.TRADER], "ada")
        self.client, _ = self.issuer.register(
            "acme", "Bench", [], [Scope.ORDERS_WRITE], machine="svc", by="ada"
        )

    def sign_in(self) -> Any:
        said = {"address": "127.0.0.1", "device": "", "device_name": ""}
        return self.desk.sign_in("acme", "ada", PASSWORD, "", **said)

    def tokens(self, count: int) -> list[str]:
        return [self.issuer.of_machine(self.client, "", "").access_token for _ in range(count)]


def each_ms(act: Callable[[], Any], count: int) -> list[float]:
    found = []
    for _ in range(count):
        began = time.perf_counter_ns()
        act()
        found.append((time.perf_counter_ns() - began) / 1e6)
    return found


def crowd_ms(machine: Machine, rate: float, seconds: float) -> list[float]:
    """Those who are turned away count as answered never, and end the run."""

    async def arrive(crowd: Crowd) -> float:
        began = time.perf_counter_ns()
        await crowd.run(machine.sign_in)
        return (time.perf_counter_ns() - began) / 1e6

    async def run() -> list[float]:
        crowd, tasks, began = Crowd(), [], time.perf_counter()
        for nth in range(int(rate * seconds)):
            await asyncio.sleep(max(began + nth / rate - time.perf_counter(), 0))
            tasks.append(asyncio.create_task(arrive(crowd)))
        return list(await asyncio.gather(*tasks))

    return asyncio.run(run())


def first_us(machine: Machine, tokens: Iterable[str]) -> list[float]:
    found, authenticate = [], machine.directory.authenticate
    for token in tokens:
        machine.now += 10_000_000  # so many strangers a second are looked at
        began = time.perf_counter_ns()
        authenticate(token, "127.0.0.1")
        found.append((time.perf_counter_ns() - began) / 1e3)
    return found


def again_us(act: Callable[..., Any], *args: Any, count: int) -> float:
    """The best of five rounds."""
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter_ns()
        for _ in range(count):
            act(*args)
        best = min(best, (time.perf_counter_ns() - began) / 1e3 / count)
    return round(best, 3)


def spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "median": round(statistics.median(ordered), 3),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logins", type=int, default=50)
    parser.add_argument("--tokens", type=int, default=2_000)
    parser.add_argument("--checks", type=int, default=200_000)
    parser.add_argument("--rate", type=float, default=4.0)
    parser.add_argument("--for", type=float, default=10.0, dest="seconds")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder))
        authenticate = machine.directory.authenticate
        hashed = machine.hashing.hash(PASSWORD)
        hashes = each_ms(lambda: machine.hashing.fits(hashed, PASSWORD), asked.logins)
        logins = each_ms(machine.sign_in, asked.logins)
        rfc = PasswordHasher(3, MEMORY_KIB, 4, type=Type.ID)
        peers = each_ms(lambda: rfc.hash(PASSWORD), asked.logins)
        crowd = crowd_ms(machine, asked.rate, asked.seconds)
        first = first_us(machine, machine.tokens(asked.tokens))
        bound = Terms(("127.0.0.0/8",))
        named = {
            "key": machine.directory.create_key("acme", "ada", "plain")[1],
            "bound_key": machine.directory.create_key("acme", "ada", "bound", terms=bound)[1],
            "access_token": machine.tokens(1)[0],
        }
        table = dict.fromkeys(named.values(), "")
        again = {
            name: again_us(authenticate, token, "127.0.0.1", count=asked.checks)
            for name, token in named.items()
        }
        again["dict_get"] = again_us(table.get, named["key"], count=asked.checks)
    found = {
        "login_ms": spread(logins),
        "argon2_ms": spread(hashes),
        "argon2_rfc9106_ms": spread(peers),
        "crowd_ms": spread(crowd),
        "login_over_argon2": round(statistics.median(logins) / statistics.median(hashes), 3),
        "first_check_us": spread(first),
        "later_check_us": again,
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
