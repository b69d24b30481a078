"""The identity room as app.py sees it. Its operations are given a `Directory`."""

from typing import Final

from fondaco.domain.identity import api, sessions
from fondaco.domain.identity.events import (
    KeyCreated,
    KeyRevoked,
    RolesChanged,
    TenantCreated,
    UserCreated,
)
from fondaco.domain.identity.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(
    name="identity",
    prefix="identity/",
    decider=decider,
    operations=(*api.OPERATIONS, *sessions.OPERATIONS),
    kinds=(TenantCreated, UserCreated, RolesChanged, KeyCreated, KeyRevoked),
)
