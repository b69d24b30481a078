"""Policies present themselves to app.py: a stream for each tenant, and what may be asked."""

from typing import Final, get_args

from fondaco.domain.identity.policy.api import OPERATIONS
from fondaco.domain.identity.policy.events import PolicyEvent
from fondaco.domain.identity.policy.model import PREFIX
from fondaco.domain.identity.policy.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(
    name="policies",
    prefix=PREFIX,
    decider=decider,
    operations=OPERATIONS,
    kinds=get_args(PolicyEvent),
)
