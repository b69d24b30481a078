"""Kill the primary, promote the replica: nothing that was acknowledged is lost, nothing is twice.

Two real servers with every sync on, and a whole house under load. Requirement X10: RPO 0.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from fondaco.app.files import Files
from fondaco.app.offline import verify
from running import Client, Running, house
from servers import CAREFUL, Postgres
from simulation.test_kill import (
    everything_acknowledged_is_there_once,
    retries_are_answered_once,
    the_money_adds_up,
)
from simulation.under_load import CLIENTS, Told, orders, place

SOAK: Final = os.environ.get("FONDACO_SOAK") == "1"
LOADED_S: Final = 1.0
SERVES_AGAIN_S: Final = 30.0


class Pair(NamedTuple):
    primary: Postgres
    replica: Postgres

    @property
    def either(self) -> str:
        """The address of whichever takes writes."""
        hosts = f"{self.primary.folder},{self.replica.folder}"
        return f"postgresql://app@/postgres?host={hosts}&target_session_attrs=read-write"


@pytest.fixture
def pair() -> Iterator[Pair]:
    primary = Postgres(CAREFUL)
    made = Pair(primary, primary.replica())
    yield made
    for each in made:
        each.kill()


async def until_primary_dies(running: Running, pair: Pair, told: Told) -> None:
    """Load the house, and SIGKILL its database in the middle of it."""
    source = orders(11)
    clients = [asyncio.create_task(place(running.port, source, told)) for _ in range(CLIENTS)]
    await asyncio.sleep(LOADED_S)
    pair.primary.kill()
    await asyncio.sleep(0.05)
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)


def is_started_again(data: Path, pair: Pair, told: Told) -> None:
    """On the address of the replica, as an operator does."""
    with house(data, options=["--journal", pair.primary.url()]) as running:
        assert pair.primary.ask("SHOW fsync") == [("on",)]
        asyncio.run(until_primary_dies(running, pair, told))
        asked = next(orders(12))
        assert running.client().ask("POST", "/api/orders", asked).status == 503
        running.kill()
    enough(told)

    pair.replica.promote()
    with house(data, options=["--journal", pair.replica.url()]) as running:
        all_is_there(running.client(), told)
        assert running.stop() == 0
    assert verify(Files(data, pair.replica.url()))["wrong"] == []


def goes_on_by_itself(data: Path, pair: Pair, told: Told) -> None:
    """Since it was started with the addresses of both."""
    with house(data, options=["--journal", pair.either]) as running:
        asyncio.run(until_primary_dies(running, pair, told))
        enough(told)
        pair.replica.promote()
        client = running.client()
        serves_again(client, told)
        all_is_there(client, told)
        assert running.stop() == 0


@pytest.mark.parametrize(
    "house_then", [is_started_again, goes_on_by_itself] if SOAK else [is_started_again]
)
def test_nothing_acknowledged_is_lost_with_a_synchronous_replica(
    tmp_path: Path, pair: Pair, house_then: Callable[[Path, Pair, Told], None]
) -> None:
    house_then(tmp_path / "house", pair, Told())


def serves_again(client: Client, told: Told) -> None:
    until = time.monotonic() + SERVES_AGAIN_S
    source = orders(13)
    for asked in source:
        told.asked[asked["cl_ord_id"]] = asked
        reply = client.ask("POST", "/api/orders", asked)
        told.note(asked["cl_ord_id"], reply.status, reply.body)
        if reply.status == 201:
            return
        assert time.monotonic() < until, f"it does not serve again: {reply}"
        time.sleep(0.1)


def enough(told: Told) -> None:
    assert not told.otherwise
    assert len(told.accepted) > 20, f"the load was no load: {len(told.accepted)} orders"


def all_is_there(client: Client, told: Told) -> None:
    everything_acknowledged_is_there_once(client, told)
    retries_are_answered_once(client, told)
    the_money_adds_up(client)
