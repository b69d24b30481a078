"""What the records of this room tell the journal: who may do what since when, and no secrets."""

from typing import TypeAlias

from fondaco.domain.identity.kyc.events import KycEvent
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


class KeyTermsSet(Event, frozen=True, gc=False, tag="identity.key_terms_set.v1"):
    """How a key may be used. `networks` is how many there are, 0 for anywhere: which, the records
    know, since an address may be a person's. `signing` is "" for a bearer token."""

    key_id: str
    tenant: str
    networks: int
    signing: str


class KeyRotated(Event, frozen=True, gc=False, tag="identity.key_rotated.v1"):
    """`key_id` is good until `ends_at`; `new_key_id` has taken its place."""

    key_id: str
    new_key_id: str
    tenant: str
    ends_at: Instant
    by: str


class MachineCreated(Event, frozen=True, gc=False, tag="identity.machine_created.v1"):
    """A user who is a machine, has no password, and whose keys `owner` makes."""

    tenant: str
    user: str
    owner: str
    by: str


class KeyRevoked(Event, frozen=True, gc=False, tag="identity.key_revoked.v1"):
    key_id: str
    tenant: str
    by: str


class PersonRegistered(Event, frozen=True, gc=False, tag="identity.person_registered.v1"):
    """Somebody who signs in. Their name and address are in the records alone, sealed."""

    tenant: str
    user: str


class PersonVerified(Event, frozen=True, gc=False, tag="identity.person_verified.v1"):
    """`by` is "code", of the message that was sent to them, or "operator"."""

    tenant: str
    user: str
    by: str


class PasswordChanged(Event, frozen=True, gc=False, tag="identity.password_changed.v1"):
    tenant: str
    user: str
    by: str


class SecondFactorSet(Event, frozen=True, gc=False, tag="identity.second_factor_set.v1"):
    """`kind` is "totp", or "" where there is none any more."""

    tenant: str
    user: str
    kind: str


class RecoveryCodeUsed(Event, frozen=True, gc=False, tag="identity.recovery_code_used.v1"):
    tenant: str
    user: str
    left: int


class SessionBegun(Event, frozen=True, gc=False, tag="identity.session_begun.v1"):
    """Somebody has signed in. `second_factor` is "totp", "recovery" or ""."""

    tenant: str
    user: str
    session_id: str
    second_factor: str


class DeviceAdded(Event, frozen=True, gc=False, tag="identity.device_added.v1"):
    """Somebody who has signed in from another device before did from one that is new."""

    tenant: str
    user: str
    session_id: str


class SessionEnded(Event, frozen=True, gc=False, tag="identity.session_ended.v1"):
    tenant: str
    user: str
    session_id: str
    by: str


class SignInHeldUp(Event, frozen=True, gc=False, tag="identity.sign_in_held_up.v1"):
    """So many wrong passwords or codes that whoever tries must wait; told at the first wait."""

    tenant: str
    user: str


class PersonErased(Event, frozen=True, gc=False, tag="identity.person_erased.v1"):
    """Somebody was forgotten. `subject` is the SHA-256 of what their key was called."""

    tenant: str
    subject: str
    by: str


class LegalHoldPlaced(Event, frozen=True, gc=False, tag="identity.legal_hold_placed.v1"):
    """Nothing of this user is destroyed until then. Why is in the records."""

    tenant: str
    user: str
    until: Instant
    by: str


class LegalHoldLifted(Event, frozen=True, gc=False, tag="identity.legal_hold_lifted.v1"):
    tenant: str
    user: str
    by: str


class PersonInvited(Event, frozen=True, gc=False, tag="identity.person_invited.v1"):
    """Somebody may choose a password of their own until then, by a link that is good once."""

    tenant: str
    user: str
    until: Instant
    by: str


class InvitationWithdrawn(Event, frozen=True, gc=False, tag="identity.invitation_withdrawn.v1"):
    tenant: str
    user: str
    by: str


class PersonLocked(Event, frozen=True, gc=False, tag="identity.person_locked.v1"):
    """Every door refuses them from here on."""

    tenant: str
    user: str
    reason: str
    by: str


class PersonUnlocked(Event, frozen=True, gc=False, tag="identity.person_unlocked.v1"):
    tenant: str
    user: str
    reason: str
    by: str


