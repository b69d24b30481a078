"""A sensor fed with messages finds what a capture of the same lines shows, at once and for ever."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.domain.fix.capture.packets import Packets
from fondaco.domain.fix.capture.sighting import Sighting
from fondaco.domain.fix.capture.writing import fix
from fondaco.domain.surveillance.api import Sensor
from fondaco.domain.surveillance.fix import sensor as module
from fondaco.domain.surveillance.fix.bounded import Lately
from fondaco.domain.surveillance.fix.drill.attacks import ATTACKS
from fondaco.domain.surveillance.fix.drill.generated import Drill, drill
from fondaco.domain.surveillance.model import Alert, Severity
from fondaco.kernel.errors import Invalid

NS = 1_000_000_000
AT = 1_700_000_000 * NS
ORDERS = 20
ON_PACKETS = {"F27", "F28"}  # segments and greetings, which an engine never sees


def watched(done: Drill, sensor: Sensor) -> list[tuple[Alert, int]]:
    """The venue's own view of a drill: alerts, each with the time of what was fed just then."""
    found: list[tuple[Alert, int]] = []
    known: dict[int, int] = {}
    packets = Packets()
    sightings = packets.feed(done.capture) + packets.finish()
    happened: list[tuple[int, int, object]] = [(seen.at, 1, seen) for seen in sightings]
    for flow in packets.flows:
        happened.append((flow.first_at, 0, flow))
        if flow.reset_at or flow.closed_at:
            happened.append((flow.reset_at or flow.closed_at, 2, flow))
    for at, what, it in sorted(happened, key=lambda each: each[:2]):
        if what == 1:
            assert isinstance(it, Sighting)
            way = "in" if it.half.side == 0 else "out"
            alerts = sensor.feed(str(it.half.flow), way, at, it.raw)
        elif what == 0:
            client = it.ends[0]  # type: ignore[attr-defined]
            peer = (client.host, client.port)
            alerts = sensor.connected(str(it), at, peer=peer, encrypted=False)
        else:
            alerts = sensor.disconnected(str(it), at)
        for alert in alerts:
            assert alert.severity > known.get(alert.number, 0)  # new, or more severe
            known[alert.number] = alert.severity
            found.append((alert, at))
    return found


@pytest.mark.parametrize("pattern", sorted(set(ATTACKS) - ON_PACKETS))
def test_an_attack_is_told_in_the_call_that_completes_it(pattern: str) -> None:
    done = drill(7, pattern, sessions=1, orders=ORDERS)
    alerts = [
        (alert, at)
        for alert, at in watched(done, Sensor())
        if alert.pattern == pattern and alert.severity > Severity.LOW
    ]
    assert any(done.began <= at <= done.ended + 60 * NS for _, at in alerts)
    for alert, at in alerts:
        assert alert.first_at <= at


def test_clean_flow_raises_nothing_above_low() -> None:
    found = watched(drill(101, sessions=2, orders=ORDERS), Sensor())
    assert [alert for alert, _ in found if alert.severity > Severity.LOW] == []


def message(seq: int, kind: bytes = b"D", sender: bytes = b"BUYER", **more: bytes) -> bytes:
    target = b"BUYER" if sender == b"VENUE" else b"VENUE"
    head = [(35, kind), (34, b"%d" % seq), (49, sender), (56, target)]
    return fix("FIX.4.4", [*head, *((int(tag[1:]), value) for tag, value in more.items())])


def test_evidence_carries_the_callers_mark_and_the_same_is_told_once() -> None:
    sensor = Sensor(source="ours")
    sensor.feed("s", "in", AT, message(1, b"A", t98=b"0", t108=b"30"), mark=500)
    sensor.feed("s", "out", AT, message(1, b"A", b"VENUE", t98=b"0", t108=b"30"), mark=501)
    odd = message(2, t11=b"a", t38=b"-5")
    [alert] = sensor.feed("s", "in", AT + NS, odd, mark=502)
    assert (alert.pattern, alert.number, alert.count) == ("F15", alert.number, 1)
    assert [(each.file, each.offset) for each in alert.evidence] == [("ours", 502)]
    again = sensor.feed("s", "in", AT + 2 * NS, message(3, t11=b"b", t38=b"-5"), mark=503)
    assert again == []
    assert alert.count == 2
    assert [each.offset for each in alert.evidence] == [502, 503]


@settings(max_examples=200, deadline=None)
@given(raws=st.lists(st.binary(max_size=80) | st.just(message(2)), max_size=12))
def test_no_bytes_are_too_bad(raws: list[bytes]) -> None:
    sensor = Sensor()
    for n, raw in enumerate(raws):
        for alert in sensor.feed("s", "in" if n % 2 else "out", AT + n, raw):
            assert alert.evidence
    assert sensor.fed == len(raws)
    assert sensor.tally.messages == len(raws)


def test_without_connections_told_a_logon_begins_the_next() -> None:
    sensor = Sensor()
    for day in range(3):
        for way, sender in (("in", b"BUYER"), ("out", b"VENUE")):
            logon = message(1, b"A", sender, t98=b"0", t108=b"30", t141=b"Y")
            assert sensor.feed("s", way, AT + day * 86_400 * NS, logon) == []
        order = message(2, t11=b"o%d" % day, t38=b"5")
        assert sensor.feed("s", "in", AT + day * 86_400 * NS + NS, order) == []


def test_memory_ends_whoever_knocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SESSIONS_MAX", 10)
    sensor = Sensor()
    for n in range(200):
        sensor.feed(f"s{n}", "in", AT + n, message(1, b"x%d" % n, b"NAME%d" % n))
    assert len(sensor.tally.sessions) <= 2 * 10 + 1
    assert len(sensor._open) <= 10
    assert len(sensor._watch._calls) <= 10
    assert len(sensor._watch._triage) <= 10


def test_another_direction_is_refused() -> None:
    with pytest.raises(Invalid, match='neither "in" nor "out"'):
        Sensor().feed("s", "sideways", AT, b"")


@given(
    limit=st.integers(1, 20),
    acts=st.lists(st.tuples(st.sampled_from("gsp"), st.integers(0, 30)), max_size=200),
)
def test_what_was_lately_asked_for_is_kept_and_no_more_than_the_limit(
    limit: int, acts: list[tuple[str, int]]
) -> None:
    """The law: a mapping of at most `limit` keys, that has the last half of them for certain."""
    lately = Lately(limit)
    wrote: dict[int, int] = {}
    asked: list[int] = []
    for act, key in acts:
        if act == "s":
            lately[key] = wrote[key] = len(asked)
        elif act == "p":
            lately.pop(key)
            wrote.pop(key, None)
            asked = [each for each in asked if each != key]
            continue
        elif (found := lately.get(key)) is None:
            continue
        else:
            assert found == wrote[key]
        asked = [*(each for each in asked if each != key), key]
        assert len(lately) <= max(limit, 2)
        for recent in asked[-max(limit // 2, 1) :]:
            assert recent in lately
