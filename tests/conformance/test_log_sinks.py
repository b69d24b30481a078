"""Lines that somebody else keeps: the documented limits of each call, and what is kept there; and
a whole house whose log and audit are told, though nobody answered for a while."""

import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.ports.logs import Line
from running import house

boto3 = pytest.importorskip("boto3", reason="pip install fondaco[aws]")
from fondaco.app.shipping import sink_of  # noqa: E402
from fondaco.ports.logs import cloudwatch as cw  # noqa: E402

DOCS: Final = Path(__file__).parents[2] / "docs"
REGION: Final = "eu-west-1"
NOWHERE: Final = "http://127.0.0.1:9"  # discard: nobody listens there
SECRET: Final = "wJalrXUtnFEMI-bPxRfiCYEXAMPLEKEY"
DAY_MS: Final = 24 * 3_600_000


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, moto: str) -> str:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    return moto


def kept(moto: str, group: str, stream: str) -> list[Any]:
    logs = boto3.client("logs", region_name=REGION, endpoint_url=moto)
    found: list[Any] = []
    token: dict[str, str] = {}
    try:
        while True:
            said = logs.get_log_events(
                logGroupName=group, logStreamName=stream, startFromHead=True, **token
            )
            if not said["events"]:
                return found
            found += said["events"]
            token = {"nextToken": said["nextForwardToken"]}
    except logs.exceptions.ResourceNotFoundException:
        return found


TEXTS: Final = st.one_of(
    st.text(max_size=30),
    st.integers(1, 700_000).map(lambda size: "x" * size),
    st.integers(80_000, 140_000).map(lambda size: "\u20ac\U0001f642" * size),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3 * DAY_MS), TEXTS), max_size=12), st.integers(0, 12_000))
def test_each_call_is_within_the_documented_limits_and_nothing_is_left_out(
    given_: list[tuple[int, str]], more: int
) -> None:
    """API reference of PutLogEvents: 10,000 events and 1,048,576 bytes with 26 for each, in the
    order of time, within 24 hours, each at most 256 KB."""
    lines = [Line(at, text) for at, text in given_] + [Line(7, "more")] * more
    found = list(cw.batches(lines))
    for batch in found:
        assert 0 < len(batch) <= 10_000
        sizes = [len(each.text.encode()) for each in batch]
        assert sum(sizes) + 26 * len(batch) <= 1_048_576
        assert max(sizes) <= 262_144 - 26
        assert min(sizes) > 0
        assert batch[-1].at_ms - batch[0].at_ms < DAY_MS
        assert all(one.at_ms <= other.at_ms for one, other in pairwise(batch))
    told = [each for batch in found for each in batch]
    in_order = sorted(lines, key=lambda each: each.at_ms)
    assert "".join(each.text for each in told) == "".join(each.text for each in in_order)
    assert [each.at_ms for each in told] == sorted(each.at_ms for each in told)


def test_what_is_put_is_kept_there_in_groups_that_are_made(aws: str) -> None:
    sink, now = sink_of(f"cloudwatch://{REGION}/fondaco/test"), time.time_ns() // 1_000_000
    lines = [Line(now + nth % 7, f"line {nth}") for nth in range(10_050)]
    assert sink.put("log", lines) == 0
    assert sink.put("log", [Line(now + 8, "\u20ac" * 200_000)]) == 0
    found = kept(aws, "fondaco/test", "log")
    assert sorted(each["message"] for each in found[:10_050]) == sorted(each.text for each in lines)
    assert "".join(each["message"] for each in found[10_050:]) == "\u20ac" * 200_000
    # The reference says that an end index is exclusive; this server counts one less.
    too_old = sink.put("log", [Line(now - 15 * DAY_MS, f"long ago {nth}") for nth in range(3)])
    assert too_old in (2, 3), "they will never be taken, and are counted"
    assert cw.refused({"tooOldLogEventEndIndex": 2, "tooNewLogEventStartIndex": 8}, 10) == 4


def test_who_does_not_answer_is_asked_later_and_no_secret_is_told(
    aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", NOWHERE)
    with pytest.raises(Unavailable) as told:
        sink_of(f"cloudwatch://{REGION}/gone").put("log", [Line(1, "x")])
    assert SECRET not in str(told.value)
    for wrong in ("cloudwatch://", "cloudwatch:///g", f"cloudwatch://{REGION}", "s3://a/b", "x"):
        with pytest.raises(Invalid, match="say none, or cloudwatch://REGION/GROUP"):
            sink_of(wrong)


def test_a_house_tells_its_log_and_its_audit_and_loses_nothing_by_a_restart(
    aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, data = tmp_path / "log", tmp_path / "house"
    options = ["--set", f"log_to=cloudwatch://{REGION}/house", "--set", "log_level=INFO"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", NOWHERE)
    with house(data, options=options, log=log) as running:
        assert running.client().ask("POST", "/api/accounts", {"account_id": "a-1"}).status == 201
        assert running.client("of-nobody-4711").ask("GET", "/api/orders").status == 401
        assert running.stop() == 0
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    with house(data, options=options, log=log) as running:
        assert running.client().ask("POST", "/api/accounts", {"account_id": "a-2"}).status == 201
        client = running.client()
        for nth in range(3):
            assert client.get("/api/session"), nth
        deadline = time.monotonic() + 120
        while len(wanted(log)) > len(kept(aws, "house", "log")) or not audited(aws, 2):
            assert time.monotonic() < deadline, (wanted(log), kept(aws, "house", "log"))
            time.sleep(0.3)
    found = [each["message"] for each in kept(aws, "house", "log")]
    assert sorted(found) == sorted(wanted(log)), "each line once"
    schema = json.loads((DOCS / "log.schema.json").read_text())
    for each in found:
        jsonschema.validate(json.loads(each), schema)
    schema = json.loads((DOCS / "audit.schema.json").read_text())
    lines = [json.loads(each["message"]) for each in kept(aws, "house", "audit")]
    for line in lines:
        jsonschema.validate(line, schema)
    assert {each["kind"] for each in lines} == {"audit.act_noted.v1", "audit.denials_noted.v1"}
    everything = "".join(found) + json.dumps(lines)
    assert SECRET not in everything + log.read_text()
    assert "of-nobody-4711" not in everything


def wanted(log: Path) -> list[str]:
    return [line for line in log.read_text().splitlines() if line.startswith("{")]


def audited(moto: str, acts: int) -> bool:
    found = [json.loads(each["message"]) for each in kept(moto, "house", "audit")]
    opened = [each for each in found if each["said"].get("operation") == "trading.open_account"]
    return len(opened) >= acts
