"""Who was not let in, on the tape: the detectors see them, and nobody can fill a disk by knocking.

All of them stand under one source, each as a connection with what it said first and its end. That
is enough for who guesses passwords (F01) or names (F02), or comes from elsewhere (F04).
"""

from collections.abc import Callable
from typing import Final

import msgspec

from fondaco.gateway.fix.ends import Ends
from fondaco.gateway.fix.keeping import CONNECTED, ENDED, RECEIVED, FlushedTape, without_secrets
from fondaco.kernel.event import Instant

SOURCE: Final = "refused"
OCTETS_MAX: Final = 4_096  # of what they said
A_MINUTE_MAX: Final = 300  # further ones are counted, and not written down
_MINUTE: Final = 60_000_000_000


class Refusals:
    """Belongs to the loop's thread."""

    def __init__(
        self, tape: FlushedTape, now: Callable[[], int], say: Callable[[str], None]
    ) -> None:
        self._tape, self._now, self._say = tape, now, say
        self._minute, self._count = 0, 0

    def __call__(self, ends: Ends, raw: bytes, reason: str) -> None:
        at = self._now()
        if at // _MINUTE != self._minute:
            if self._count > A_MINUTE_MAX:
                more = self._count - A_MINUTE_MAX
                self._say(f"FIX: {more} more were not let in within a minute; they are not kept")
            self._minute, self._count = at // _MINUTE, 0
        self._count += 1
        if self._count > A_MINUTE_MAX:
            return
        said = without_secrets(raw)[:OCTETS_MAX]
        frames = [CONNECTED + msgspec.json.encode(ends), RECEIVED + said, ENDED]
        self._tape.append_all(SOURCE, Instant(at), frames)
