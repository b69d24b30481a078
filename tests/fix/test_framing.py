"""Cutting streams: any split gives the same frames, and each byte is in exactly one of them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fix.test_message import FIXISH, MESSAGES, with_trailer
from fondaco.domain.fix import Framer, Garbled, parse
from fondaco.domain.fix.framing import MAX_JUNK

ORDER = with_trailer(b"35=D\x0134=2\x0158=8=FIX|9=5\x01")
BEAT = with_trailer(b"35=0\x0134=3\x01")


def frames(*chunks: bytes) -> list[tuple[bytes, bool]]:
    framer = Framer()
    found = [frame for chunk in chunks for frame in framer.feed(chunk)] + framer.rest()
    return [(frame.raw, frame.garbled is None) for frame in found]


@given(
    parts=st.lists(MESSAGES | FIXISH | st.just(ORDER) | st.binary(max_size=40), max_size=6),
    cuts=st.lists(st.integers(0, 10**6), max_size=8),
)
def test_any_split_of_a_stream_gives_the_same_frames(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(parts)
    whole = frames(stream)
    assert b"".join(raw for raw, _ in whole) == stream
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    assert frames(*(stream[a:b] for a, b in pairwise(places))) == whole
    assert frames(*(stream[at : at + 1] for at in range(len(stream)))) == whole


@given(parts=st.lists(MESSAGES, max_size=5))
def test_whole_messages_come_out_as_they_went_in(parts: list[bytes]) -> None:
    assert frames(b"".join(parts)) == [(part, True) for part in parts]


# Acceptance script 2m: too short a length costs one message, too long a length also the next.
@pytest.mark.parametrize(("said", "lost"), [(3, 1), (len(BEAT) + 7, 2), (40, 2)])
def test_a_wrong_length_swallows_what_it_claims(said: int, lost: int) -> None:
    start = BEAT.index(b"35=")
    wrong = b"8=FIX.4.4\x019=%d\x01" % said + BEAT[start:]
    found = frames(wrong + BEAT + ORDER)
    assert len(found) == 1 + (2 - (lost - 1))
    with pytest.raises(Garbled):
        parse(found[0][0])
    assert found[-1] == (ORDER, True)


JUNK = [
    b"35=0\x01",
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET / HTTP/1.1\r\n\r\n",
    b"8=FIX.4.4\x0135=0\x01",
    b"8=FIX.4.4\x019=x\x01",
    b"8=FIX.4.4\x019=\x01",
    b"8=FIX.4.4\x019=1234567890\x01",
    b"8=FIX.4.4\x019=99999999\x01",
    b"8=FIX.4.4 and so on, for more than thirty-two bytes",
    b"58=foo\x01",
    b"x" * (MAX_JUNK + 5),
]


@pytest.mark.parametrize("junk", JUNK)
def test_what_is_no_message_is_handed_on_and_the_next_one_found(junk: bytes) -> None:
    found = frames(BEAT + junk + ORDER)
    assert found[0] == (BEAT, True)
    assert found[-1] == (ORDER, True)
    assert not any(fine for _, fine in found[1:-1])
    assert b"".join(raw for raw, _ in found[1:-1]) == junk


def test_a_trailer_that_never_comes_is_not_waited_for_for_ever() -> None:
    framer = Framer()
    assert framer.feed(b"8=FIX.4.4\x019=5\x0135=0\x01") == []
    given_up = framer.feed(b"x" * (MAX_JUNK + 10))
    assert given_up
    assert given_up[0].garbled == "there is no trailer behind the body"
    framer.rest()
    assert framer.held == 0
