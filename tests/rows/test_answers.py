"""What an error says is true: requirement R24, asked of the venue's own log. And who asks too often
is told so, by user and by address: requirement C63."""

import resource
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from fondaco.app.kinds import CODEC
from fondaco.app.offline import create_key
from fondaco.domain.venues.model import PREFIX
from fondaco.kernel.event import Entry
from fondaco.ports.journal.segments import SegmentJournal
from running import Client, Reply, Running, house, order

SMALL: Final = ("--set", "segment_bytes=1048576")
QUESTIONS: Final = {"reached_venue", "retryable", "state", "request_id", "type", "code", "message"}
RATES: Final = {
    "rate_user_per_s": 1, "rate_user_burst": 20, "rate_ip_per_s": 1, "rate_ip_burst": 50,
}  # fmt: skip


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with house(tmp_path / "house", options=SMALL) as found:
        yield found


class Told:
    """Every answer about an order, to be held against the venue's log."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.answers: dict[str, list[Reply]] = {}

    def place(self, name: str, body: object = None, **sent: Any) -> Reply:
        headers = sent.pop("headers", None)
        asked = order(name, **sent) if body is None else body
        reply = self.client.ask("POST", "/api/orders", asked, headers=headers)
        self.answers.setdefault(name, []).append(reply)
        if reply.status != 201:
            assert reply.body.keys() >= QUESTIONS, reply
            assert reply.body["type"] == f"/docs/errors#{reply.body['code']}"
        return reply


def at_each_hop(told: Told) -> None:
    """Wrong at the door, by credentials, by the rules, by its name."""
    for nth in range(10):
        assert told.place(f"good-{nth}").status == 201
    told.place("good-0", price="1.00")  # another order under a used name
    told.place("door-json", b'{"account_id":')
    told.place("door-side", side="by")
    told.place("door-type", headers={"Content-Type": "text/plain"})
    told.place("door-big", order("door-big") | {"symbol": "A" * 2_000_000})
    told.place("who", headers={"Authorization": "Bearer nobody"})
    told.place("account", account_id="nobodys")
    told.place("rules-symbol", symbol="DOGE-USD")
    told.place("rules-lot", order_qty="0.000000001")
    told.place("rules-notional", order_qty="100000")
    told.place("rules-combination", ord_type="market", time_in_force="gtc")


def with_a_failing_disk(running: Running, told: Told) -> None:
    """Commits fail for a while; whoever was told "unknown" asks again and is told what is true."""
    pid = running.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (4_096, hard))
    until = time.monotonic() + 10
    failed: list[str] = []
    while len(failed) < 5:
        assert time.monotonic() < until
        name = f"disk-{len(told.answers)}"
        reply = told.place(name)
        assert reply.status in (201, 503)
        if reply.status == 503:
            assert (reply.body["reached_venue"], reply.body["retryable"]) == ("unknown", True)
            failed.append(name)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    for name in failed:
        while told.place(name).status == 503:
            assert time.monotonic() < until
            time.sleep(0.05)


def log_of(data: Path) -> list[Entry]:
    with closing(SegmentJournal(data / "journal", CODEC, writer=False)) as journal:
        return journal.follow(0, 1_000_000)


def test_whether_it_reached_the_venue_is_what_the_venues_log_says(
    running: Running, tmp_path: Path
) -> None:
    told = Told(running.client())
    at_each_hop(told)
    with_a_failing_disk(running, told)
    assert running.stop() == 0

    entries = log_of(tmp_path / "house")
    accepted = {
        (entry.stream, entry.version): str(entry.event.order.cl_ord_id)  # type: ignore[attr-defined]
        for entry in entries
        if type(entry.event).__name__ == "OrderAccepted"
    }
    at_venue = Counter[str]()
    for entry in entries:
        if entry.stream.startswith(PREFIX):
            stream, _, version = entry.caused_by.partition("@")
            at_venue[accepted[stream, int(version)]] += 1  # type: ignore[index]
    assert set(at_venue.values()) == {1}
    codes = set()
    for name, answers in told.answers.items():
        said = [each.body.get("reached_venue", "yes") for each in answers]
        codes |= {each.body.get("code") for each in answers}
        if "yes" in said:
            assert at_venue[name] == 1, name
        elif "unknown" not in said:
            assert said == ["no"]
            assert at_venue[name] == 0, name
        if answers[-1].status == 201:
            order_ids = {each.body["order_id"] for each in answers if each.status == 201}
            assert len(order_ids) == 1
    assert len(codes) >= 10, codes


def test_who_asks_too_often_is_refused_by_user_and_by_address(tmp_path: Path) -> None:
    data = tmp_path / "house"
    options = [part for knob, n in RATES.items() for part in ("--set", f"{knob}={n}")]
    with house(data, options=options) as running:
        made = create_key(data, "demo", "eve", "k", ["trader"], None)
        first, second = running.client(), running.client(made["token"])

        def ask(client: Client) -> Reply:
            return client.ask("GET", "/api/instruments")

        mine = [ask(first) for _ in range(25)]
        assert [each.status for each in mine[:20]] == [200] * 20
        limited = mine[-1]
        assert (limited.status, limited.body["code"]) == (429, "rate_limited")
        assert int(limited.headers["retry-after"]) >= 1
        assert limited.body["reached_venue"] == "no"
        theirs = [ask(second) for _ in range(30)]
        assert [each.status for each in theirs[:15]] == [200] * 15  # another user has their own
        assert theirs[-1].status == 429
        nobody = running.client("nobody")
        answers = [ask(nobody) for _ in range(5)]
        assert {each.status for each in answers} == {429}  # the address, before any token is read
