"""Messages without their secrets, each as long as it was."""

from re import compile as compile_
from typing import Final

from fondaco.domain.fix.message import loose
from fondaco.domain.fix.search.model import SECRET

# However oddly a tag is written.
_FOUND: Final = compile_(
    rb"(\x01[0+ ]*(?:%s)=)([^\x01]*)" % b"|".join(b"%d" % tag for tag in sorted(SECRET))
)


def redacted(raw: bytes) -> bytes:
    """Passwords and signatures are starred out (554, 925, 96, 1402, 1404, 89), SOH in them too.
    A checksum that was right is right again; anything else is as it came."""
    if not _FOUND.search(raw):
        return raw
    hidden = bytearray(_FOUND.sub(lambda found: found[1] + b"*" * len(found[2]), raw))
    message = loose(raw)
    for at, tag in enumerate(message.tags()):
        if tag in SECRET:
            start, stop = message.span_at(at)
            hidden[start:stop] = b"*" * (stop - start)
    trailer = raw.rfind(b"\x0110=") + 1
    if trailer and raw[trailer:] == b"10=%03d\x01" % (sum(raw[:trailer]) % 256):
        hidden[trailer:] = b"10=%03d\x01" % (sum(hidden[:trailer]) % 256)
    return bytes(hidden)
