"""The identity room as app.py sees it. Its operations are given a `Directory`."""

from typing import Final, get_args

from fondaco.domain.identity import api, sessions
from fondaco.domain.identity.erasure import api as erasure
from fondaco.domain.identity.erasure import own_api as own_data
from fondaco.domain.identity.events import IdentityEvent
from fondaco.domain.identity.kyc import api as kyc
from fondaco.domain.identity.kyc import review_api as review
from fondaco.domain.identity.oidc import api as oidc
from fondaco.domain.identity.oidc import foreign_api
from fondaco.domain.identity.people import admin_api as looking_after
from fondaco.domain.identity.people import api as people
from fondaco.domain.identity.people import device_api as devices
from fondaco.domain.identity.people import passkey_api as passkeys
from fondaco.domain.identity.rules import decider
from fondaco.domain.identity.vault import api as vault
from fondaco.runtime.room import Room

room: Final = Room(
    name="identity",
    prefix="identity/",
    decider=decider,
    operations=(
        *api.OPERATIONS,
        *sessions.OPERATIONS,
        *people.OPERATIONS,
        *looking_after.OPERATIONS,
        *passkeys.OPERATIONS,
        *devices.OPERATIONS,
        *oidc.OPERATIONS,
        *foreign_api.OPERATIONS,
        *erasure.OPERATIONS,
        *own_data.OPERATIONS,
        *kyc.OPERATIONS,
        *review.OPERATIONS,
        *vault.OPERATIONS,
    ),
    kinds=get_args(IdentityEvent),
)
