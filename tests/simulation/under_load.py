"""Clients that place orders on a house until it dies under them, and know what they were told.

An order whose answer did not come is in doubt: it may or may not have been decided. A client that
is unsure sends the same again, and so do these once there is a house again.
"""

import asyncio
import random
from collections.abc import Iterator
from itertools import count
from typing import Any, Final

import msgspec

from fondaco.bench.doors import split
from running import TOKEN, Running, order

CLIENTS: Final = 8
ACCEPTED, REFUSED = 201, 409
LOAD_MIN: Final = 20
LOADED_S: Final = 20.0


class Told:
    """What every order was asked as, and what was answered."""

    def __init__(self) -> None:
        self.asked: dict[str, dict[str, str]] = {}
        self.accepted: dict[str, dict[str, Any]] = {}
        self.refused: dict[str, dict[str, Any]] = {}
        self.otherwise: list[tuple[int, Any]] = []

    @property
    def in_doubt(self) -> list[str]:
        return [each for each in self.asked if each not in self.accepted | self.refused]

    def note(self, cl_ord_id: str, status: int, body: Any) -> None:
        match status:
            case 201:
                self.accepted[cl_ord_id] = body
            case 409:
                self.refused[cl_ord_id] = body
            case 503:
                pass  # "ask again": in doubt, like silence
            case _:
                self.otherwise.append((status, body))


def orders(seed: int) -> Iterator[dict[str, str]]:
    """A mix: resting, crossing, market, and some that nobody could pay."""
    draw = random.Random(seed)
    for nth in count():
        side = draw.choice(("buy", "sell"))
        beyond = "60000.00" if side == "buy" else "40000.00"
        away = f"{draw.randint(4_000_000, 4_900_000) + (side == 'sell') * 1_100_000}"
        terms = draw.choices(
            (
                {"price": f"{away[:-2]}.{away[-2:]}"},
                {"price": beyond, "time_in_force": "ioc"},
                {"price": beyond, "order_qty": "1500"},  # 90,000,000 USD: beyond every limit
                {"ord_type": "market", "price": "", "time_in_force": "ioc"},
            ),
            weights=(60, 20, 5, 15),
        )[0]
        asked = order(f"s{seed}-{nth}", side=side, **terms)
        yield {name: value for name, value in asked.items() if value}


async def place(port: int, source: Iterator[dict[str, str]], told: Told) -> None:
    """One client on one connection, until the connection dies."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for asked in source:
            cl_ord_id = asked["cl_ord_id"]
            told.asked[cl_ord_id] = asked
            body = msgspec.json.encode(asked)
            writer.write(
                b"POST /api/orders HTTP/1.1\r\nHost: house\r\nAuthorization: Bearer %b\r\n"
                b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (TOKEN.encode(), len(body), body)
            )
            answer = b""
            while (whole := split(answer)) is None:
                piece = await reader.read(65_536)
                if not piece:
                    return
                answer += piece
            told.note(cl_ord_id, whole[0], msgspec.json.decode(whole[1]))
    except OSError:
        return
    finally:
        writer.close()


async def until_killed(house: Running, seed: int, after_s: float, told: Told) -> None:
    """Load the house from several connections and SIGKILL it `after_s` seconds later; on a machine
    so busy that this was no load yet, as soon as it is one."""
    source = orders(seed)
    clients = [asyncio.create_task(place(house.port, source, told)) for _ in range(CLIENTS)]
    await asyncio.sleep(after_s)
    async with asyncio.timeout(LOADED_S):
        while len(told.accepted) <= LOAD_MIN:
            await asyncio.sleep(0.01)
    house.kill()
    await asyncio.gather(*clients)
