"""Logs: prefixes, delimiters, and messages broken over lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.fix.capture.loglines import LogLines
from fondaco.domain.fix.capture.sighting import Sighting
from fondaco.domain.fix.capture.writing import fix

NS = 1_000_000_000
SENT = b"20240506-07:08:09.123"
AT = 1_714_979_289_123_000_000


def order(seq: int, sender: bytes = b"BUYER", target: bytes = b"VENUE") -> bytes:
    return fix(
        "FIX.4.4",
        [(35, b"D"), (34, b"%d" % seq), (49, sender), (56, target), (52, SENT), (58, b"a|b;c")],
    )


def read(text: bytes, piece: int = 1 << 16) -> list[Sighting]:
    log = LogLines("some.log")
    parts = [text[start : start + piece] for start in range(0, len(text), piece)]
    return [seen for part in parts for seen in log.feed(part)] + log.finish()


@pytest.mark.parametrize("delimiter", [b"\x01", b"^A", rb"\x01", b"<SOH>", b"~", b" ", b"[SOH]"])
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_any_delimiter_is_known_by_where_it_stands(delimiter: bytes, ending: bytes) -> None:
    text = b"".join(order(n).replace(b"\x01", delimiter) + b" junk" + ending for n in (1, 2))
    assert [(seen.raw, seen.garbled) for seen in read(text)] == [(order(1), None), (order(2), None)]


@pytest.mark.parametrize(
    ("prefix", "at"),
    [
        (b"", AT),
        (b"2018/02/23 19:14:25.174454 ", 1_519_413_265_174_454_000),
        (b"20060410-06:19:00 -> \x00\x00", 1_144_649_940 * NS),
        (b"04/10/2006  15:20:27:   <== ", 1_144_682_427 * NS),
        (b"<20240506-07:08:09, FIX.4.4:A->B, incoming> (", 1_714_979_289 * NS),
        (b"2024-05-06T07:08:09,5 IN ", 1_714_979_289 * NS + NS // 2),
        (b"2024-02-31 07:08:09 no such day ", AT),
    ],
)
def test_the_time_is_the_prefixs_or_else_the_messages(prefix: bytes, at: int) -> None:
    [seen] = read(prefix + order(1) + b"\n")
    assert (seen.at, seen.offset, seen.garbled) == (at, len(prefix), None)


@given(st.lists(st.integers(7, 150), max_size=6), st.integers(1, 60))
def test_a_message_may_be_broken_over_lines(cuts: list[int], piece: int) -> None:
    whole = order(1)
    for cut in sorted({cut for cut in cuts if cut < len(whole)}, reverse=True):
        whole = whole[:cut] + b"\n" + whole[cut:]
    found = read(b"text\n" + whole + b"\n\n" + order(2) + b"\nmore text", piece)
    assert [seen.raw for seen in found] == [order(1), order(2)]


def test_a_message_without_an_end_is_told_and_ends_nothing_else() -> None:
    found = read(order(1)[:-8] + b"\n" + order(2) + b"\n")
    assert [(seen.seq, seen.garbled is None) for seen in found] == [(1, False), (2, True)]


def test_who_speaks_first_is_the_client_of_a_pair() -> None:
    text = b"\n".join([order(1), order(1, b"VENUE", b"BUYER"), order(1, b"OTHER")])
    seen = read(text)
    assert [(each.half.flow.number, each.half.side) for each in seen] == [(1, 0), (1, 1), (2, 0)]


@given(st.binary(max_size=400))
def test_no_text_breaks_the_reader(text: bytes) -> None:
    for seen in read(text + b"8=FIX.4.4" + text, 7):
        assert seen.raw
