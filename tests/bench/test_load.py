"""The load's arithmetic: what is ordered and when, how waits add up, how bytes are framed."""

import socket
import threading
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.bench import main
from fondaco.bench.doors import Http, Target, bulk_codes, frame, next_frame, refusal, split
from fondaco.bench.figures import Tally, bound, bucket_of, rank
from fondaco.bench.flow import CYCLE, Flow, Market, terms, text
from fondaco.bench.load import Course, Load
from fondaco.bench.orders import DOORS, Plan, run
from running import house, order

BTC = Market("BTC-USD", px=5_000_000, tick=1, px_decimals=2, lot=1, qty_decimals=5)


def test_the_share_that_crosses_is_the_one_asked_for() -> None:
    cycle = [terms(nth, BTC, 0.2) for nth in range(CYCLE)]
    assert sum(each.marketable for each in cycle) == CYCLE // 5
    for side in ("buy", "sell"):
        crossing = [each for each in cycle if each.marketable and each.side == side]
        assert 0.4 < len(crossing) / (CYCLE // 5) < 0.6


def test_resting_orders_stay_off_the_touch_and_spread_over_many_prices() -> None:
    resting = [each for each in (terms(n, BTC, 0.2) for n in range(CYCLE)) if not each.marketable]
    assert len({each.price for each in resting}) > CYCLE // 2
    for each in resting:
        away = Decimal(each.price) / 50_000 - 1
        assert (
            (-Decimal("0.0401") < away < -Decimal("0.0019"))
            if each.side == "buy"
            else (Decimal("0.0019") < away < Decimal("0.0401"))
        )


def test_an_order_is_json_that_names_its_account_and_an_id_of_its_own() -> None:
    flow = Flow(BTC, accounts=["a", "b"], marketable=0.2, prefix="run-")
    orders = [msgspec.json.decode(flow.order(nth)) for nth in range(2 * CYCLE)]
    assert Counter(order["account_id"] for order in orders) == {"a": CYCLE, "b": CYCLE}
    assert len({order["cl_ord_id"] for order in orders}) == 2 * CYCLE
    assert all(Decimal(order["order_qty"]) > 0 for order in orders)


def test_a_new_price_is_taken_up_step_by_step() -> None:
    flow = Flow(BTC, accounts=["a"], marketable=0.0, prefix="")
    flow.reprice(BTC._replace(px=10_000_000))
    for _ in range(CYCLE // 16 + 1):
        flow.step()
    prices = [Decimal(msgspec.json.decode(flow.order(nth))["price"]) for nth in range(CYCLE)]
    assert all(Decimal(95_000) < px < Decimal(105_000) for px in prices)


@given(units=st.integers(0, 10**12), decimals=st.integers(0, 9))
def test_text_is_the_exact_decimal(units: int, decimals: int) -> None:
    assert Decimal(text(units, decimals)) == Decimal(units).scaleb(-decimals)


@given(waits=st.lists(st.floats(1e-7, 50), min_size=1), share=st.floats(0.01, 0.999))
def test_a_percentile_is_the_least_wait_that_the_share_does_not_exceed(
    waits: list[float], share: float
) -> None:
    ordered = sorted(waits)
    found = ordered[rank(share, len(ordered))]
    assert sum(wait <= found for wait in waits) >= share * len(waits)
    assert sum(wait < found for wait in waits) < share * len(waits)


@given(wait=st.floats(1e-7, 500))
def test_a_bucket_holds_the_waits_between_its_bounds(wait: float) -> None:
    nth = bucket_of(wait)
    assert wait <= bound(nth)
    assert nth == 0 or wait > bound(nth - 1)


def test_every_wait_is_in_the_histogram() -> None:
    tally = Tally()
    tally.waits.extend([0.001, 0.001, 0.5])
    assert [bucket.count for bucket in tally.histogram()] == [2, 1]


@given(payload=st.binary(max_size=300), wide=st.sampled_from([0, 125, 126, 65_535, 65_536]))
def test_a_frame_says_its_size_and_hides_nothing(payload: bytes, wide: int) -> None:
    payload = payload.ljust(wide, b"x")
    sent = frame(payload)
    assert sent[0] == 0x81  # whole, text
    assert sent[1] & 0x80  # masked
    assert sent.endswith(b"\0\0\0\0" + payload)
    # As the house would send it back: the same without mask and key.
    answer = bytes([sent[0], sent[1] & 0x7F]) + sent[2 : len(sent) - len(payload) - 4] + payload
    assert next_frame(answer, 0) == (1, len(answer) - len(payload), len(answer))
    assert next_frame(answer[:-1], 0) is None


def test_an_answer_is_split_only_when_it_is_whole() -> None:
    answer = (
        b"HTTP/1.1 409 Conflict\r\nContent-Length: 17\r\nx: y\r\n\r\n" + b'{"code":"no_mark"}'[:17]
    )
    for cut in range(len(answer)):
        assert split(answer[:cut]) is None
    assert split(answer) == (409, b'{"code":"no_mark"')


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (409, b'{"code":"no_mark"}', "no_mark"),
        (503, b"busy", "http_503"),
        (500, b"{}", "http_500"),
    ],
)
def test_a_refusal_has_the_house_s_code_or_its_status(status: int, body: bytes, code: str) -> None:
    assert refusal(status, body) == code


