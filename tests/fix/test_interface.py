"""Live capture: packets of a real wire, in the file first, and an alert while the line is open."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fix import wires
from fondaco.app.fix.audit import audit
from fondaco.app.fix.capture import CaptureFile
from fondaco.app.fix.interface import Interface
from fondaco.domain.fix.capture.flows import Endpoint
from fondaco.domain.fix.capture.packets import Packets
from fondaco.domain.fix.capture.writing import Conversation, fix, pcap
from fondaco.kernel.errors import Invalid

CLIENT = Endpoint(b"\x0a\x00\x00\x01", 40_000)
SERVER = Endpoint(b"\x0a\x00\x00\x02", 9_876)
PORT = 9_876
PLAYER = [sys.executable, str(Path(wires.__file__))]
NS = 1_000_000_000


def message(seq: int, kind: bytes, *more: tuple[int, bytes]) -> bytes:
    head = [(35, kind), (34, b"%d" % seq), (49, b"BUYER"), (56, b"VENUE")]
    return fix("FIX.4.4", [*head, *more])


def spawned(words: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )


def test_an_attack_on_a_wire_is_told_while_it_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "wire.pcap"
    said = [
        message(1, b"A", (98, b"0"), (108, b"30")),
        message(2, b"D", (11, b"a"), (38, b"-5")),  # F15
        message(3, b"D", (11, b"b"), (38, b"5"))[:-4] + b"000\x01",  # its checksum is wrong
        b"no FIX at all",
    ]
    with wires.veth(f"{os.getpid()}") as (venue, buyer, wire):
        fondaco = [sys.executable, "-m", "fondaco", "fix", "capture"]
        words = [*fondaco, "--interface", wire, "--write", str(file)]
        started = [
            spawned(wires.inside(buyer, words)),
            spawned(wires.inside(venue, [*PLAYER, "serve", str(PORT)])),
        ]
        try:
            capturing, serving = started
            assert capturing.stdout is not None
            assert serving.stdout is not None
            assert capturing.stdout.readline() == f"capturing from {wire} to {file}\n"
            assert serving.stdout.readline() == "ready\n"
            started.append(
                spawned(wires.inside(buyer, [*PLAYER, "talk", wires.ADDRESSES[0], str(PORT)]))
            )
            talking = started[-1]
            assert talking.stdin is not None
            for raw in said:
                talking.stdin.write(raw.hex() + "\n")
            told = [capturing.stdout.readline()]
            while "F15" not in told[-1]:
                told.append(capturing.stdout.readline())
                assert told[-1], "".join(told)
            assert "OrderQty is -5" in told[-1]
            assert talking.poll() is None  # nobody has hung up
            talking.stdin.close()
            talking.wait(20)
            capturing.send_signal(signal.SIGTERM)
            rest = capturing.stdout.read()
            assert capturing.wait(20) == 0
        finally:
            for each in started:
                each.kill()
                each.wait(20)
    assert "3 FIX messages in 1 session; 0 packets dropped" in rest
    report = audit([file])
    assert (report.messages, report.garbled) == (3, 1)
    assert report.connections[0].client.startswith(f"{wires.ADDRESSES[1]}:")
    held = file.read_bytes()
    assert all(raw in held for raw in said)  # what cannot be read is kept too


def test_what_cannot_be_captured_from_says_why() -> None:
    with pytest.raises(Invalid, match=r"no interface 'nope0'|needs the capability CAP_NET_RAW"):
        Interface("nope0")


def test_a_capture_never_writes_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "old.pcap"
    path.write_bytes(b"evidence")
    with pytest.raises(Invalid, match="is there already"):
        CaptureFile(path, 1)
    assert path.read_bytes() == b"evidence"


def test_connections_that_ended_are_forgotten_and_their_ports_used_again() -> None:
    packets, seen = Packets(), []
    packets.feed(pcap([]))
    for day in range(3):
        at = (1_700_000_000 + day * 86_400) * NS
        talk = Conversation(CLIENT, SERVER)
        talk.open(at)
        talk.send(0, message(1, b"A"), at + NS)
        talk.close(at + 2 * NS)
        seen += packets.feed(pcap(talk.packets)[24:])
        assert [flow.number for flow in packets.flows] == [day + 1]
        gone, rest = packets.retire(at + 3 * NS, at - NS)
        assert [flow.number for flow in gone] == [day + 1]
        assert (rest, packets.flows) == ([], [])
    assert [each.raw for each in seen] == [message(1, b"A")] * 3
    assert packets.passed_over == {}
