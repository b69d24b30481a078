"""Captures and logs that others published: every message in them is found."""

import re
from collections import Counter
from pathlib import Path

import pytest

from fondaco.app.fix.reading import read
from fondaco.domain.fix.capture.sighting import Sighting

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/data/fix/samples"


def messages(path: Path) -> list[Sighting]:
    found: list[Sighting] = []
    read(path, found.extend, lambda _: None)
    return found


def each(folder: str) -> list[Path]:
    if not SAMPLES.is_dir():
        pytest.skip("../shared/data/fix is not here")
    return sorted([*(SAMPLES / folder).glob("*.pcap"), *(SAMPLES / folder).glob("*.log")])


@pytest.mark.parametrize(
    ("folder", "files", "count"),
    [("zeek_fix_ascii", 8, 33), ("quickfix_logviewer", 5, 965), ("luxor_fix_protocol_tools", 1, 9)],
)
def test_every_published_sample_decodes(folder: str, files: int, count: int) -> None:
    paths = each(folder)
    assert len(paths) == files
    assert sum(len(messages(path)) for path in paths) == count


def test_logs_that_say_how_many_messages_they_hold_hold_them() -> None:
    """Log4FIX's logs end with what a reader should find; one message is broken over lines."""
    paths = each("log4fix_j")
    assert len(paths) == 11
    for path in paths:
        [wanted] = re.findall(rb"ExpectedMessageCount=(\d+)", path.read_bytes()) or [b"1"]
        assert (path.name, len(messages(path))) == (path.name, int(wanted))
    kinds = Counter(seen.raw[2:9] for path in paths for seen in messages(path))
    assert kinds == {b"FIX.4.2": 38, b"FIX.4.4": 1}


def test_a_small_mtu_and_a_wrong_tag_change_nothing_else() -> None:
    """trace-fix4.0-mtu100 has messages over many segments; in -uncompliant 35 is written 25."""
    by_name = {path.name: messages(path) for path in each("zeek_fix_ascii")}
    whole, parts = by_name["trace-fix4.0.pcap"], by_name["trace-fix4.0-mtu100.pcap"]
    assert [seen.msg_type for seen in whole] == [seen.msg_type for seen in parts]
    odd = by_name["trace-fixt1.1-uncompliant.pcap"]
    assert [(seen.msg_type, seen.garbled) for seen in odd[:2]] == [
        ("", "CheckSum is wrong"),
        ("A", None),
    ]
