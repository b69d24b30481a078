"""The audit presents itself to app.py: a stream for each tenant, and what may be asked."""

from typing import Final, get_args

from fondaco.domain.identity.audit.api import OPERATIONS
from fondaco.domain.identity.audit.events import AuditEvent
from fondaco.domain.identity.audit.model import PREFIX
from fondaco.domain.identity.audit.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(
    name="audit",
    prefix=PREFIX,
    decider=decider,
    operations=OPERATIONS,
    kinds=get_args(AuditEvent),
)
