"""The time of a sandbox through its door; and that it goes on after its process was killed."""

import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from fondaco.app.files import Files
from fondaco.app.machines import open_journal
from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.model import assessment_stream
from fondaco.domain.identity.test_clock.events import AdvanceBegun, AdvanceDone, SandboxOpened
from fondaco.domain.identity.test_clock.model import STREAM
from fondaco.kernel.event import Entry
from running import Client, house

SANDBOX: Final = ("--sandbox",)
DAY: Final = 86_400 * 10**9
YEARS: Final = 3 * 365


def advanced(client: Client, ask: dict[str, Any], key: str = "") -> dict[str, Any]:
    """Once it is there."""
    headers = {"idempotency-key": key} if key else {}
    reply = client.ask("POST", "/api/test-clock/advance", ask, headers=headers)
    assert reply.status == 200, reply.body
    return still(client)


def still(client: Client) -> dict[str, Any]:
    until = time.perf_counter() + 60
    while (found := client.get("/api/test-clock"))["state"] == "advancing":
        assert time.perf_counter() < until, found
        time.sleep(0.05)
    shown: dict[str, Any] = found
    return shown


def given(client: Client, name: str) -> str:
    ask = {"tier": "two-step-100k", "user": "demo", "reference": name}
    reply = client.ask("POST", "/api/assessments", ask)
    assert reply.status == 201, reply.body
    return str(reply.body["assessment_id"])


def written(data: Path, assessment: str = "") -> list[Entry]:
    """What stands in the journal of a house that does not run."""
    with closing(open_journal(Files(data))) as journal:
        stream = assessment_stream(assessment) if assessment else STREAM
        return journal.read(stream)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with house(tmp_path_factory.mktemp("sandbox"), options=SANDBOX) as running:
        yield running.client()


def test_a_call_moves_everything_and_the_same_call_moves_nothing_more(client: Client) -> None:
    began = client.get("/api/test-clock")
    assert (began["is_sandbox"], began["state"], began["advancing_to"]) == (True, "ready", "0")
    name = given(client, "moved")
    bought = client.ask("POST", "/api/purchases", {"tier": "one-step-50k"}).body
    assert bought["state"] == "awaiting_payment", bought
    whats = {each["what"] for each in client.get("/api/test-clock")["next"]}
    assert {"session day", "day of an assessment", "end of a checkout"} <= whats
    done = advanced(client, {"by": "31d"}, "once")
    assert int(done["now"]) - int(began["now"]) == 31 * DAY
    assert advanced(client, {"by": "31d"}, "once")["now"] == done["now"]
    assert advanced(client, {"to": done["now"]})["now"] == done["now"]
    ended = client.get(f"/api/assessments/{name}")
    assert (ended["state"], int(ended["ended_at"]) <= int(done["now"])) == ("abandoned", True)
    assert client.get(f"/api/purchases/{bought['purchase_id']}")["state"] == "expired"


@pytest.mark.parametrize(
    ("ask", "status", "code"),
    [
        ({"to": "2020-01-01T00:00:00Z"}, 409, "time_past"),
        ({"by": "99999d"}, 409, "too_far"),
        ({"to": "tomorrow"}, 422, "invalid"),
        ({"by": "1d", "to": "2030-01-01T00:00:00Z"}, 422, "invalid"),
        ({"prices": [{"symbol": "BTC-USD", "bid": "2", "ask": "1"}]}, 422, "invalid"),
        ({"prices": [{"symbol": "X", "bid": "1", "ask": "2"}]}, 422, "invalid"),
    ],
)
def test_what_cannot_be_moved_is_refused_and_nothing_moves(
    client: Client, ask: dict[str, Any], status: int, code: str
) -> None:
    before = client.get("/api/test-clock")["now"]
    reply = client.ask("POST", "/api/test-clock/advance", ask)
    assert (reply.status, reply.body["code"]) == (status, code)
    assert client.get("/api/test-clock")["now"] == before


def test_a_price_that_is_made_up_is_what_everybody_sees(client: Client) -> None:
    quote = {"symbol": "BTC-USD", "bid": "48000.00", "ask": "48000.02"}
    advanced(client, {"by": "1h", "prices": [quote]})
    assert client.get("/api/market-data/prices/BTC-USD")["mid"]["price"] == "48000.01"


def test_time_that_is_everybodys_is_moved_by_nobody(tmp_path: Path) -> None:
    with house(tmp_path) as running:
        live = running.client()
        assert live.get("/api/test-clock")["state"] == "live"
        for method in ("POST", "DELETE"):
            body = {"by": "1d"} if method == "POST" else None
            reply = live.ask(method, "/api/test-clock/advance", body)
            assert (reply.status, reply.body["code"]) == (409, "not_a_sandbox")


def test_who_is_killed_on_the_way_goes_on_and_comes_to_the_same(tmp_path: Path) -> None:
    """Ten assessments have three years before them; after two days the house is killed."""
    with house(tmp_path, options=SANDBOX) as running:
        client = running.client()
        names = [given(client, f"killed-{nth}") for nth in range(10)]
        began = int(client.get("/api/test-clock")["now"])
        to = began + YEARS * DAY
        client.ask("POST", "/api/test-clock/advance", {"to": str(to)})
        until = time.perf_counter() + 30
        while int(client.get("/api/test-clock")["now"]) < began + 2 * DAY:
            assert time.perf_counter() < until
        running.kill()
    assert [type(e.event) for e in written(tmp_path)] == [SandboxOpened, AdvanceBegun]
    with house(tmp_path) as running:  # what was a sandbox is one, whether or not it is said
        done = still(running.client())
        assert (done["state"], int(done["now"])) == ("ready", to)
    assert isinstance(written(tmp_path)[-1].event, AdvanceDone)
    ends = set()
    for name in names:
        entries = written(tmp_path, name)
        resets = [e.event.at for e in entries if isinstance(e.event, ev.DayReset)]
        assert len(resets) == len(set(resets)) == 31
        assert all(e.at == e.event.at for e in entries if isinstance(e.event, ev.DayReset))
        [ended] = [e.event.at for e in entries if isinstance(e.event, ev.AssessmentAbandoned)]
        ends.add(ended)
    assert len(ends) == 1
