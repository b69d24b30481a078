"""Which trace an entry belongs to, and how that is said to others: W3C Trace Context, level 1.

Nothing of it is in an entry. Ids follow from what began the chain of causes, so that every reader
of a journal works out the same ones; only what a caller brought along is noted beside it.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec
import xxhash

from fondaco.kernel.event import MESSAGE_MARK, CommandId, StreamId

SAMPLED: Final = "01"  # everything that is written is recorded, whatever the caller asked for
_GIVEN: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?"
).fullmatch


class Given(msgspec.Struct, frozen=True, gc=False):
    """What a caller says of the trace that a request is part of."""

    trace_id: str  # 32 hexadecimal digits
    parent_id: str = ""  # 16, of the caller's span; empty where there is none


def given(headers: Mapping[bytes, bytes], correlation_id: bytes | None) -> Given | None:
    """From a request's headers: its traceparent, or else a trace named after the correlation id
    that it brought."""
    traceparent = headers.get(b"traceparent")
    if traceparent is not None:
        found = parsed(traceparent.decode("latin-1"))
        if found is not None:
            return found
    return None if correlation_id is None else Given(trace_of_correlation(correlation_id.decode()))


def parsed(traceparent: str) -> Given | None:
    """None for what is none: the standard has it ignored, and a new trace begun (section 3.2.2.3).

    A later version may have more fields behind those that we read; version 00 has not.
    """
    match = _GIVEN(traceparent)
    if match is None:
        return None
    trace_id, parent_id, more = match.groups()
    return None if more and traceparent.startswith("00") else Given(trace_id, parent_id)


def traceparent(trace_id: str, span_id: str) -> str:
    return f"00-{trace_id}-{span_id}-{SAMPLED}"


def trace_of_correlation(correlation_id: str) -> str:
    """All requests under one correlation id are one trace."""
    return xxhash.xxh3_128_hexdigest(correlation_id.encode())


def trace_of(stream: StreamId, caused_by: CommandId) -> str:
    """The trace of an entry that no other entry caused, unless its caller has named another.

    A retry is the same command on the same stream, and so the same trace.
    """
    return xxhash.xxh3_128_hexdigest(f"{stream} {caused_by}".encode())


def request_span(at: int) -> str:
    """The span of the request that was stamped so; no two requests of a house have one stamp."""
    return xxhash.xxh3_64_hexdigest(b"request %d" % at)


def span_named(request_id: str) -> str:
    """The span of a request that left nothing behind: it is in nobody's trace but the caller's."""
    return xxhash.xxh3_64_hexdigest(request_id.encode())


def step_span(stream: StreamId, version: int, what: str) -> str:
    """One part of a turn: `version` is that of its first entry."""
    return xxhash.xxh3_64_hexdigest(f"{stream}{MESSAGE_MARK}{version} {what}".encode())
