"""Messages as evidence: exact by their hash, readable without the secrets in them."""

from hashlib import sha256
from typing import Final

from fondaco.domain.fix.api import Sighting
from fondaco.domain.surveillance.model import Evidence

# Password, NewPassword, RawData (signatures), EncryptedPassword, EncryptedNewPassword, Signature.
SECRETS: Final = frozenset({b"554", b"925", b"96", b"1402", b"1404", b"89"})
TEXT_MAX: Final = 2000


def masked(raw: bytes) -> str:
    """A message with | for SOH, its secrets as ***, and what cannot be printed escaped."""
    shown = []
    for field in raw.rstrip(b"\x01").split(b"\x01"):
        tag, equals, value = field.partition(b"=")
        hidden = b"***" if tag.lstrip(b"0+ ") in SECRETS else value
        shown.append((tag + equals + hidden).decode("latin-1"))
    text = "|".join(shown)
    return "".join(
        each if " " <= each <= "~" or each > "\xa0" else f"\\x{ord(each):02x}"
        for each in text[:TEXT_MAX]
    )


def evidence_of(seen: Sighting, file: str) -> Evidence:
    flow = seen.half.flow
    return Evidence(
        file=file,
        offset=seen.offset,
        at=seen.at,
        connection=f"{seen.half.endpoint} → {flow.ends[1 - seen.half.side]}",
        sender=seen.sender.decode("latin-1"),
        seq=seen.seq,
        msg_type=seen.msg_type,
        text=masked(seen.raw),
        sha256=sha256(seen.raw).hexdigest(),
    )
