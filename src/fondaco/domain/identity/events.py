"""What the records of this room tell the journal: who may do what since when, and no secrets."""

from typing import TypeAlias

from fondaco.kernel.event import Event, Instant


class TenantCreated(Event, frozen=True, gc=False, tag="identity.tenant_created.v1"):
    tenant: str


class UserCreated(Event, frozen=True, gc=False, tag="identity.user_created.v1"):
    """`user` is a name chosen for the purpose; what identifies a person stays in the records."""

    tenant: str
    user: str
    roles: tuple[str, ...]


class RolesChanged(Event, frozen=True, gc=False, tag="identity.roles_changed.v1"):
    tenant: str
    user: str
    roles: tuple[str, ...]


class KeyCreated(Event, frozen=True, gc=False, tag="identity.key_created.v1"):
    key_id: str
    tenant: str
    user: str
    name: str
    scopes: tuple[str, ...]
    accounts: tuple[str, ...] | None
    expires_at: Instant | None
    by: str  # the caller, or the operator at the machine


class KeyRevoked(Event, frozen=True, gc=False, tag="identity.key_revoked.v1"):
    key_id: str
    tenant: str
    by: str


IdentityEvent: TypeAlias = TenantCreated | UserCreated | RolesChanged | KeyCreated | KeyRevoked
