"""Candles of before are there when a house comes back, with what is traded since."""

import time
from pathlib import Path
from typing import Any

import msgspec

from fondaco.app.candles import candles_of
from fondaco.app.files import Files
from fondaco.domain.market.bars import KEPT, SECOND
from fondaco.domain.market.board import Board
from fondaco.domain.market.listings import listed
from fondaco.domain.market.model import Trade
from fondaco.domain.market.store import keep, metadata
from fondaco.kernel.event import Instant
from fondaco.ports.store.sqlite import SqliteStore
from market.exchange import BTC
from running import Client, house

INSTRUMENTS = {each.symbol: each.instrument for each in listed(["BTCUSDT"])}


def traded(at_s: int, px: int) -> Trade:
    at = Instant(at_s * SECOND)
    return Trade(BTC, px, 3, "buy", 1, at, at, "binance")


def board() -> Board:
    return Board(INSTRUMENTS)


def test_what_was_kept_is_on_the_next_board_and_grows_there(tmp_path: Path) -> None:
    first = board()
    with candles_of(first, Files(tmp_path)):
        for at_s in (0, 61, 62):
            first.traded(traded(at_s, 100 + at_s), 1)
    second = board()
    with candles_of(second, Files(tmp_path)):
        assert second.bars(BTC, "1m", 9) == first.bars(BTC, "1m", 9)
        second.traded(traded(63, 7), 2)
    third = board()
    with candles_of(third, Files(tmp_path)):
        [old, new] = third.bars(BTC, "1m", 9)
        assert (old.close, new.open, new.low, new.close, new.volume) == (100, 161, 7, 7, 9)


def test_more_than_there_is_room_for_is_forgotten(tmp_path: Path) -> None:
    first = board()
    with candles_of(first, Files(tmp_path)) as kept:
        for at_s in range(0, (KEPT + 3) * 2, 2):
            first.traded(traded(at_s, 100), 1)
        kept.write(kept.changed())
        kept.forget(Instant((KEPT * 2) * SECOND))
        assert kept.changed().keys() <= {BTC}
    second = board()
    with candles_of(second, Files(tmp_path)):
        starts = [bar.start // SECOND for bar in second.bars(BTC, "1s", KEPT)]
    assert min(starts) >= KEPT
    assert starts == sorted(set(starts))


def test_bars_of_other_ticks_are_left_out(tmp_path: Path) -> None:
    first = board()
    first.traded(traded(0, 100), 1)
    store = SqliteStore(Files(tmp_path).candles, durable=False)
    store.create(metadata)
    tick = INSTRUMENTS[BTC].tick_units * 10
    other = {**INSTRUMENTS, BTC: msgspec.structs.replace(INSTRUMENTS[BTC], tick_units=tick)}
    with store.writing() as conn:
        keep(conn, first.bars_since({}), other)
    store.close()
    second = board()
    with candles_of(second, Files(tmp_path)):
        assert second.bars(BTC, "1m", 9) == []


def minutes(client: Client) -> list[Any]:
    items: list[Any] = client.get("/api/market-data/bars/BTC-USD?interval=1m")["items"]
    return items


def test_a_house_that_is_ended_and_begun_again_has_its_candles(tmp_path: Path) -> None:
    with house(tmp_path) as running:
        client = running.client()
        for _ in range(200):
            if before := minutes(client):
                break
            time.sleep(0.1)
        client.close()
        running.stop()
    with house(tmp_path) as running:
        client = running.client()
        after = minutes(client)
        client.close()
    assert [bar["start"] for bar in after][: len(before)] == [bar["start"] for bar in before]
    assert after[0]["open"] == before[0]["open"]
