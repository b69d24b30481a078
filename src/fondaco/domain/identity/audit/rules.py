"""The law of the audit: what is noted is written down as it was noted. Pure."""

from typing import Final

import msgspec

from fondaco.domain.identity.audit.events import AuditEvent, NoteAudit
from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.event import StreamId


class Noted(msgspec.Struct):
    count: int = 0


def initial(_: StreamId) -> Noted:
    return Noted()


def decide(_: Noted, command: NoteAudit, __: Refs) -> tuple[AuditEvent, ...]:
    return command.noted


def evolve(state: Noted, _: AuditEvent) -> Noted:
    state.count += 1
    return state


decider: Final = Decider(initial, decide, evolve, Noted)
