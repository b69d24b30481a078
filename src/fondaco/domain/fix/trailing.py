"""What may be asked about one FIX message's way through the house."""

from collections.abc import Sequence
from typing import Any, Final, Literal, Protocol

import msgspec

from fondaco.domain.fix.looking import MessageName, MessageRequest
from fondaco.domain.fix.operating import HOUSE_READ
from fondaco.kernel.errors import NotFound
from fondaco.kernel.operation import Look, Operation

Stage = Literal["message", "ingestion", "engine", "compliance", "security", "storage", "analytics"]


class TrailStep(msgspec.Struct, frozen=True):
    """One thing that became of it. `at` is null where nobody notes when; `position` is of the
    journal; `trace_id` differs from the message's where something else set it off, the market."""

    stage: Stage
    at: str | None
    said: str
    trace_id: str
    position: int | None = None
    reference: str = ""  # an alert's id, an order's, a file


class TrailReply(msgspec.Struct, frozen=True):
    """`trace_id` is that of the command that the message was, or of the order that it tells of; of
    one that reached no law it is its own."""

    message: str
    session: str
    trace_id: str
    steps: Sequence[TrailStep]


class Trailing(Protocol):
    def trail(self, message_id: MessageName) -> TrailReply:
        """Raises `NotFound`."""
        ...


class Reading(Protocol):
    """What the door gives a `Look`."""

    @property
    def source(self) -> Trailing: ...


def _trail(request: MessageRequest, on: Reading) -> TrailReply:
    return on.source.trail(request.message_id)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Look(
        name="fix.message_trail",
        summary="What became of a FIX message, from the wire to storage, in one trace.",
        method="GET",
        path="/fix/messages/{message_id}/trail",
        request=MessageRequest,
        reply=TrailReply,
        scope=HOUSE_READ,
        errors=(NotFound,),
        source="fix_messages",
        answer=_trail,
    ),
)
