"""Interface description blocks of pcapng: link type, and what a tick of its clock is."""

from typing import Final

import msgspec

_RESOLUTION: Final = 9
_OFFSET: Final = 14


class Interface(msgspec.Struct, frozen=True):
    """`numerator / denominator` nanoseconds a tick; `offset_s` is added, in seconds."""

    link: int
    numerator: int = 1000
    denominator: int = 1
    offset_s: int = 0

    def nanoseconds(self, ticks: int) -> int:
        return ticks * self.numerator // self.denominator + self.offset_s * 1_000_000_000


def interface_of(body: bytes, big: bool) -> Interface:
    """Read a block's body: link type, snap length and options."""
    order = "big" if big else "little"
    link = int.from_bytes(body[0:2], order)  # type: ignore[arg-type]
    numerator, denominator, offset = 1000, 1, 0
    i = 8
    while i + 4 <= len(body):
        code = int.from_bytes(body[i : i + 2], order)  # type: ignore[arg-type]
        size = int.from_bytes(body[i + 2 : i + 4], order)  # type: ignore[arg-type]
        value = body[i + 4 : i + 4 + size]
        if code == _RESOLUTION and value:
            base, power = (2, value[0] & 0x7F) if value[0] & 0x80 else (10, value[0])
            numerator, denominator = 1_000_000_000, base**power
        elif code == _OFFSET:
            offset = int.from_bytes(value, order, signed=True)  # type: ignore[arg-type]
        elif code == 0:
            break
        i += 4 + size + (-size % 4)
    return Interface(link, numerator, denominator, offset)
