"""Detectors on hand-made lines: what they must not say matters as much as what they must."""

from collections.abc import Sequence

import pytest

from fondaco.domain.fix.capture.flows import Endpoint
from fondaco.domain.fix.capture.packets import Packets
from fondaco.domain.fix.capture.tally import Tally
from fondaco.domain.fix.capture.writing import Conversation, fix, pcap
from fondaco.domain.surveillance.api import Sensor, Thresholds
from fondaco.domain.surveillance.fix.content import entropy
from fondaco.domain.surveillance.fix.evidence import masked
from fondaco.domain.surveillance.fix.times import timestamp
from fondaco.domain.surveillance.fix.watch import Watch
from fondaco.domain.surveillance.model import Alert, Severity

NS = 1_000_000_000
AT = 1_700_000_000 * NS  # 2023-11-14 22:13:20
CLIENT = Endpoint(b"\x0a\x00\x00\x01", 40_000)
SERVER = Endpoint(b"\x0a\x00\x00\x02", 9_876)
Said = tuple[int, float, bytes, int, Sequence[tuple[int, bytes]]]


def watch(said: Sequence[Said], sent: bytes | None = None) -> list[Alert]:
    """`said`: side, seconds, MsgType, MsgSeqNum, further fields."""
    talk = Conversation(CLIENT, SERVER)
    talk.open(AT)
    names = (b"BUYER", b"VENUE")
    for side, seconds, kind, seq, fields in said:
        at = AT + int(seconds * NS)
        clock = sent or b"20231114-22:%02d:%02d.000" % divmod(800 + int(seconds), 60)
        head = [(35, kind), (34, b"%d" % seq), (49, names[side]), (52, clock)]
        talk.send(side, fix("FIX.4.4", [*head, (56, names[1 - side]), *fields]), at)
    watching, tally, packets = Watch(), Tally(), Packets()
    for seen in packets.feed(pcap(talk.packets)):
        line = tally.line_of(seen)
        watching.see(seen, line)
        tally.count(seen, line)
    watching.finish(packets.flows)
    return watching.alerts


LOGON: list[Said] = [
    (0, 1, b"A", 1, [(98, b"0"), (108, b"30")]),
    (1, 1, b"A", 1, [(98, b"0"), (108, b"30")]),
]


@pytest.mark.parametrize(
    ("said", "patterns"),
    [
        ([], set()),
        # A gap, a resend request and the possible duplicates that answer it are how FIX heals.
        (
            [
                (0, 2, b"0", 2, []),
                (0, 3, b"D", 5, [(11, b"a"), (38, b"1"), (54, b"1"), (55, b"X")]),
                (1, 3, b"2", 2, [(7, b"3"), (16, b"0")]),
                (0, 4, b"4", 3, [(43, b"Y"), (123, b"Y"), (36, b"5")]),
                (0, 4, b"D", 5, [(43, b"Y"), (11, b"a"), (38, b"1"), (54, b"1"), (55, b"X")]),
            ],
            set(),
        ),
        # Prices are numbers, not texts.
        (
            [
                (0, 2, b"D", 2, [(11, b"a"), (38, b"100"), (44, b"1.50"), (54, b"1")]),
                (1, 2, b"8", 2, [(11, b"a"), (38, b"100.0"), (44, b"1.5"), (54, b"1")]),
            ],
            set(),
        ),
        (
            [
                (0, 2, b"D", 2, [(11, b"a"), (38, b"100"), (44, b"1.50"), (54, b"1")]),
                (1, 2, b"8", 2, [(11, b"a"), (38, b"100.0"), (44, b"1.6"), (54, b"1")]),
            ],
            {"F13"},
        ),
        # A group's entries repeat their tags; a header's fields do not.
        ([(0, 2, b"D", 2, [(11, b"a"), (453, b"2"), (448, b"x"), (448, b"y")])], set()),
        ([(0, 2, b"D", 2, [(11, b"a"), (49, b"x")])], {"F16"}),
        # Plain English is no exfiltration, however long.
        (
            [(0, 2, b"B", 2, [(58, b"the market will close early on friday, said the desk " * 6)])],
            set(),
        ),
        ([(0, 2, b"B", 2, [(58, b"UEsDBBQAAAAIAA" * 12)])], {"F21"}),
        ([(0, 2, b"D", 2, [(11, b"a"), (38, b"0")])], {"F15"}),
        ([(0, 2, b"D", 900, [(11, b"a"), (38, b"5")])], {"F08"}),
        # A number with a sign or a blank is one to some parsers, and none to others.
        ([(0, 2, b"D", 2, [(11, b"a"), (38, b"+5")])], {"F16"}),
        ([(0, 2, b"D", 2, [(11, b"a"), (44, b" 5")])], {"F16"}),
        ([(0, 2, b"D", 2, [(11, b"a"), (44, b"-5")])], set()),
        # A venue's own tags are no attack, one that tries tags is.
        ([(0, 2, b"D", 2, [(11, b"a"), *((9_000 + n, b"x") for n in range(20))])], set()),
        ([(0, 2, b"D", 2, [(11, b"a"), *((60_000 + n, b"x") for n in range(20))])], {"F15"}),
        # Rejects of one tag are somebody's mistake, of many somebody's experiment.
        ([(1, n, b"3", n, [(371, b"44"), (373, b"6")]) for n in range(2, 7)], set()),
        ([(1, n, b"3", n, [(371, b"%d" % (40 + n)), (373, b"6")]) for n in range(2, 7)], {"F15"}),
        # On whose behalf is free until it is known.
        ([(0, n, b"D", n, [(115, b"DESK%d" % n)]) for n in range(2, 9)], set()),
        (
            [
                *((0, n, b"D", n, [(115, b"DESK")]) for n in range(2, 60)),
                (0, 60, b"D", 60, [(115, b"OTHER")]),
            ],
            {"F05"},
        ),
    ],
)
def test_what_is_told_above_low(said: list[Said], patterns: set[str]) -> None:
    alerts = watch([*LOGON, *said])
    assert {alert.pattern for alert in alerts if alert.severity > Severity.LOW} == patterns