def test_a_bulk_answer_of_another_length_is_unreadable() -> None:
    assert bulk_codes(b'{"items":[{}]}', 2) == ["unreadable_answer"] * 2


class Slow:
    """A server of one connection that answers 201, but stalls once for `stall_s`."""

    def __init__(self, stall_s: float) -> None:
        self._stall_s = stall_s
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.target = Target("127.0.0.1", self._listener.getsockname()[1], "t")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with self._listener.accept()[0] as sock:
            asked = 0
            while sock.recv(65_536):
                asked += 1
                if asked == 50:
                    time.sleep(self._stall_s)
                sock.sendall(b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}")


def test_a_stall_is_charged_to_everybody_who_was_due_meanwhile() -> None:
    """The coordinated omission: a client that waits for its answer sees one slow order only."""
    server = Slow(stall_s=0.2)
    flow = Flow(BTC, accounts=["a"], marketable=0.2, prefix="")
    load = Load(flow)
    tally = load.run(
        Course(rate=500, seconds=0.5), lambda answered: Http(server.target, answered), 1
    )
    assert tally.accepted == tally.answered == load.offered == 250
    late = sum(wait > 0.1 for wait in tally.waits)
    assert late >= 40  # half of the 100 that came due during the stall


@pytest.mark.parametrize(
    ("arguments", "status"),
    [([], 2), (["trades"], 2), (["--help"], 0), (["orders", "--url", "http://127.0.0.1:1"], 1)],
)
def test_the_exit_status_says_whether_there_was_a_load(
    arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == status
    assert capsys.readouterr().err


def test_a_house_is_loaded_over_every_door(tmp_path: Path) -> None:
    """All of it is answered, nothing refused, and what was placed is there."""
    with house(tmp_path / "house") as running:
        plan = Plan(url=running.url, rate=300, seconds=1, warmup=0, connections=4, batch=10)
        for door in DOORS:
            figures = run(plan._replace(door=door, working=100))
            assert (figures.accepted, figures.unanswered) == (300, 0), figures.refused
            assert not figures.refused
            assert sum(bucket.count for bucket in figures.histogram) == 300
        last = running.client().ask("POST", "/api/orders", order("last")).body["position"]
        path = f"/api/orders?account_id=demo&limit=1000&min_position={last}"
        assert len(running.client().all(path)) == 3 * (300 + 100) + 1
        spread = run(plan._replace(accounts=3))
        assert spread.accepted == 300
        accounts = {each["account_id"] for each in running.client().all("/api/accounts")}
        assert accounts >= {"bench-0", "bench-1", "bench-2"}
