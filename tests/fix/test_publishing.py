"""FIX messages and alerts for other programs: repeated after a death, never lost, in order."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fix.certificates import make_pair
from fix.siems import Listener
from fondaco.app.buses import open_bus
from fondaco.app.files import Files
from fondaco.app.fix.carrying import Noted, carry
from fondaco.app.fix.publishing import (
    ALERTS,
    MESSAGES,
    PublishingMessages,
    TellingAlerts,
    to_topic,
)
from fondaco.app.fix.siem import siem_of
from fondaco.app.fix.tracing import trace_of_message
from fondaco.app.machines import open_records
from fondaco.domain.fix import encode
from fondaco.domain.surveillance import store as alerts
from fondaco.domain.surveillance.model import Alert, Evidence, Severity
from fondaco.gateway.fix.keeping import RECEIVED, SENT
from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.kernel.event import Instant
from fondaco.ports.bus import Bus, Record
from fondaco.ports.bus.files import FileBus
from fondaco.ports.store import Store, outbox_metadata
from fondaco.ports.tape.segments import SegmentTape

S = 1_000_000_000


class Dying(FileBus):
    """One whose publisher dies in the middle of it: before, half-way, or behind it."""

    def __init__(self, folder: Path, deaths: list[int]) -> None:
        super().__init__(folder, 4)
        self._deaths = deaths

    def publish(self, topic: str, records: Sequence[Record]) -> None:
        death = self._deaths.pop() if self._deaths else None
        if death is not None:
            super().publish(topic, records[: death * len(records) // 2])
            raise Unavailable("it has died")
        super().publish(topic, records)


def fill(tape: SegmentTape, numbers: Sequence[int], first: int) -> None:
    for number, source in enumerate(numbers, first):
        raw = encode("FIX.4.4", [(35, b"D"), (34, b"%d" % number), (11, b"c%d" % number)])
        tape.append(f"s{source}", Instant(number * S), RECEIVED + raw)


def read(bus: Bus, topic: str = MESSAGES) -> dict[str, list[dict[str, Any]]]:
    """Values by key, in the order of their partition; a key is in one."""
    found: dict[str, list[dict[str, Any]]] = {}
    for partition in range(bus.partitions(topic)):
        here: dict[str, list[dict[str, Any]]] = {}
        for each in bus.read(topic, partition, limit=100_000):
            here.setdefault(each.record.key, []).append(json.loads(each.record.value))
        assert not found.keys() & here.keys()
        found |= here
    return found


@settings(deadline=None, max_examples=25)
@given(
    batches=st.lists(st.lists(st.integers(0, 2), max_size=12), max_size=5),
    deaths=st.lists(st.none() | st.integers(0, 2), max_size=8),
)
def test_whoever_dies_repeats_and_loses_nothing(
    batches: list[list[int]],
    deaths: list[int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """F7, F31: each session has all of its messages, the first of each in their order, in one
    partition, however often a publisher has died, and wherever."""
    root = tmp_path_factory.mktemp("dying")
    bus, noted = Dying(root / "bus", list(deaths)), Noted(root / "places", "bus", "file://x")
    count = 0
    with closing(SegmentTape(root / "fix")) as tape:
        for batch in batches:
            fill(tape, batch, count)
            count += len(batch)
            tape.seal()
            while True:
                try:
                    with closing(PublishingMessages(root / "fix", bus, noted)) as publishing:
                        while publishing.step():
                            pass
                except Unavailable:
                    continue
                break
    found = read(bus)
    sent = [number for batch in batches for number in batch]
    for source in set(sent):
        wanted = [str(number) for number, each in enumerate(sent) if each == source]
        assert list(dict.fromkeys(each["seq_num"] for each in found[f"s{source}"])) == wanted
    assert sum(len({each["id"] for each in some}) for some in found.values()) == len(sent)


def test_a_message_says_what_it_is_without_its_secrets(tmp_path: Path) -> None:
    (tmp_path / "fix").mkdir()
    (tmp_path / "fix" / "s1.name").write_text("FIX.4.4:A->B")
    logon = encode("FIX.4.4", [(35, b"A"), (34, b"1"), (554, b"hunter2"), (58, "é".encode())])
    with closing(SegmentTape(tmp_path / "fix")) as tape:
        tape.append("s1", Instant(5 * S), SENT + bytes(8) + logon)
        tape.append("s1", Instant(6 * S), RECEIVED + b"8=FIX.4.4\x019=1\x01no\xff")
        tape.append("s1", Instant(6 * S), b"Nsomething of the session's own")
    bus = open_bus("fix_publish_to", "file://?partitions=2", Files(tmp_path))
    noted = Noted(tmp_path / "places", "bus", "kafka://me:secret@host")
    with closing(PublishingMessages(tmp_path / "fix", bus, noted)) as publishing:
        assert not publishing.step()
    (first, second) = read(bus)["FIX.4.4:A->B"]
    assert (first["msg_type"], first["direction"], first["at"]) == (
        "A",
        "out",
        "1970-01-01T00:00:05Z",
    )
    assert "hunter2" not in first["raw"]
    assert len(first["raw"].encode("latin-1")) == len(logon)
    assert second["raw"].encode("latin-1") == b"8=FIX.4.4\x019=1\x01no\xff"
    assert (first["garbled"], bool(second["garbled"])) == (None, True)
    partition = next(n for n in range(2) if bus.read(MESSAGES, n))
    headers = bus.read(MESSAGES, partition)[0].record.headers
    assert headers["trace_id"] == trace_of_message("FIX.4.4:A->B", int(first["id"]))
    [place] = (tmp_path / "places").iterdir()
    assert json.loads(place.read_text())["sources"] == {"s1": 3}
    assert "secret" not in place.read_text()


# --- Alerts ---------------------------------------------------------------------------------------


def alert(number: int, severity: Severity = Severity.HIGH) -> Alert:
    proof = Evidence("fix", number, number, "c", "A", number, "D", "8=FIX", f"{number:064}")
    return Alert(
        "F10", "Storm | of", ("T1499",), severity, f"A->B{number}", "often = too often", number * S,
        number * S, 1, [proof], number,
    )  # fmt: skip


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Store]:
    found = open_records(Files(tmp_path))
    found.create(outbox_metadata)
    found.create(alerts.metadata)
    yield found
    found.close()


def record(records: Store, *found: Alert) -> None:
    with records.writing() as conn:
        for each in found:
            alerts.record(conn, each, "FIX.4.4:A->B", ["1"], 7)


def telling(tmp_path: Path, tell: Callable[[list[alerts.Recorded]], None]) -> TellingAlerts:
    return TellingAlerts(open_records(Files(tmp_path)), tell, Noted(tmp_path / "p", "siem", "x"))


def test_alerts_are_told_when_new_and_when_more_severe(records: Store, tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    fails = [True]

    def tell(found: list[alerts.Recorded]) -> None:
        told.extend((each.subject, each.severity.name) for each in found)
        if fails.pop() if fails else False:
            raise Unavailable("not now")

    record(records, alert(1, Severity.LOW), alert(2))
    with closing(telling(tmp_path, tell)) as first, pytest.raises(Unavailable):
        first.step()
    assert told == [("A->B1", "LOW"), ("A->B2", "HIGH")]
    with closing(telling(tmp_path, tell)) as second:
        assert not second.step()
        assert told[2:] == told[:2]  # again, since nobody had said that they were heard
        record(records, alert(2))  # the same once more is not news
        assert not second.step()
        assert len(told) == 4
        record(records, alert(1, Severity.CRITICAL))
        second.step()
    assert told[4:] == [("A->B1", "CRITICAL")]
    with closing(telling(tmp_path, tell)) as third:
        third.step()
    assert len(told) == 5


def test_alerts_have_a_topic(records: Store, tmp_path: Path) -> None:
    record(records, alert(1))
    bus = FileBus(tmp_path / "bus", 3)
    with closing(telling(tmp_path, to_topic(bus))) as carrier:
        carrier.step()
    ((found,),) = read(bus, ALERTS).values()
    assert (found["rule"]["id"], found["event"]["id"][:4]) == ("F10", "f10-")


def test_syslog_over_tcp_counts_only_what_was_read(records: Store, tmp_path: Path) -> None:
    with closing(Listener()) as listener:
        record(records, alert(1), alert(2, Severity.CRITICAL))
        listener.breaks = 2
        tell = siem_of(f"syslog+tcp://127.0.0.1:{listener.port}")
        for _ in range(2):
            with closing(telling(tmp_path, tell)) as carrier, pytest.raises(Unavailable):
                carrier.step()
        with closing(telling(tmp_path, tell)) as carrier:
            carrier.step()
        ((_, (first, second)),) = listener.heard
    assert first.startswith(b"<107>1 1970-01-01T00:00:01Z ")  # log audit, error
    assert second.startswith(b"<106>1 ")
    head, _, cef = first.partition(b" - CEF:0|")
    assert head.split(b" ")[3:5] == [b"fondaco", b"-"]
    assert head.split(b" ")[5].startswith(b"f10-")
    assert cef.startswith(b"Fondaco|fondaco|")
    assert b"|F10|Storm \\| of|8|" in cef
    assert b" msg=often \\= too often " in cef


def test_syslog_over_tls_and_udp(records: Store, tmp_path: Path) -> None:
    record(records, alert(1))
    pair = make_pair(tmp_path, "siem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    with closing(Listener(context)) as listener:
        address = f"syslog+tls://127.0.0.1:{listener.port}?form=ocsf&ca={pair.certificate}"
        with closing(telling(tmp_path, siem_of(address))) as carrier:
            carrier.step()
        ((_, (line,)),) = listener.heard
        assert json.loads(line.partition(b" - {")[2].join([b"{", b""]))["class_uid"] == 2004
        stranger = siem_of(f"syslog+tls://127.0.0.1:{listener.port}")
        with records.reading() as conn, pytest.raises(Unavailable, match="CERTIFICATE_VERIFY"):
            stranger([alert for _, alert in alerts.news(conn, 0, 9)])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(30)
        with records.reading() as conn:
            siem_of(f"syslog+udp://127.0.0.1:{server.getsockname()[1]}")(
                [alert for _, alert in alerts.news(conn, 0, 9)]
            )
        assert b"CEF:0|" in server.recv(1 << 16)


def test_a_webhook_is_told_until_it_has_taken_an_alert(records: Store, tmp_path: Path) -> None:
    heard: list[tuple[str, Any]] = []
    answers = [503, 302, 200]
    over = threading.Event()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # its name there
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            heard.append((self.headers["Idempotency-Key"], content))
            self.send_response(answers.pop(0))
            self.end_headers()
            if not answers:
                over.set()

        def log_message(self, *_: object) -> None:
            pass

    record(records, alert(1))
    server = HTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    tell = siem_of(f"http://127.0.0.1:{server.server_port}/alerts?form=ecs")
    carry("alerts", lambda: telling(tmp_path, tell), over)
    server.shutdown()
    server.server_close()
    assert len(heard) == 3
    assert {key for key, _ in heard} == {f"{heard[0][1]['event']['id']}-high"}
    assert heard[0][1]["rule"]["id"] == "F10"
    # The place is noted behind the answer: nothing is told again.
    with closing(telling(tmp_path, tell)) as carrier:
        assert not carrier.step()
    assert len(heard) == 3


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("syslog+tcp://host:1?form=leef", "must be one of ecs, cef, ocsf"),
        ("https:///path", "names no host"),
        ("https://host?ca=/no/such/file", "cannot be read"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_at_once(address: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        siem_of(address)