class SecondFactorReset(Event, frozen=True, gc=False, tag="identity.second_factor_reset.v1"):
    """Their codes and passkeys are gone: a password alone signs them in. `agreed` is the user who
    agreed to what `by` has asked, "" where nobody had to."""

    tenant: str
    user: str
    by: str
    agreed: str


class DeletionAsked(Event, frozen=True, gc=False, tag="identity.deletion_asked.v1"):
    """Somebody has asked to be forgotten themselves; `approval_id` is where it waits."""

    tenant: str
    user: str
    approval_id: str


class PersonExported(Event, frozen=True, gc=False, tag="identity.person_exported.v1"):
    """Somebody was given all that the house keeps of them: SHA-256 of what they got."""

    tenant: str
    user: str
    sha256: str
    by: str


class PasskeyAdded(Event, frozen=True, gc=False, tag="identity.passkey_added.v1"):
    """`passkey` is a hash of its id, which could tell that a person is known elsewhere, too."""

    tenant: str
    user: str
    passkey: str


class PasskeyRemoved(Event, frozen=True, gc=False, tag="identity.passkey_removed.v1"):
    tenant: str
    user: str
    passkey: str
    by: str


class ClientRegistered(Event, frozen=True, gc=False, tag="identity.client_registered.v1"):
    """An application that may ask for access, with what it may ask for. `machine` is the service
    account in whose name it asks by itself, ""; `by` is "" where it has registered itself."""

    client_id: str
    tenant: str
    scopes: tuple[str, ...]
    machine: str
    is_public: bool
    by: str


class ClientRemoved(Event, frozen=True, gc=False, tag="identity.client_removed.v1"):
    client_id: str
    tenant: str
    by: str


class AccessGranted(Event, frozen=True, gc=False, tag="identity.access_granted.v1"):
    """A user has agreed that a client may do this in their name."""

    grant_id: str
    client_id: str
    tenant: str
    user: str
    scopes: tuple[str, ...]


class AccessRevoked(Event, frozen=True, gc=False, tag="identity.access_revoked.v1"):
    """`by` is a caller, "client", or which token came a second time, so that somebody has stolen
    it."""

    grant_id: str
    by: str


class SigningKeyRotated(Event, frozen=True, gc=False, tag="identity.signing_key_rotated.v1"):
    """From now on tokens are signed with `kid`. `by` is a caller, "age" or "first"."""

    kid: str
    alg: str
    by: str


class AccountOwnerSet(Event, frozen=True, gc=False, tag="identity.account_owner_set.v1"):
    """An account belongs to a user from here on, or no longer."""

    tenant: str
    user: str
    account: str
    is_owner: bool
    by: str


class DeviceTrusted(Event, frozen=True, gc=False, tag="identity.device_trusted.v1"):
    """A device of a user is trusted up to then; whoever said so has shown a second factor."""

    tenant: str
    user: str
    device_id: str
    until: Instant
    by: str


class DeviceForgotten(Event, frozen=True, gc=False, tag="identity.device_forgotten.v1"):
    tenant: str
    user: str
    device_id: str
    by: str


class PayoutDestinationSet(Event, frozen=True, gc=False, tag="identity.payout_destination_set.v1"):
    """Somebody is paid elsewhere from now on; where, is in the records alone, sealed."""

    tenant: str
    user: str
    provider: str
    by: str


IdentityEvent: TypeAlias = (
    KycEvent
    | PayoutDestinationSet
    | TenantCreated
    | UserCreated
    | RolesChanged
    | KeyCreated
    | KeyTermsSet
    | KeyRotated
    | MachineCreated
    | KeyRevoked
    | PersonRegistered
    | PersonVerified
    | PasswordChanged
    | SecondFactorSet
    | RecoveryCodeUsed
    | SessionBegun
    | DeviceAdded
    | SessionEnded
    | SignInHeldUp
    | PersonErased
    | LegalHoldPlaced
    | LegalHoldLifted
    | PersonInvited
    | InvitationWithdrawn
    | PersonLocked
    | PersonUnlocked
    | SecondFactorReset
    | DeletionAsked
    | PersonExported
    | PasskeyAdded
    | PasskeyRemoved
    | ClientRegistered
    | ClientRemoved
    | AccessGranted
    | AccessRevoked
    | SigningKeyRotated
    | AccountOwnerSet
    | DeviceTrusted
    | DeviceForgotten
)
