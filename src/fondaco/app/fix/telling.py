"""Alerts of a house in the form in which an audit shows its own."""

from typing import Any

import msgspec

from fondaco.domain.surveillance.store import Recorded


def plain(found: Recorded) -> dict[str, Any]:
    return {
        "id": found.alert,
        "pattern": found.pattern,
        "title": found.title,
        "severity": found.severity.name.lower(),
        "subject": found.subject,
        "session": found.session,
        "reason": found.reason,
        "count": found.count,
        "attack": found.attack,
        "first_at": found.first_at,
        "last_at": found.last_at,
        "evidence": [msgspec.to_builtins(proof.evidence) for proof in found.proofs],
    }
