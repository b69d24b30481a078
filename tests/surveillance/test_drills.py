"""Each of the thirty patterns is found where it was done, and nothing where nothing was."""

from hashlib import sha256

import pytest

from fondaco.domain.fix.capture.packets import Packets
from fondaco.domain.fix.capture.tally import Tally
from fondaco.domain.surveillance.fix.drill.attacks import ATTACKS
from fondaco.domain.surveillance.fix.drill.generated import Drill, drill
from fondaco.domain.surveillance.fix.limits import Thresholds
from fondaco.domain.surveillance.fix.patterns import PATTERNS
from fondaco.domain.surveillance.fix.watch import DETECTORS, Watch
from fondaco.domain.surveillance.model import Alert, Severity

NS = 1_000_000_000
ORDERS = 20  # of a session and day; benchmarks/fix_threats.py drills with more


def found(done: Drill, limits: Thresholds | None = None, piece: int = 1 << 16) -> list[Alert]:
    watch, tally, packets = Watch(limits), Tally(), Packets()
    watch.begin("drill.pcap")
    pieces = [done.capture[at : at + piece] for at in range(0, len(done.capture), piece)]
    for piece_of_it in [*pieces, None]:
        for seen in packets.finish() if piece_of_it is None else packets.feed(piece_of_it):
            line = tally.line_of(seen)
            watch.see(seen, line)
            tally.count(seen, line)
        watch.after(packets.flows)
    watch.finish(packets.flows)
    return watch.alerts


def test_there_is_an_attack_and_a_detector_for_every_pattern() -> None:
    assert sorted(ATTACKS) == sorted(PATTERNS) == [f"F{n:02}" for n in range(1, 31)]
    assert {f"{each.__doc__}"[:3] for each in DETECTORS} == set(PATTERNS)
    assert all(pattern.attack for pattern in PATTERNS.values())


@pytest.mark.parametrize("seed", [101, 102])
def test_clean_flow_raises_nothing_above_low(seed: int) -> None:
    alerts = found(drill(seed, sessions=1, orders=ORDERS))
    assert [alert for alert in alerts if alert.severity > Severity.LOW] == []


@pytest.mark.parametrize("pattern", sorted(ATTACKS))
def test_an_attack_is_found_with_the_messages_that_prove_it(pattern: str) -> None:
    done = drill(7, pattern, sessions=1, orders=ORDERS)
    alerts = [
        alert
        for alert in found(done)
        if alert.pattern == pattern
        and alert.severity > Severity.LOW
        and done.began <= alert.last_at
        and alert.first_at <= done.ended + 60 * NS
    ]
    assert alerts
    for evidence in alerts[0].evidence:
        assert evidence.file == "drill.pcap"
        assert 24 <= evidence.offset < len(done.capture)
        assert evidence.text.startswith("8=FIX")
        assert "hunter2!" not in evidence.text


def test_evidence_is_the_exact_message_at_its_place() -> None:
    done = drill(7, "F05", sessions=1, orders=ORDERS)
    [alert] = [alert for alert in found(done) if alert.pattern == "F05"]
    forged = alert.evidence[-1]
    assert "49=OTHERFIRM" in forged.text
    at = done.capture.index(b"8=FIX", forged.offset)
    raw = done.capture[at : at + len(forged.text) + 1]
    assert sha256(raw).hexdigest() == forged.sha256


def test_the_same_again_counts_up_until_the_time_is_over() -> None:
    done = drill(7, "F10", sessions=1, orders=ORDERS)
    [storm] = [alert for alert in found(done) if alert.severity == Severity.HIGH]
    assert storm.count > 1
    every = found(done, Thresholds(repeat_s=0))
    assert len([alert for alert in every if alert.pattern == "F10"]) > storm.count


def test_how_a_file_is_cut_changes_no_alert_of_a_message() -> None:
    done = drill(7, "F16", sessions=1, orders=ORDERS)
    small, large = found(done, piece=1000), found(done, piece=1 << 24)
    assert [(a.pattern, a.reason, a.count) for a in small] == [
        (a.pattern, a.reason, a.count) for a in large
    ]


def test_thresholds_are_settings() -> None:
    done = drill(7, "F30", sessions=1, orders=ORDERS)
    patient = found(done, Thresholds(mass_cancels=50))
    assert [alert.severity for alert in patient if alert.pattern == "F30"] == [Severity.LOW]


def test_a_drill_is_the_same_for_the_same_seed() -> None:
    assert drill(3, "F13", 1, 5) == drill(3, "F13", 1, 5)
    assert drill(3, "F13", 1, 5).capture != drill(4, "F13", 1, 5).capture
