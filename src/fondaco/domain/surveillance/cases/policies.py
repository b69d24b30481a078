"""An alert of the house's own FIX sessions goes to the case of its subject. Pure."""

from fondaco.domain.surveillance.cases.events import GatherAlert
from fondaco.domain.surveillance.cases.model import FIX_CASES
from fondaco.domain.surveillance.events import AlertRaised
from fondaco.kernel.event import Command, Entry, Instant, StreamId, message_id


def to_case(entry: Entry, at: Instant) -> tuple[tuple[StreamId, Command], ...]:
    event: AlertRaised = entry.event  # type: ignore[assignment]
    gather = GatherAlert(
        message_id(entry.stream, entry.version),
        at,
        event.alert,
        event.pattern,
        event.title,
        event.severity,
        event.subject,
        event.session,
        event.last_at,
    )
    return ((FIX_CASES, gather),)
