"""What an entry is made of: the event says what happened, the entry where, when and why."""

from typing import Final, Generic, NewType, TypeVar

import msgspec
import xxhash

StreamId = NewType("StreamId", str)  # "account/demo", "venue/PAPER/BTC-USD", "reference/house"
CommandId = NewType("CommandId", str)  # the cause of what follows; see `request_id`, `message_id`
Instant = NewType("Instant", int)  # nanoseconds since 1970-01-01 UTC

_encode: Final = msgspec.json.Encoder().encode
# The functions below are called for every turn, and return what they have made without calling the
# `NewType` that it is of: that looks like nothing, and costs more than the making.

# Neither sign may stand in a stream or in a key that somebody outside chooses.
REQUEST_MARK: Final = "#"
MESSAGE_MARK: Final = "@"


class Command(msgspec.Struct, frozen=True, gc=False):
    """Root of every request. Subclasses are named in the imperative.

    `command_id` makes retries harmless. `at` is stamped by the door and is the only clock that
    rules may read.
    """

    command_id: CommandId
    at: Instant


class Event(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Root of everything that can happen. Subclasses are named in the past tense.

    `tag` is the kind under which the journal keeps it: permanent, while the class may move and be
    renamed. Fields are kept by their place, so a kind never changes: a new meaning is a new kind.
    """


E_co = TypeVar("E_co", bound=Event, covariant=True)


class Decision(msgspec.Struct, Generic[E_co], frozen=True, gc=False, array_like=True):
    """What one turn decided, on its way into the journal: entries that have no position yet."""

    stream: StreamId
    expected_version: int  # the version decided on; events follow it as +1, +2 …
    caused_by: CommandId
    at: Instant
    refs_version: int  # of the reference data that the decision was given
    events: tuple[E_co, ...]


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One line of the journal. Metadata lives here alone, so that events stay small."""

    stream: StreamId
    version: int  # 1, 2, 3 … within this stream, without gaps
    position: int  # where readers stand; grows along the journal and means nothing else
    caused_by: CommandId
    at: Instant
    refs_version: int
    event: Event


def request_id(key: str, content: str) -> CommandId:
    """The id of what somebody outside asks: `key` is theirs, `content` the fingerprint of the rest.

    The same key with the same content is a retry; with other content it is a Conflict.
    """
    return f"{key}{REQUEST_MARK}{content}"  # type: ignore[return-value]


def message_id(source: StreamId, version: int) -> CommandId:
    """The id of what one stream tells another: the entry that says it. One message per target."""
    return f"{source}{MESSAGE_MARK}{version}"  # type: ignore[return-value]


def fingerprint(value: msgspec.Struct) -> str:
    """A short name for this exact value, equal in every process; 16 hexadecimal digits.

    It tells a retry from a mistake, not friend from foe: who makes two requests of their own
    collide is given the answer to the first.
    """
    return xxhash.xxh3_64_hexdigest(_encode(value))
