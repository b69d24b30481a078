"""What the house is told of by those who watch it."""

from typing import TypeAlias

from fondaco.kernel.event import Event, Instant


class AlertRaised(Event, frozen=True, gc=False, tag="surveillance.alert_raised.v1"):
    """Something was found; again where it became more severe. `evidence` are ids of messages."""

    alert: str
    pattern: str  # "F01" …
    title: str
    severity: str  # "low", "medium", "high" or "critical"
    subject: str
    session: str
    reason: str
    attack: tuple[str, ...]  # techniques of MITRE ATT&CK
    first_at: Instant
    last_at: Instant
    evidence: tuple[str, ...]


AlertEvent: TypeAlias = AlertRaised
