"""The messages that prove an alert, as they are kept, for somebody outside the house."""

from base64 import b64encode
from hashlib import sha256

import sqlalchemy as sa

from fondaco.app.fix.evidence import as_packets
from fondaco.domain.fix.store import messages as kept
from fondaco.domain.surveillance.looking import AlertReply, EvidenceReply, Exhibit


def evidence_of(conn: sa.Connection, shown: AlertReply) -> EvidenceReply:
    """Each message of the alert's evidence that the store still has, in order of time."""
    exhibits: list[Exhibit] = []
    said: list[tuple[int, int, bytes]] = []
    for each in sorted(shown.evidence, key=lambda each: each.at):
        id = kept.id_named(each.message) if each.message else -1
        found = kept.one(conn, id) if id >= 0 else None
        content = None
        if found is not None:
            content = b64encode(found.raw).decode()
            said.append((found.at, 0 if found.direction == "in" else 1, found.raw))
        direction = None if found is None else found.direction
        digest = each.sha256 if found is None else sha256(found.raw).hexdigest()
        exhibits.append(Exhibit(each.message, each.at, each.connection, direction, digest, content))
    capture = as_packets(said)[0] if said else b""
    return EvidenceReply(
        alert=shown,
        exhibits=exhibits,
        missing=sum(each.content is None for each in exhibits),
        name=f"{shown.id}.pcap",
        content=b64encode(capture).decode(),
        octets=len(capture),
        sha256=sha256(capture).hexdigest(),
    )
