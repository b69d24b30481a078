"""The trace of a FIX message that led to nothing in the journal: its own."""

from fondaco.kernel.event import CommandId, StreamId
from fondaco.kernel.trace import trace_of


def trace_of_message(session: str, position: int) -> str:
    """32 hexadecimal digits that follow from where it stands on the tape. What it led to in the
    journal has the trace of its command, and tells of both: `fondaco fix why`."""
    return trace_of(StreamId(f"fix/{session}"), CommandId(f"message-{position}"))
