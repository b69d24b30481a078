"""Four eyes present themselves to app.py: the stream of each tenant, and what may be asked."""

from typing import Final, get_args

from fondaco.domain.identity.approvals import agents_api, lending_api
from fondaco.domain.identity.approvals.api import OPERATIONS
from fondaco.domain.identity.approvals.events import ApprovalEvent
from fondaco.domain.identity.approvals.model import PREFIX
from fondaco.domain.identity.approvals.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(
    name="approvals",
    prefix=PREFIX,
    decider=decider,
    operations=(*OPERATIONS, *agents_api.OPERATIONS, *lending_api.OPERATIONS),
    kinds=get_args(ApprovalEvent),
)
