"""Webhooks and notices present themselves to app.py: a stream a tenant, and what may be asked."""

from typing import Final, get_args

from fondaco.domain.notify.api import OPERATIONS
from fondaco.domain.notify.events import WebhookEvent
from fondaco.domain.notify.model import PREFIX
from fondaco.domain.notify.notices.api import OPERATIONS as NOTICES
from fondaco.domain.notify.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(
    name="webhooks",
    prefix=PREFIX,
    decider=decider,
    operations=(*OPERATIONS, *NOTICES),
    kinds=get_args(WebhookEvent),
)
