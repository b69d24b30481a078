"""Decisions to bytes and back. An event goes by its kind, so that its class may move.

A record is a header and an envelope: `codec` and `key_id` name how `payload` was made, so that
encryption and shredding change no format. A Merkle leaf is SHA-256 over a record's bytes as they
are stored, behind the place of an entry in it: `fondaco.runtime.proofs.leaves`.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from fondaco.kernel.errors import Corrupt, Unavailable
from fondaco.kernel.event import CommandId, Decision, Event, Instant, StreamId

MSGPACK: Final = 1  # `Record.codec`: the events as a msgpack array, in the clear
SEALED: Final = 2  # the same, encrypted under the key that `Record.key_id` names
# How bytes of ours that are no MessagePack begin: it never uses this byte.
FRAME_MARK: Final = b"\xc1"
_FRAME_BYTE: Final = FRAME_MARK[0]
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError)


class Record(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One decision as it is stored."""

    stream: StreamId
    expected_version: int
    caused_by: CommandId
    at: Instant
    refs_version: int
    count: int  # of events in `payload`
    codec: int
    key_id: str  # of the data key; empty: not encrypted
    payload: bytes


class Unread(Event, frozen=True, gc=False, tag="kernel.unread.v1"):
    """In place of an event that nobody can read any more, since its key was destroyed, or not here.
    Written again, as a copy of a journal does, it is what it was."""

    key_id: str
    sealed: bytes


class Sealer(Protocol):
    """Encrypts what some streams say. Called by writers and readers, on any thread."""

    @property
    def stream(self) -> StreamId:
        """The one whose records may be sealed."""
        ...

    def seal(self, decision: Decision[Event], packed: bytes) -> tuple[str, bytes] | None:
        """The key's id, and `packed` under it, the same bytes each time, so that a copy of a
        journal has its hashes; None: it is written in the clear."""
        ...

    def opened(self, record: Record) -> bytes | None:
        """What was sealed; None where the key is gone. Raises `Corrupt`."""
        ...


class Frames(Protocol):
    """Encrypts whole appends, names of streams and all. Called on any thread."""

    def sealed(self, packed: bytes) -> bytes:
        """It begins with `FRAME_MARK`."""
        ...

    def opened(self, stored: bytes | memoryview) -> bytes:
        """Raises `Corrupt`."""
        ...


class Codec:
    """`kinds` is the union of every event that this build can read: `TradingEvent | VenueEvent`.
    Without a `sealer` nothing is sealed, and what was is `Unread`. Without `frames` appends are in
    the clear; with it, those that were are read all the same."""

    def __init__(
        self, kinds: object, sealer: Sealer | None = None, frames: Frames | None = None
    ) -> None:
        self._kinds, self._sealer, self._frames = kinds, sealer, frames
        self._encoder = msgspec.msgpack.Encoder()
        self._events = msgspec.msgpack.Decoder(tuple[kinds, ...])  # type: ignore[valid-type]
        self._records = msgspec.msgpack.Decoder(list[Record])
        self._raw = msgspec.msgpack.Decoder(list[msgspec.Raw])

    def encode(self, decisions: Sequence[Decision[Event]]) -> bytes:
        """`decisions` as one msgpack array of records, encrypted as a whole or not."""
        packed = self._packed(decisions)
        return packed if self._frames is None else self._frames.sealed(packed)

    def _packed(self, decisions: Sequence[Decision[Event]]) -> bytes:
        encode = self._encoder.encode
        if self._sealer is not None:
            sealed = self._sealer.stream
            for d in decisions:  # nearly always none of them: nothing else is paid for
                if d.stream == sealed:
                    return encode([self._row(each, self._sealer) for each in decisions])
        # A tuple is written as a `Record` is, and is made in a fifth of the time.
        return encode(
            [
                (
                    d.stream,
                    d.expected_version,
                    d.caused_by,
                    d.at,
                    d.refs_version,
                    len(d.events),
                    MSGPACK,
                    "",
                    encode(d.events),
                )
                for d in decisions
            ]
        )

    def with_sealer(self, sealer: Sealer) -> "Codec":
        return Codec(self._kinds, sealer, self._frames)

    def with_frames(self, frames: Frames) -> "Codec":
        return Codec(self._kinds, self._sealer, frames)

    def in_clear(self, stored: bytes | memoryview) -> bytes | memoryview:
        """Raises `Unavailable` where it is encrypted and the key is not here."""
        if not stored or stored[0] != _FRAME_BYTE:
            return stored
        if self._frames is None:
            raise Unavailable(
                "this journal is encrypted, and its key is not here: put back the house's keys"
            )
        return self._frames.opened(stored)

    def _row(self, d: Decision[Event], sealer: Sealer) -> tuple[object, ...]:
        unread = d.events[0]
        codec, key_id, payload = MSGPACK, "", self._encoder.encode(d.events)
        if isinstance(unread, Unread):
            codec, key_id, payload = SEALED, unread.key_id, unread.sealed
        elif d.stream == sealer.stream and (found := sealer.seal(d, payload)) is not None:
            codec, (key_id, payload) = SEALED, found
        head = (d.stream, d.expected_version, d.caused_by, d.at, d.refs_version, len(d.events))
        return (*head, codec, key_id, payload)

    def records(self, stored: bytes | memoryview) -> list[Record]:
        """The records of one `encode`, their events still packed: enough to index and to skip."""
        try:
            return self._records.decode(self.in_clear(stored))
        except _UNREADABLE as error:
            raise Corrupt(f"the journal holds no records here: {error}") from error

    def raw(self, stored: bytes | memoryview) -> list[msgspec.Raw]:
        """The same records as the bytes that they are, which are not copied."""
        try:
            return self._raw.decode(self.in_clear(stored))
        except _UNREADABLE as error:
            raise Corrupt(f"the journal holds no records here: {error}") from error

    def events(self, record: Record) -> tuple[Event, ...]:
        """Raises `Corrupt` for what this build cannot read: an older build on a newer journal."""
        payload = record.payload
        if record.codec != MSGPACK or record.key_id:
            if record.codec != SEALED:
                said = f"codec {record.codec}, key {record.key_id!r}"
                raise Corrupt(f"{said}: this build cannot read it")
            found = self._sealer.opened(record) if self._sealer is not None else None
            if found is None:
                return (Unread(record.key_id, record.payload),) * record.count
            payload = found
        try:
            return self._events.decode(payload)
        except _UNREADABLE as error:
            raise Corrupt(f"run the build that wrote this: {error}") from error

    def decode(self, stored: bytes | memoryview) -> list[Decision[Event]]:
        """What `encode` was given."""
        return [
            Decision(
                r.stream, r.expected_version, r.caused_by, r.at, r.refs_version, self.events(r)
            )
            for r in self.records(stored)
        ]
