"""Ids of traces follow from causes; W3C Trace Context is read as the standard says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.kernel import trace
from fondaco.kernel.event import CommandId, StreamId

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"  # of the standard's examples


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"00-{TRACE}-{SPAN}-00", True),  # not sampled by them: all of ours are recorded
        (f"cc-{TRACE}-{SPAN}-01", True),  # a later version
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like", True),
        (f"00-{TRACE}-{SPAN}-01-what-the-future-will-be-like", False),
        (f"cc-{TRACE}-{SPAN}-01.what", False),
        (f"ff-{TRACE}-{SPAN}-01", False),
        (f"00-{'0' * 32}-{SPAN}-01", False),
        (f"00-{TRACE}-{'0' * 16}-01", False),
        (f"00-{TRACE.upper()}-{SPAN}-01", False),
        (f"00-{TRACE[1:]}-{SPAN}-01", False),
        (f"00-{TRACE}-{SPAN}", False),
        (f" 00-{TRACE}-{SPAN}-01", False),
        (f"00-{TRACE}-{SPAN}-01\n", False),
        ("", False),
    ],
)
def test_a_traceparent_is_read_or_passed_over(text: str, is_one: bool) -> None:
    found = trace.parsed(text)
    assert found == (trace.Given(TRACE, SPAN) if is_one else None)


@given(st.text(), st.text(), st.integers(1, 2**62))
def test_ids_are_ids_and_follow_from_what_they_name(stream: str, command: str, at: int) -> None:
    trace_id = trace.trace_of(StreamId(stream), CommandId(command))
    assert trace_id == trace.trace_of(StreamId(stream), CommandId(command))
    assert trace_id != trace.trace_of(StreamId(stream), CommandId(command + "#"))
    span_id = trace.request_span(at)
    assert span_id != trace.request_span(at + 1)
    assert trace.parsed(trace.traceparent(trace_id, span_id)) == trace.Given(trace_id, span_id)


def test_a_correlation_id_names_a_trace_where_no_traceparent_does() -> None:
    headers = {b"traceparent": f"00-{TRACE}-{SPAN}-01".encode()}
    assert trace.given(headers, b"mine") == trace.Given(TRACE, SPAN)
    named = trace.given({}, b"mine")
    assert named == trace.given({b"traceparent": b"00-bad"}, b"mine")
    assert named == trace.Given(trace.trace_of_correlation("mine"))
    assert trace.given({}, None) is None
