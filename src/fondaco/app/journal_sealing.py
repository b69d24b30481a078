"""What the journal says of a person is sealed under that person's key.

Hashes and proofs are over what is kept, so they hold after the key was destroyed; and every backup
of the journal forgets the person with it. Other streams name accounts, and nobody.
"""

from threading import Lock
from typing import Final

from fondaco.app.files import Files
from fondaco.app.kinds import CODEC
from fondaco.app.secrets import open_keys, open_ring
from fondaco.domain.identity.model import IDENTITY_STREAM
from fondaco.domain.identity.subjects.keys import Forgotten, SubjectKeys, person
from fondaco.kernel.codec import Codec, Record
from fondaco.kernel.errors import Unavailable
from fondaco.kernel.event import Decision, Event, StreamId


class PersonSealer:
    """Opens the ring of its directory when it first needs it."""

    stream: Final[StreamId] = IDENTITY_STREAM

    def __init__(self, files: Files) -> None:
        self._files = files
        self._lock = Lock()
        self._keys: SubjectKeys | None = None

    def seal(self, decision: Decision[Event], packed: bytes) -> tuple[str, bytes] | None:
        subjects = {_subject(event) for event in decision.events}
        subject = subjects.pop()
        if subjects or not subject:
            return None
        keys = self._opened()
        about = _about(decision.stream, decision.expected_version)
        found = keys.seal(packed, about, subject, same=True)
        return keys.key_of(subject)[0], found

    def opened(self, record: Record) -> bytes | None:
        about = _about(record.stream, record.expected_version)
        try:
            return self._opened().unseal(record.payload, about)
        except (Forgotten, Unavailable):  # a house that was restored without its keys serves, too
            return None

    def _opened(self) -> SubjectKeys:
        with self._lock:
            if self._keys is None:
                self._keys = open_keys(self._files, open_ring(self._files))
            return self._keys


def _about(stream: StreamId, version: int) -> str:
    return f"{stream}@{version}"


def _subject(event: Event) -> str:
    """Of events that name a user; "" for others."""
    tenant, user = getattr(event, "tenant", ""), getattr(event, "user", "")
    return person(tenant, user) if tenant and user else ""


def sealing_codec(files: Files) -> Codec:
    return CODEC.with_sealer(PersonSealer(files))
