"""Slices of captures: what an alert's file holds is what the sensor saw, and no more."""

import json
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from fondaco.app.fix.audit import audit
from fondaco.app.fix.evidence import write_evidence
from fondaco.domain.fix.capture.packets import Packets
from fondaco.domain.surveillance.fix.drill.generated import drill
from fondaco.kernel.errors import Invalid


def as_pcapng(capture: bytes) -> bytes:
    """The same packets in enhanced packet blocks, with nanoseconds."""

    def block(kind: int, body: bytes) -> bytes:
        size = (12 + len(body) + 3 & ~3).to_bytes(4, "little")
        return kind.to_bytes(4, "little") + size + body + bytes(-len(body) % 4) + size

    out = block(0x0A0D0D0A, b"\x4d\x3c\x2b\x1a\x01\x00\x00\x00" + b"\xff" * 8)
    out += block(1, b"\x01\x00\x00\x00\x00\x00\x04\x00" + b"\x09\x00\x01\x00\x09\x00\x00\x00")
    place = 24
    while place < len(capture):
        seconds, part, size, whole = (
            int.from_bytes(capture[place + n : place + n + 4], "little") for n in (0, 4, 8, 12)
        )
        at = seconds * 10**9 + part
        numbers = (0, at >> 32, at & 0xFFFFFFFF, size, whole)
        head = b"".join(each.to_bytes(4, "little") for each in numbers)
        out += block(6, head + capture[place + 16 : place + 16 + size])
        place += 16 + size
    return out


def messages_in(content: bytes) -> set[str]:
    packets = Packets()
    found = [*packets.feed(content), *packets.finish()]
    return {sha256(each.raw).hexdigest() for each in found}


def cut(content: bytes, tmp_path: Path, name: str) -> tuple[list[dict[str, Any]], Path]:
    path, folder = tmp_path / name, tmp_path / "evidence"
    path.write_bytes(content)
    alerts = audit([path]).alerts
    write_evidence(alerts, [path], folder)
    return alerts, folder


@pytest.mark.parametrize("pattern", ["F13", "F18"])
@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_a_slice_has_the_messages_of_its_alert(pattern: str, form: str, tmp_path: Path) -> None:
    done = drill(3, pattern, 2, 10)
    whole = as_pcapng(done.capture) if form == "pcapng" else done.capture
    alerts, folder = cut(whole, tmp_path, f"day.{form}")
    listed = json.loads((folder / "evidence.json").read_bytes())
    assert pattern in {each["pattern"] for each in listed}
    numbers = {each["number"]: each for each in alerts}
    for each in listed:
        content = (folder / each["name"]).read_bytes()
        assert sha256(content).hexdigest() == each["sha256"]
        assert not each["is_made_up"]
        proofs = {proof["sha256"] for proof in numbers[each["alert"]]["evidence"]}
        assert proofs <= messages_in(content)
        assert len(content) < len(whole) / 4
    if shutil.which("tshark"):
        ran = subprocess.run(
            ["tshark", "-r", str(folder / listed[0]["name"])], capture_output=True, text=True
        )
        assert (ran.returncode, len(ran.stdout.splitlines())) == (0, listed[0]["packets"])


def test_messages_of_a_log_are_sent_for_it(tmp_path: Path) -> None:
    packets = Packets()
    found = [*packets.feed(drill(3, "F13", 1, 10).capture), *packets.finish()]
    log = b"\n".join(b"2024-03-04 09:00:00 " + each.raw.replace(b"\x01", b"|") for each in found)
    alerts, folder = cut(log, tmp_path, "day.log")
    [number] = {each["number"] for each in alerts if each["pattern"] == "F13"}
    listed = json.loads((folder / "evidence.json").read_bytes())
    [mine] = [each for each in listed if each["alert"] == number]
    assert mine["is_made_up"]
    assert mine["source"] == "day.log"
    proofs = {each["sha256"] for a in alerts if a["number"] == number for each in a["evidence"]}
    assert messages_in((folder / mine["name"]).read_bytes()) == proofs


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("notes")
    with pytest.raises(Invalid, match="name a folder that is empty or new"):
        write_evidence([], [], tmp_path)