def test_a_clock_off_on_both_ends_is_the_captures() -> None:
    both = watch(LOGON, sent=b"20171208-12:00:00")
    assert {(alert.pattern, alert.severity) for alert in both} == {("F20", Severity.LOW)}


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"35=A\x01554=secret\x01925=new\x0196=sig\x01", "35=A|554=***|925=***|96=***"),
        (b"35=A\x010554=secret\x01 554=secret\x01", "35=A|0554=***| 554=***"),
        (b"58=a\x00b\xe9\x01", "58=a\\x00bé"),
    ],
)
def test_secrets_are_masked_however_they_are_written(raw: bytes, shown: str) -> None:
    assert masked(raw) == shown


def test_entropy_is_shannons() -> None:
    assert entropy(b"aaaa") == 0
    assert entropy(bytes(range(256))) == 8


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        (b"20231114-22:13:20", AT),
        (b"20231114-22:13:20.5", AT + NS // 2),
        (b"20231114-22:13:20.123456789", AT + 123_456_789),
        (b"20231344-22:13:20", 0),
        (b"2023-11-14 22:13", 0),
        (b"", 0),
        (None, 0),
    ],
)
def test_timestamps(text: bytes | None, ns: int) -> None:
    assert timestamp(text) == ns


def said_by(half: int, begin: str, seq: int, fields: Sequence[tuple[int, bytes]] = ()) -> bytes:
    names = (b"BUYER", b"VENUE")
    head = [(35, b"A" if seq == 1 else b"0"), (34, b"%d" % seq), (49, names[half])]
    return fix(begin, [*head, (52, b"20231114-22:13:20.000"), (56, names[1 - half]), *fields])


def test_the_same_names_in_two_versions_are_two_sessions() -> None:
    sensor = Sensor()
    told = []
    for seq in (1, 2, 3):
        for begin in ("FIX.4.2", "FIX.4.4"):
            for half, way in ((0, "in"), (1, "out")):
                told += sensor.feed(begin, way, AT, said_by(half, begin, seq))
    assert told == []
    assert [each.begin_string for each in sensor.tally.sessions] == ["FIX.4.2", "FIX.4.4"]


def test_a_connection_speaks_for_whom_it_logged_on() -> None:
    def told(fields: Sequence[tuple[int, bytes]], begin: str = "FIX.4.4") -> list[str]:
        sensor = Sensor()
        sensor.feed("s", "in", AT, said_by(0, "FIX.4.4", 1, [(50, b"DESK")]))
        sensor.feed("s", "out", AT, said_by(1, "FIX.4.4", 1))
        return [each.pattern for each in sensor.feed("s", "in", AT, said_by(0, begin, 2, fields))]

    assert told([(50, b"DESK")]) == []
    assert told([]) == []
    assert told([(50, b"OTHER")]) == ["F05"]
    assert told([], "FIX.4.2") == ["F05"]


def test_nobody_trades_on_a_holiday() -> None:
    def told(**limits: tuple[str, ...]) -> set[str]:
        sensor = Sensor(Thresholds(**limits))  # type: ignore[arg-type]
        return {each.pattern for each in sensor.feed("s", "in", AT, said_by(0, "FIX.4.4", 1))}

    assert told() == set()
    assert told(holidays=("2023-11-15",)) == set()
    assert told(holidays=("2023-11-14",)) == {"F22"}


def orders(sizes: Sequence[int], prices: Sequence[float]) -> set[tuple[str, str]]:
    """What is told of these orders, one after the other, by pattern and what about it."""
    told = []
    sensor = Sensor()
    sensor.feed("s", "in", AT, said_by(0, "FIX.4.4", 1))
    sensor.feed("s", "out", AT, said_by(1, "FIX.4.4", 1))
    for n, (size, price) in enumerate(zip(sizes, prices, strict=True), 2):
        body = [(11, b"%d" % n), (38, b"%d" % size), (44, b"%.2f" % price), (55, b"X")]
        head = [(35, b"D"), (34, b"%d" % n), (49, b"BUYER"), (52, b"20231114-22:13:20.000")]
        at = AT + n * NS
        told += sensor.feed("s", "in", at, fix("FIX.4.4", [*head, (56, b"VENUE"), *body]))
    return {(each.pattern, each.key) for each in told if each.pattern == "F24"}


def test_a_price_is_far_off_beside_how_far_they_usually_are() -> None:
    near = [100 + n % 3 for n in range(60)]
    wide = [80 + 40 * (n % 5) / 4 for n in range(60)]
    assert orders([5] * 61, [*near, 103]) == set()
    assert orders([5] * 61, [*near, 130]) == {("F24", "price")}
    assert orders([5] * 61, [*wide, 130]) == set(), "who bids far away is used to it"
    assert orders([*[5] * 60, 60], [*near, 100]) == {("F24", "size")}
    mixed = [1 if n % 2 else 100 for n in range(60)], [100 if n % 2 else 1 for n in range(60)]
    assert orders([*mixed[0], 90], [*mixed[1], 99]) == {("F24", "worth")}
