"""Cutting a stream of bytes into messages. Sans I/O: whoever has a socket feeds it.

After `8=…` and `9=N` come N bytes, and then everything up to the next trailer: a length that is too
long swallows the message behind it, as the protocol's acceptance tests ask for. Any split of a
stream gives the same frames.
"""

import re
from typing import Final

from fondaco.domain.fix.model import Frame

MAX_LENGTH: Final = 1 << 24  # bytes of a body; more is a mistake or an attack
MAX_JUNK: Final = 1 << 16  # bytes in which a message must begin, and a trailer follow a body
_BEGIN_MAX: Final = 32  # bytes from 8= to its SOH
# A message begins with 8= where that is no end of another tag, such as 58= or 108=.
_BEGIN: Final = re.compile(rb"(?<![0-9])8=")
_LENGTH: Final = re.compile(rb"9=([0-9]{1,9})\x01")
_LENGTH_BEGUN: Final = re.compile(rb"9=[0-9]{0,9}|9?")


class Framer:
    """Keeps what came of a message that is not complete yet."""

    def __init__(self, max_length: int = MAX_LENGTH) -> None:
        self._held = bytearray()
        self._max = max_length
        self._wanted = 0  # bytes without which there is nothing new to be seen

    @property
    def held(self) -> int:
        """Bytes that wait for more."""
        return len(self._held)

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that `chunk` completes, in order; what is no message is a garbled one."""
        held = self._held
        held += chunk
        frames: list[Frame] = []
        if len(held) < self._wanted:
            return frames
        self._wanted = at = 0
        while at < len(held):
            stop = self._frame(held, at, frames)
            if stop < 0:
                break
            at = stop
        del held[:at]
        return frames

    def rest(self) -> list[Frame]:
        """What was never completed, at the end of the stream."""
        held, self._held, self._wanted = bytes(self._held), bytearray(), 0
        return [Frame(held, "the stream ends within a message")] if held else []

    def _frame(self, held: bytearray, at: int, frames: list[Frame]) -> int:
        """Add the frame at `at`; gives where the next begins, or -1 where bytes are missing."""
        if not held.startswith(b"8=", at):
            return self._junk(held, at, frames)
        begun = held.find(b"\x01", at, at + _BEGIN_MAX)
        if begun < 0:
            if len(held) - at < _BEGIN_MAX:
                return -1
            return _garbled(held, at, at + 2, frames, "BeginString does not end")
        length = _LENGTH.match(held, begun + 1)
        if length is None:
            if _LENGTH_BEGUN.fullmatch(held, begun + 1):
                return -1
            return _garbled(held, at, begun + 1, frames, "BodyLength is not a number behind 8=")
        if int(length[1]) > self._max:
            said = f"BodyLength is {int(length[1])}; the limit is {self._max}"
            return _garbled(held, at, length.end(), frames, said)
        body_stop = length.end() + int(length[1])
        if len(held) < body_stop:
            self._wanted = body_stop - at
            return -1
        trailer = held.find(b"\x0110=", body_stop - 1)
        stop = held.find(b"\x01", trailer + 4) + 1 if trailer >= 0 else 0
        limit = body_stop + MAX_JUNK
        if stop and stop <= limit:
            frames.append(Frame(bytes(held[at:stop])))
            return stop
        if stop or len(held) > limit:
            return _garbled(held, at, length.end(), frames, "there is no trailer behind the body")
        return -1

    def _junk(self, held: bytearray, at: int, frames: list[Frame]) -> int:
        """Bytes where a message should begin, up to where one does."""
        begin = _BEGIN.search(held, at, at + MAX_JUNK + 1)
        if begin is not None:
            return _garbled(held, at, begin.start(), frames, "bytes before BeginString")
        if len(held) - at <= MAX_JUNK:
            return -1
        return _garbled(held, at, at + MAX_JUNK, frames, "bytes that are no message")


def _garbled(held: bytearray, at: int, stop: int, frames: list[Frame], why: str) -> int:
    frames.append(Frame(bytes(held[at:stop]), why))
    return stop
