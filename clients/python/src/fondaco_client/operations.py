"""Made by `make clients` from the OpenAPI document; do not edit.

OpenAPI sha256 d986996b1da95a538d88ad431f0210d134872d65b031760c09047064147c260c
"""

from __future__ import annotations

import builtins
from typing import Any, Literal

from fondaco_client import models as m
from fondaco_client.asking import ABSENT, Asking


class Identity:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def list_keys(
        self,
    ) -> m.Keys:
        """List your API keys, without their tokens; an admin sees the tenant's. Scope: keys:write.
        """
        found: m.Keys = self._ask(
            "GET",
            "/api/keys",
        )
        return found

    def create_key(
        self,
        *,
        name: str,
        idempotency_key: str = ABSENT,
        scopes: list[m.Scope] | None = ABSENT,
        accounts: list[str] | None = ABSENT,
        expires_at: int | None = ABSENT,
        networks: list[str] = ABSENT,
        signing: Literal['', 'ed25519', 'hmac-sha256'] = ABSENT,
        public_key: str = ABSENT,
        user: str | None = ABSENT,
    ) -> m.CreatedKey:
        """Make an API key for yourself; its token is shown this once. Scope: keys:write."""
        found: m.CreatedKey = self._ask(
            "POST",
            "/api/keys",
            body={"name": name, "scopes": scopes, "accounts": accounts, "expires_at": expires_at, "networks": networks, "signing": signing, "public_key": public_key, "user": user},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def rotate_key(
        self,
        *,
        key_id: str,
        idempotency_key: str = ABSENT,
        name: str | None = ABSENT,
        grace_s: int = ABSENT,
        networks: list[str] | None = ABSENT,
        public_key: str = ABSENT,
    ) -> m.CreatedKey:
        """Make a key in place of one of yours, which stays good for a time of grace. Scope:
        keys:write.
        """
        found: m.CreatedKey = self._ask(
            "POST",
            "/api/keys/{key_id}/rotate",
            path_={"key_id": key_id},
            body={"name": name, "grace_s": grace_s, "networks": networks, "public_key": public_key},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def revoke_key(
        self,
        *,
        key_id: str,
        idempotency_key: str = ABSENT,
    ) -> m.RevokedKey:
        """Refuse an API key from now on. Scope: keys:write."""
        found: m.RevokedKey = self._ask(
            "DELETE",
            "/api/keys/{key_id}",
            path_={"key_id": key_id},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def service_accounts(
        self,
    ) -> m.Machines:
        """The tenant's service accounts, and who makes their keys. Scope: keys:write."""
        found: m.Machines = self._ask(
            "GET",
            "/api/service-accounts",
        )
        return found

    def create_service_account(
        self,
        *,
        user: str,
        roles: list[m.Role],
        reason: str,
        idempotency_key: str = ABSENT,
        owner: str | None = ABSENT,
    ) -> m.Machine:
        """Add a user who is a machine: no password, and keys that its owner makes. Scope:
        house:write.
        """
        found: m.Machine = self._ask(
            "POST",
            "/api/service-accounts",
            body={"user": user, "roles": roles, "reason": reason, "owner": owner},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def issue_ticket(
        self,
        *,
        idempotency_key: str = ABSENT,
    ) -> m.Ticket:
        """Get a ticket that opens one WebSocket within 30 seconds (?ticket=…). Scope: market:read.
        """
        found: m.Ticket = self._ask(
            "POST",
            "/api/tickets",
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def welcome(
        self,
    ) -> m.Welcome:
        """Say which house this is, before anybody has signed in."""
        found: m.Welcome = self._ask(
            "GET",
            "/api/welcome",
        )
        return found

    def session(
        self,
    ) -> m.SessionReply:
        """Say who you are here: user, tenant, scopes and accounts of your key. Scope: market:read.
        """
        found: m.SessionReply = self._ask(
            "GET",
            "/api/session",
        )
        return found

    def preference(
        self,
        *,
        name: str,
    ) -> m.PreferenceReply:
        """Read what you keep here under a name: layouts and settings of a page. Scope:
        market:read.
        """
        found: m.PreferenceReply = self._ask(
            "GET",
            "/api/preferences/{name}",
            path_={"name": name},
        )
        return found

    def set_preference(
        self,
        *,
        name: str,
        value: dict[str, Any],
        idempotency_key: str = ABSENT,
    ) -> m.PreferenceReply:
        """Keep something of yours under a name, such as the layout of a page. Scope: market:read.
        """
        found: m.PreferenceReply = self._ask(
            "PUT",
            "/api/preferences/{name}",
            path_={"name": name},
            body={"value": value},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def users(
        self,
    ) -> m.UsersReply:
        """The tenant's users, and what they may do. Scope: house:read."""
        found: m.UsersReply = self._ask(
            "GET",
            "/api/users",
        )
        return found

    def set_roles(
        self,
        *,
        user: str,
        roles: list[m.Role],
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.UserShown:
        """Say what a user is in the house. Scope: house:write."""
        found: m.UserShown = self._ask(
            "PUT",
            "/api/users/{user}/roles",
            path_={"user": user},
            body={"roles": roles, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def invite_person(
        self,
        *,
        user: str,
        email: str,
        idempotency_key: str = ABSENT,
        name: str = ABSENT,
        roles: list[m.Role] = ABSENT,
        reason: str = ABSENT,
        hours: int = ABSENT,
    ) -> m.InvitedReply:
        """Invite somebody: a link goes to their address, and they choose their own password.
        Scope: house:write.
        """
        found: m.InvitedReply = self._ask(
            "POST",
            "/api/users/invitations",
            body={"user": user, "email": email, "name": name, "roles": roles, "reason": reason, "hours": hours},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def withdraw_invitation(
        self,
        *,
        user: str,
        idempotency_key: str = ABSENT,
    ) -> m.UserShown:
        """Make an invitation good no more. Scope: house:write."""
        found: m.UserShown = self._ask(
            "DELETE",
            "/api/users/{user}/invitation",
            path_={"user": user},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def lock_person(
        self,
        *,
        user: str,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.UserShown:
        """Lock somebody out: sessions end, keys are refused, at every door and at once. Scope:
        house:write.
        """
        found: m.UserShown = self._ask(
            "POST",
            "/api/users/{user}/lock",
            path_={"user": user},
            body={"reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def unlock_person(
        self,
        *,
        user: str,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.UserShown:
        """Let somebody in again who is locked. Scope: house:write."""
        found: m.UserShown = self._ask(
            "POST",
            "/api/users/{user}/unlock",
            path_={"user": user},
            body={"reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def end_sessions(
        self,
        *,
        user: str,
        idempotency_key: str = ABSENT,
    ) -> m.SignedOutReply:
        """End every session of somebody, and what applications were given in their name. Scope:
        house:write.
        """
        found: m.SignedOutReply = self._ask(
            "POST",
            "/api/users/{user}/end-sessions",
            path_={"user": user},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def reset_second_factor(
        self,
        *,
        user: str,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.UserShown:
        """Take somebody's second factor away who has lost it; their sessions end. Scope:
        house:write.
        """
        found: m.UserShown = self._ask(
            "POST",
            "/api/users/{user}/second-factor/reset",
            path_={"user": user},
            body={"reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def devices(
        self,
        *,
        user: str,
    ) -> m.DevicesReply:
        """Devices that a user of the tenant has signed in with. Scope: house:read."""
        found: m.DevicesReply = self._ask(
            "GET",
            "/api/users/{user}/devices",
            path_={"user": user},
        )
        return found

    def trust_device(
        self,
        *,
        user: str,
        device_id: str,
        idempotency_key: str = ABSENT,
        code: str = ABSENT,
        days: int = ABSENT,
    ) -> m.DevicesReply:
        """Say that a user's device is trusted; it takes your own second factor. Scope:
        house:write.
        """
        found: m.DevicesReply = self._ask(
            "POST",
            "/api/users/{user}/devices/{device_id}/trust",
            path_={"user": user, "device_id": device_id},
            body={"code": code, "days": days},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def clients(
        self,
    ) -> m.Clients:
        """The tenant's applications. Scope: house:read."""
        found: m.Clients = self._ask(
            "GET",
            "/api/oauth-clients",
        )
        return found

    def register_client(
        self,
        *,
        name: str,
        scopes: list[m.Scope],
        idempotency_key: str = ABSENT,
        redirect_uris: list[str] = ABSENT,
        machine: str | None = ABSENT,
        is_public: bool = ABSENT,
    ) -> m.RegisteredClient:
        """Register an application that asks for access; its secret is shown this once. Scope:
        house:write.
        """
        found: m.RegisteredClient = self._ask(
            "POST",
            "/api/oauth-clients",
            body={"name": name, "scopes": scopes, "redirect_uris": redirect_uris, "machine": machine, "is_public": is_public},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def remove_client(
        self,
        *,
        client_id: str,
        idempotency_key: str = ABSENT,
    ) -> m.IdentityGone:
        """Remove an application; every token that it was given ends. Scope: house:write."""
        found: m.IdentityGone = self._ask(
            "DELETE",
            "/api/oauth-clients/{client_id}",
            path_={"client_id": client_id},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def rotate_signing_key(
        self,
        *,
        alg: Literal['ES256', 'EdDSA', 'RS256'],
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.RotatedSigningKey:
        """Sign tokens with a new key; the old one verifies for another day. Scope: house:write.
        """
        found: m.RotatedSigningKey = self._ask(
            "POST",
            "/api/oauth-keys/rotate",
            body={"alg": alg, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def erasure_plan(
        self,
        *,
        user: str,
    ) -> m.ErasurePlan:
        """What lies where of a person, what would go, and what must stay until when. Scope:
        house:read.
        """
        found: m.ErasurePlan = self._ask(
            "GET",
            "/api/users/{user}/erasure",
            path_={"user": user},
        )
        return found

    def erase_person(
        self,
        *,
        user: str,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.ErasurePlan:
        """Forget a person: destroy their key, and what is kept of them. Scope: house:write."""
        found: m.ErasurePlan = self._ask(
            "POST",
            "/api/users/{user}/erasure",
            path_={"user": user},
            body={"reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def hold_person(
        self,
        *,
        user: str,
        reason: str,
        until: int,
        idempotency_key: str = ABSENT,
    ) -> m.HoldReply:
        """Have nothing of a person destroyed until a day: a legal hold. Scope: house:write."""
        found: m.HoldReply = self._ask(
            "PUT",
            "/api/users/{user}/hold",
            path_={"user": user},
            body={"reason": reason, "until": until},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def lift_hold(
        self,
        *,
        user: str,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.HoldReply:
        """End a legal hold on a person. Scope: house:write."""
        found: m.HoldReply = self._ask(
            "POST",
            "/api/users/{user}/hold/lift",
            path_={"user": user},
            body={"reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def break_glass(
        self,
        *,
        user: str,
        reason: str,
        idempotency_key: str = ABSENT,
        minutes: int = ABSENT,
    ) -> m.LentReply:
        """In an emergency: ask in somebody else's name for some minutes; it is reviewed. Scope:
        house:write.
        """
        found: m.LentReply = self._ask(
            "POST",
            "/api/break-glass",
            body={"user": user, "reason": reason, "minutes": minutes},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def end_break_glass(
        self,
        *,
        approval_id: str,
        idempotency_key: str = ABSENT,
    ) -> m.GlassShown:
        """End it before its time: whoever asks so, in whose name, or who runs the house."""
        found: m.GlassShown = self._ask(
            "POST",
            "/api/break-glass/end",
            body={"approval_id": approval_id},
            header={"Idempotency-Key": idempotency_key},
        )
        return found


class Users:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def register(
        self,
        *,
        tenant: str,
        user: str,
        password: str,
        email: str,
        idempotency_key: str = ABSENT,
        name: str = ABSENT,
    ) -> m.SaidReply:
        """Register yourself; a message with a code goes to your address."""
        found: m.SaidReply = self._ask(
            "POST",
            "/api/users/register",
            body={"tenant": tenant, "user": user, "password": password, "email": email, "name": name},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def verify(
        self,
        *,
        tenant: str,
        user: str,
        code: str,
        idempotency_key: str = ABSENT,
    ) -> m.SaidReply:
        """Give the code that was sent to your address."""
        found: m.SaidReply = self._ask(
            "POST",
            "/api/users/verify",
            body={"tenant": tenant, "user": user, "code": code},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def login(
        self,
        *,
        tenant: str,
        user: str,
        password: str,
        idempotency_key: str = ABSENT,
        code: str = ABSENT,
        device: str = ABSENT,
        device_name: str = ABSENT,
        cookie: bool = ABSENT,
    ) -> m.LoginReply:
        """Sign in with a password, and a code where you have a second factor."""
        found: m.LoginReply = self._ask(
            "POST",
            "/api/users/login",
            body={"tenant": tenant, "user": user, "password": password, "code": code, "device": device, "device_name": device_name, "cookie": cookie},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def logout(
        self,
        *,
        idempotency_key: str = ABSENT,
    ) -> m.EndedReply:
        """End this session."""
        found: m.EndedReply = self._ask(
            "POST",
            "/api/users/logout",
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def password(
        self,
        *,
        old: str,
        new: str,
        idempotency_key: str = ABSENT,
    ) -> m.SaidReply:
        """Change your password; your other sessions end."""
        found: m.SaidReply = self._ask(
            "PUT",
            "/api/users/password",
            body={"old": old, "new": new},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def enrol_totp(
        self,
        *,
        password: str,
        idempotency_key: str = ABSENT,
    ) -> m.EnrolReply:
        """Begin a second factor: a secret for your authenticator, also as a picture."""
        found: m.EnrolReply = self._ask(
            "POST",
            "/api/users/totp",
            body={"password": password},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def confirm_totp(
        self,
        *,
        code: str,
        idempotency_key: str = ABSENT,
    ) -> m.RecoveryReply:
        """Confirm the second factor with a code; recovery codes are shown this once."""
        found: m.RecoveryReply = self._ask(
            "POST",
            "/api/users/totp/confirm",
            body={"code": code},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def remove_totp(
        self,
        *,
        password: str,
        code: str,
        idempotency_key: str = ABSENT,
    ) -> m.SaidReply:
        """Remove your second factor; it takes both."""
        found: m.SaidReply = self._ask(
            "POST",
            "/api/users/totp/remove",
            body={"password": password, "code": code},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def sessions(
        self,
    ) -> m.SignedInReply:
        """Where you are signed in, and whether you have a second factor."""
        found: m.SignedInReply = self._ask(
            "GET",
            "/api/users/sessions",
        )
        return found

    def end_session(
        self,
        *,
        session_id: str,
        idempotency_key: str = ABSENT,
    ) -> m.EndedReply:
        """End one of your sessions."""
        found: m.EndedReply = self._ask(
            "DELETE",
            "/api/users/sessions/{session_id}",
            path_={"session_id": session_id},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def end_other_sessions(
        self,
        *,
        idempotency_key: str = ABSENT,
    ) -> m.EndedReply:
        """End all your sessions but this one."""
        found: m.EndedReply = self._ask(
            "POST",
            "/api/users/sessions/end-others",
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def accept_invitation(
        self,
        *,
        tenant: str,
        user: str,
        code: str,
        password: str,
        idempotency_key: str = ABSENT,
    ) -> m.SaidReply:
        """Choose your password by the link that you were sent."""
        found: m.SaidReply = self._ask(
            "POST",
            "/api/users/invitations/accept",
            body={"tenant": tenant, "user": user, "code": code, "password": password},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def begin_passkey(
        self,
        *,
        password: str,
        idempotency_key: str = ABSENT,
    ) -> m.PasskeyAsked:
        """Begin a passkey: what a page hands to navigator.credentials.create."""
        found: m.PasskeyAsked = self._ask(
            "POST",
            "/api/users/passkeys/begin",
            body={"password": password},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def passkeys(
        self,
    ) -> m.PasskeysReply:
        """Your passkeys, and when each was used last."""
        found: m.PasskeysReply = self._ask(
            "GET",
            "/api/users/passkeys",
        )
        return found

    def add_passkey(
        self,
        *,
        handle: str,
        client_data_json: str,
        authenticator_data: str,
        public_key: str,
        idempotency_key: str = ABSENT,
        name: str = ABSENT,
    ) -> m.AddedPasskey:
        """Keep the passkey that an authenticator has made; recovery codes are shown this once.
        """
        found: m.AddedPasskey = self._ask(
            "POST",
            "/api/users/passkeys",
            body={"handle": handle, "client_data_json": client_data_json, "authenticator_data": authenticator_data, "public_key": public_key, "name": name},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def remove_passkey(
        self,
        *,
        passkey_id: str,
        password: str,
        idempotency_key: str = ABSENT,
    ) -> m.RemovedPasskey:
        """Remove one of your passkeys; it takes your password."""
        found: m.RemovedPasskey = self._ask(
            "POST",
            "/api/users/passkeys/remove",
            body={"passkey_id": passkey_id, "password": password},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def ask_passkey(
        self,
        *,
        idempotency_key: str = ABSENT,
    ) -> m.PasskeyAsked:
        """Begin to sign in with a passkey: what a page hands to navigator.credentials.get."""
        found: m.PasskeyAsked = self._ask(
            "POST",
            "/api/users/passkeys/ask",
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def passkey_login(
        self,
        *,
        handle: str,
        credential_id: str,
        client_data_json: str,
        authenticator_data: str,
        signature: str,
        idempotency_key: str = ABSENT,
        device_name: str = ABSENT,
        cookie: bool = ABSENT,
        device: str = ABSENT,
    ) -> m.LoginReply:
        """Sign in with a passkey alone."""
        found: m.LoginReply = self._ask(
            "POST",
            "/api/users/passkeys/login",
            body={"handle": handle, "credential_id": credential_id, "client_data_json": client_data_json, "authenticator_data": authenticator_data, "signature": signature, "device_name": device_name, "cookie": cookie, "device": device},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def devices(
        self,
    ) -> m.DevicesReply:
        """Devices that you have signed in with, and which of them you trust."""
        found: m.DevicesReply = self._ask(
            "GET",
            "/api/users/devices",
        )
        return found

    def trust_device(
        self,
        *,
        device_id: str,
        idempotency_key: str = ABSENT,
        code: str = ABSENT,
        days: int = ABSENT,
    ) -> m.DevicesReply:
        """Say that you trust one of your devices; it takes your second factor."""
        found: m.DevicesReply = self._ask(
            "POST",
            "/api/users/devices/{device_id}/trust",
            path_={"device_id": device_id},
            body={"code": code, "days": days},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def forget_device(
        self,
        *,
        device_id: str,
        idempotency_key: str = ABSENT,
    ) -> m.ForgottenReply:
        """Forget one of your devices; sessions on it end."""
        found: m.ForgottenReply = self._ask(
            "DELETE",
            "/api/users/devices/{device_id}",
            path_={"device_id": device_id},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def chain(
        self,
    ) -> m.ChainReply:
        """Which links of the chain from your device to the audit hold for this very request."""
        found: m.ChainReply = self._ask(
            "GET",
            "/api/users/chain",
        )
        return found

    def grants(
        self,
    ) -> m.Grants:
        """What you have agreed that applications may do in your name."""
        found: m.Grants = self._ask(
            "GET",
            "/api/users/grants",
        )
        return found

    def revoke_grant(
        self,
        *,
        grant_id: str,
        idempotency_key: str = ABSENT,
    ) -> m.IdentityGone:
        """Agree no more; tokens of it end at once."""
        found: m.IdentityGone = self._ask(
            "DELETE",
            "/api/users/grants/{grant_id}",
            path_={"grant_id": grant_id},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def providers(
        self,
    ) -> m.ProvidersReply:
        """With which providers of others one can sign in here."""
        found: m.ProvidersReply = self._ask(
            "GET",
            "/api/users/providers",
        )
        return found

    def arrive(
        self,
        *,
        code: str,
        proof: str,
        idempotency_key: str = ABSENT,
        cookie: bool = ABSENT,
    ) -> m.LoginReply:
        """Go on from a provider of others: be signed in."""
        found: m.LoginReply = self._ask(
            "POST",
            "/api/users/arrive",
            body={"code": code, "proof": proof, "cookie": cookie},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def left_working(
        self,
        *,
        user: str,
    ) -> m.LeftWorking:
        """Which orders go on working when somebody is locked out, or forgotten. Scope:
        house:write.
        """
        found: m.LeftWorking = self._ask(
            "GET",
            "/api/users/{user}/left-working",
            path_={"user": user},
        )
        return found

    def own_data(
        self,
    ) -> m.OwnRecords:
        """All that the house keeps of you, as one document."""
        found: m.OwnRecords = self._ask(
            "GET",
            "/api/users/my-data",
        )
        return found

    def own_deletion(
        self,
    ) -> m.OwnDeletion:
        """What would go, what stays and until when, and what is in the way, if you were forgotten.
        """
        found: m.OwnDeletion = self._ask(
            "GET",
            "/api/users/my-data/deletion",
        )
        return found

    def delete_own_data(
        self,
        *,
        user: str,
        idempotency_key: str = ABSENT,
    ) -> m.OwnDeletion:
        """Ask to be forgotten; somebody else must agree, and then nothing brings it back."""
        found: m.OwnDeletion = self._ask(
            "POST",
            "/api/users/my-data/deletion",
            body={"user": user},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def profile(
        self,
        *,
        user: str,
    ) -> m.ProfileShown:
        """Who somebody is, as they have said; the header ETag names the version."""
        found: m.ProfileShown = self._ask(
            "GET",
            "/api/users/{user}/profile",
            path_={"user": user},
        )
        return found

    def set_profile(
        self,
        *,
        user: str,
        person: m.Person,
        idempotency_key: str = ABSENT,
        version: int | None = ABSENT,
    ) -> m.ProfileShown:
        """Say who you are: the version that you have seen, by If-Match, is changed."""
        found: m.ProfileShown = self._ask(
            "PUT",
            "/api/users/{user}/profile",
            path_={"user": user},
            body={"person": person, "version": version},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def risk_assessment(
        self,
        *,
        user: str,
    ) -> m.AssessmentShown:
        """What risk suits somebody, with what each answer gave."""
        found: m.AssessmentShown = self._ask(
            "GET",
            "/api/users/{user}/risk-assessment",
            path_={"user": user},
        )
        return found

    def assess_risk(
        self,
        *,
        user: str,
        answers: dict[str, str],
        idempotency_key: str = ABSENT,
    ) -> m.AssessmentShown:
        """Answer what risk suits you: a score, a profile, and why."""
        found: m.AssessmentShown = self._ask(
            "POST",
            "/api/users/{user}/risk-assessment",
            path_={"user": user},
            body={"answers": answers},
            header={"Idempotency-Key": idempotency_key},
        )
        return found


class Kyc:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def standing(
        self,
        *,
        user: str,
    ) -> m.StandingShown:
        """How far your verification is, and what is to be done next."""
        found: m.StandingShown = self._ask(
            "GET",
            "/api/users/{user}/kyc",
            path_={"user": user},
        )
        return found

    def submit(
        self,
        *,
        user: str,
        idempotency_key: str = ABSENT,
    ) -> m.StandingShown:
        """Ask to be verified, once your profile says who you are."""
        found: m.StandingShown = self._ask(
            "POST",
            "/api/users/{user}/kyc",
            path_={"user": user},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def add_document(
        self,
        *,
        user: str,
        kind: Literal['address', 'identity', 'other', 'selfie', 'source_of_funds'],
        media_type: Literal['application/pdf', 'image/jpeg', 'image/png'],
        content: str,
        idempotency_key: str = ABSENT,
        sha256: str = ABSENT,
        size: int = ABSENT,
        offset: int = ABSENT,
        expires_on: str = ABSENT,
    ) -> m.UploadReply:
        """Upload a document, whole or in pieces; it is kept under your own key."""
        found: m.UploadReply = self._ask(
            "POST",
            "/api/users/{user}/kyc/documents",
            path_={"user": user},
            body={"kind": kind, "media_type": media_type, "content": content, "sha256": sha256, "size": size, "offset": offset, "expires_on": expires_on},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def questionnaire(
        self,
    ) -> m.QuestionnaireShown:
        """What is asked to find out what risk suits somebody."""
        found: m.QuestionnaireShown = self._ask(
            "GET",
            "/api/risk-assessment/questionnaire",
        )
        return found

    def publish_questionnaire(
        self,
        *,
        questions: list[m.Question],
        bands: list[m.Band],
        idempotency_key: str = ABSENT,
    ) -> m.PublishedQuestionnaire:
        """Ask other questions about risk; all who have answered are scored anew. Scope: kyc:write.
        """
        found: m.PublishedQuestionnaire = self._ask(
            "PUT",
            "/api/risk-assessment/questionnaire",
            body={"questions": questions, "bands": bands},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def cases(
        self,
        *,
        state: Literal['all', 'approved', 'documents_needed', 'expired', 'in_review', 'refused'] = ABSENT,
        limit: int = ABSENT,
    ) -> m.IdentityCasesReply:
        """Cases that wait for a reviewer, or are in another state. Scope: kyc:read."""
        found: m.IdentityCasesReply = self._ask(
            "GET",
            "/api/kyc/cases",
            query={"state": state, "limit": limit},
        )
        return found

    def case(
        self,
        *,
        case_id: str,
    ) -> m.CaseShown:
        """All that a case is decided by; that you have looked is noted in the journal. Scope:
        kyc:read.
        """
        found: m.CaseShown = self._ask(
            "GET",
            "/api/kyc/cases/{case_id}",
            path_={"case_id": case_id},
        )
        return found

    def document(
        self,
        *,
        case_id: str,
        document_id: str,
    ) -> m.DocumentReply:
        """One document of a case; that you have looked is noted in the journal. Scope: kyc:read.
        """
        found: m.DocumentReply = self._ask(
            "GET",
            "/api/kyc/cases/{case_id}/documents/{document_id}",
            path_={"case_id": case_id, "document_id": document_id},
        )
        return found

    def decide(
        self,
        *,
        case_id: str,
        decision: Literal['approve', 'refuse'],
        idempotency_key: str = ABSENT,
        reason: Literal['documents_do_not_match', 'documents_unreadable', 'listed', 'not_accepted', 'risk_too_high'] | Literal[''] = ABSENT,
    ) -> m.IdentityCaseLine:
        """Approve somebody, or refuse them; never oneself. Scope: kyc:write."""
        found: m.IdentityCaseLine = self._ask(
            "POST",
            "/api/kyc/cases/{case_id}/decide",
            path_={"case_id": case_id},
            body={"decision": decision, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def clear_hit(
        self,
        *,
        case_id: str,
        hit_id: str,
        basis: Literal['birth_date', 'documents', 'nationality', 'other_person'],
        idempotency_key: str = ABSENT,
    ) -> m.IdentityCaseLine:
        """Say that a list names somebody else, which takes two. Scope: kyc:write."""
        found: m.IdentityCaseLine = self._ask(
            "POST",
            "/api/kyc/cases/{case_id}/hits/{hit_id}/clear",
            path_={"case_id": case_id, "hit_id": hit_id},
            body={"basis": basis},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def ask_documents(
        self,
        *,
        case_id: str,
        kinds: list[Literal['address', 'identity', 'other', 'selfie', 'source_of_funds']],
        idempotency_key: str = ABSENT,
    ) -> m.IdentityCaseLine:
        """Ask somebody for documents that are missing. Scope: kyc:write."""
        found: m.IdentityCaseLine = self._ask(
            "POST",
            "/api/kyc/cases/{case_id}/ask-documents",
            path_={"case_id": case_id},
            body={"kinds": kinds},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def reopen(
        self,
        *,
        case_id: str,
        reason: Literal['complaint', 'mistake', 'new_facts', 'periodic'],
        idempotency_key: str = ABSENT,
    ) -> m.IdentityCaseLine:
        """Look at a decided case again; who was approved is not, until it is decided. Scope:
        kyc:write.
        """
        found: m.IdentityCaseLine = self._ask(
            "POST",
            "/api/kyc/cases/{case_id}/reopen",
            path_={"case_id": case_id},
            body={"reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def lists(
        self,
    ) -> m.ListsReply:
        """The lists in which people are looked up. Scope: kyc:read."""
        found: m.ListsReply = self._ask(
            "GET",
            "/api/kyc/lists",
        )
        return found

    def rescreen(
        self,
        *,
        idempotency_key: str = ABSENT,
    ) -> m.RescreenedReply:
        """Look everybody up again now, who is approved or in review. Scope: kyc:write."""
        found: m.RescreenedReply = self._ask(
            "POST",
            "/api/kyc/rescreen",
            header={"Idempotency-Key": idempotency_key},
        )
        return found


class Vault:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def holdings(
        self,
        *,
        cursor: str = ABSENT,
        limit: int = ABSENT,
    ) -> m.HoldingsReply:
        """What all accounts hold, under tokens: for analysis, without a name. Scope:
        analytics:read.
        """
        found: m.HoldingsReply = self._ask(
            "GET",
            "/api/analytics/holdings",
            query={"cursor": cursor, "limit": limit},
        )
        return found

    def export_holdings(
        self,
        *,
        form: Literal['csv', 'jsonl'] = ABSENT,
    ) -> str:
        """The same as CSV, or as lines of JSON. Scope: analytics:read."""
        found: str = self._ask(
            "GET",
            "/api/analytics/holdings/export",
            query={"form": form},
        )
        return found

    def reveal(
        self,
        *,
        tokens: list[str],
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.RevealReply:
        """Have back what tokens stand for; that you did, and why, is in the journal. Scope:
        tokens:reveal.
        """
        found: m.RevealReply = self._ask(
            "POST",
            "/api/analytics/reveal",
            body={"tokens": tokens, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def owner(
        self,
        *,
        account_id: str,
    ) -> m.OwnerReply:
        """Whom an account belongs to. Scope: accounts:read."""
        found: m.OwnerReply = self._ask(
            "GET",
            "/api/accounts/{account_id}/owner",
            path_={"account_id": account_id},
        )
        return found

    def set_owner(
        self,
        *,
        account_id: str,
        user: str | None,
        idempotency_key: str = ABSENT,
    ) -> m.OwnerReply:
        """Say whom an account belongs to; null: to nobody in particular. Scope: accounts:write.
        """
        found: m.OwnerReply = self._ask(
            "PUT",
            "/api/accounts/{account_id}/owner",
            path_={"account_id": account_id},
            body={"user": user},
            header={"Idempotency-Key": idempotency_key},
        )
        return found


class Approvals:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def show(
        self,
        *,
        approval_id: str,
    ) -> m.ApprovalShown:
        """One operation that needs, or needed, a second person. Scope: approvals:read."""
        found: m.ApprovalShown = self._ask(
            "GET",
            "/api/approvals/{approval_id}",
            path_={"approval_id": approval_id},
        )
        return found

    def approve(
        self,
        *,
        approval_id: str,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.ApprovalShown:
        """Agree to what somebody else has asked; it is done at once, in their name. Scope:
        approvals:write.
        """
        found: m.ApprovalShown = self._ask(
            "POST",
            "/api/approvals/{approval_id}/approve",
            path_={"approval_id": approval_id},
            body={"reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def reject(
        self,
        *,
        approval_id: str,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.ApprovalShown:
        """Refuse what somebody else has asked, with a reason. Scope: approvals:write."""
        found: m.ApprovalShown = self._ask(
            "POST",
            "/api/approvals/{approval_id}/reject",
            path_={"approval_id": approval_id},
            body={"reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def break_glass(
        self,
        *,
        reason: str,
        idempotency_key: str = ABSENT,
        minutes: int = ABSENT,
    ) -> m.GlassShown:
        """In an emergency: need no second person for some minutes; it is told and reviewed. Scope:
        approvals:write.
        """
        found: m.GlassShown = self._ask(
            "POST",
            "/api/approvals/break-glass",
            body={"reason": reason, "minutes": minutes},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def review(
        self,
        *,
        approval_id: str,
        verdict: Literal['justified', 'not_justified'],
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.GlassShown:
        """Say whether glass that somebody else has broken was broken rightly. Scope:
        approvals:write.
        """
        found: m.GlassShown = self._ask(
            "POST",
            "/api/approvals/{approval_id}/review",
            path_={"approval_id": approval_id},
            body={"verdict": verdict, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def list(
        self,
        *,
        state: Literal['all', 'closed', 'waiting'] = ABSENT,
    ) -> m.ApprovalsReply:
        """What waits for a second person, what was decided, and what glass was broken. Scope:
        approvals:read.
        """
        found: m.ApprovalsReply = self._ask(
            "GET",
            "/api/approvals",
            query={"state": state},
        )
        return found


class Agents:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def overview(
        self,
    ) -> m.AgentsReply:
        """Your agents, what they may do without asking, and what they asked last. Scope:
        approvals:read.
        """
        found: m.AgentsReply = self._ask(
            "GET",
            "/api/agents",
        )
        return found

    def allow(
        self,
        *,
        agent: str,
        mode: Literal['ask', 'auto'],
        reason: str,
        idempotency_key: str = ABSENT,
        currency: str = ABSENT,
        order_max: str = ABSENT,
        day_max: str = ABSENT,
        symbols: list[str] = ABSENT,
        minutes: int = ABSENT,
    ) -> m.AgentShown:
        """Give an agent a budget within which it need not ask, or take it back. Scope:
        approvals:write.
        """
        found: m.AgentShown = self._ask(
            "PUT",
            "/api/agents/budget",
            body={"agent": agent, "mode": mode, "reason": reason, "currency": currency, "order_max": order_max, "day_max": day_max, "symbols": symbols, "minutes": minutes},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def stop(
        self,
        *,
        agent: str,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.AgentShown:
        """Stop an agent at once: it asks nothing any more, and what waits is refused. Scope:
        approvals:write.
        """
        found: m.AgentShown = self._ask(
            "POST",
            "/api/agents/stop",
            body={"agent": agent, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def start(
        self,
        *,
        agent: str,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.AgentShown:
        """Let an agent that was stopped ask again. Scope: approvals:write."""
        found: m.AgentShown = self._ask(
            "POST",
            "/api/agents/start",
            body={"agent": agent, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found


class Policy:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def current(
        self,
    ) -> m.PolicyReply:
        """The rules of who may do what that are in force, and their versions. Scope: house:read.
        """
        found: m.PolicyReply = self._ask(
            "GET",
            "/api/policy",
        )
        return found

    def publish(
        self,
        *,
        modules: dict[str, str],
        idempotency_key: str = ABSENT,
        data: dict[str, Any] = ABSENT,
        note: str = ABSENT,
        effective_at: int = ABSENT,
    ) -> m.PublishedReply:
        """Put rules of your own in force, now or from a time on, once their tests pass. Scope:
        house:write.
        """
        found: m.PublishedReply = self._ask(
            "PUT",
            "/api/policy",
            body={"modules": modules, "data": data, "note": note, "effective_at": effective_at},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def check(
        self,
        *,
        modules: dict[str, str],
        idempotency_key: str = ABSENT,
        data: dict[str, Any] = ABSENT,
    ) -> m.CheckReply:
        """Say what is wrong with rules, run their tests, and which rules no test holds. Scope:
        house:read.
        """
        found: m.CheckReply = self._ask(
            "POST",
            "/api/policy/check",
            body={"modules": modules, "data": data},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def rollback(
        self,
        *,
        version: int,
        idempotency_key: str = ABSENT,
        note: str = ABSENT,
    ) -> m.PublishedReply:
        """Take your rules back to an earlier version, or to the house's alone. Scope: house:write.
        """
        found: m.PublishedReply = self._ask(
            "POST",
            "/api/policy/rollback",
            body={"version": version, "note": note},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def what_if(
        self,
        *,
        modules: dict[str, str],
        idempotency_key: str = ABSENT,
        data: dict[str, Any] = ABSENT,
        since: int = ABSENT,
        limit: int = ABSENT,
    ) -> m.WhatIfReply:
        """Who would lose, or gain, what, if other rules had decided what was decided. Scope:
        house:read.
        """
        found: m.WhatIfReply = self._ask(
            "POST",
            "/api/policy/what-if",
            body={"modules": modules, "data": data, "since": since, "limit": limit},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def decide(
        self,
        *,
        operation: str,
        idempotency_key: str = ABSENT,
        account_id: str = ABSENT,
        symbol: str = ABSENT,
        notional: int = ABSENT,
    ) -> m.DecisionReply:
        """Say whether you may do something, and why not; nothing is done. Scope: market:read."""
        found: m.DecisionReply = self._ask(
            "POST",
            "/api/policy/decide",
            body={"operation": operation, "account_id": account_id, "symbol": symbol, "notional": notional},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def decisions(
        self,
        *,
        outcome: Literal['', 'allowed', 'denied'] = ABSENT,
        caller: str = ABSENT,
        operation: str = ABSENT,
        since: int = ABSENT,
        limit: int = ABSENT,
    ) -> m.DecisionsReply:
        """What was decided: every denial, every privileged act, a sample of the rest. Scope:
        journal:read.
        """
        found: m.DecisionsReply = self._ask(
            "GET",
            "/api/policy/decisions",
            query={"outcome": outcome, "caller": caller, "operation": operation, "since": since, "limit": limit},
        )
        return found

    def export_decisions(
        self,
        *,
        since: int = ABSENT,
        limit: int = ABSENT,
    ) -> str:
        """The same as lines of JSON, in the format of OPA's decision log; oldest first. Scope:
        journal:read.
        """
        found: str = self._ask(
            "GET",
            "/api/policy/decisions/export",
            query={"since": since, "limit": limit},
        )
        return found


class Audit:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def export(
        self,
        *,
        form: Literal['csv', 'jsonl'] = ABSENT,
        kind: Literal['', 'access', 'act', 'approval', 'denial', 'policy'] = ABSENT,
        since: int = ABSENT,
        until: int = ABSENT,
        limit: int = ABSENT,
        min_position: int = ABSENT,
    ) -> str:
        """The same as lines of JSON, or as CSV. Scope: journal:read."""
        found: str = self._ask(
            "GET",
            "/api/audit/export",
            query={"form": form, "kind": kind, "since": since, "until": until, "limit": limit, "min_position": min_position},
        )
        return found

    def list(
        self,
        *,
        kind: Literal['', 'access', 'act', 'approval', 'denial', 'policy'] = ABSENT,
        caller: str = ABSENT,
        operation: str = ABSENT,
        since: int = ABSENT,
        until: int = ABSENT,
        before: int = ABSENT,
        limit: int = ABSENT,
        min_position: int = ABSENT,
    ) -> m.AuditReply:
        """Who did what others rely on, who was denied what, and who agreed to what. Scope:
        journal:read.
        """
        found: m.AuditReply = self._ask(
            "GET",
            "/api/audit",
            query={"kind": kind, "caller": caller, "operation": operation, "since": since, "until": until, "before": before, "limit": limit, "min_position": min_position},
        )
        return found


class Ledger:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def accounts(
        self,
        *,
        book: str,
        min_position: int = ABSENT,
    ) -> m.BookAccountsReply:
        """The accounts of a book, each with what is pending and posted on both sides. Scope:
        accounts:read.
        """
        found: m.BookAccountsReply = self._ask(
            "GET",
            "/api/ledgers/{book}/accounts",
            path_={"book": book},
            query={"min_position": min_position},
        )
        return found

    def open_account(
        self,
        *,
        book: str,
        account: str,
        asset: str,
        idempotency_key: str = ABSENT,
        debits_must_not_exceed_credits: bool = ABSENT,
        credits_must_not_exceed_debits: bool = ABSENT,
    ) -> m.BookAccountOpenedReply:
        """Open an account in a book of yours; asked again it is the same. Scope: accounts:write.
        """
        found: m.BookAccountOpenedReply = self._ask(
            "POST",
            "/api/ledgers/{book}/accounts",
            path_={"book": book},
            body={"account": account, "asset": asset, "debits_must_not_exceed_credits": debits_must_not_exceed_credits, "credits_must_not_exceed_debits": credits_must_not_exceed_debits},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def transfers(
        self,
        *,
        book: str,
        account: str = ABSENT,
        status: Literal['expired', 'pending', 'posted', 'voided'] = ABSENT,
        cursor: int = ABSENT,
        limit: int = ABSENT,
        min_position: int = ABSENT,
    ) -> m.BookTransfersReply:
        """Transfers of a book, newest first, by account and status. Scope: accounts:read."""
        found: m.BookTransfersReply = self._ask(
            "GET",
            "/api/ledgers/{book}/transfers",
            path_={"book": book},
            query={"account": account, "status": status, "cursor": cursor, "limit": limit, "min_position": min_position},
        )
        return found

    def create_transfer(
        self,
        *,
        book: str,
        debit: str,
        credit: str,
        amount: str,
        idempotency_key: str = ABSENT,
        pending: bool = ABSENT,
        timeout_s: int = ABSENT,
        reference: str = ABSENT,
        key: str | None = ABSENT,
    ) -> m.LedgerTransferReply:
        """Move an amount between two accounts of a book, at once or pending. Scope:
        accounts:write.
        """
        found: m.LedgerTransferReply = self._ask(
            "POST",
            "/api/ledgers/{book}/transfers",
            path_={"book": book},
            body={"debit": debit, "credit": credit, "amount": amount, "pending": pending, "timeout_s": timeout_s, "reference": reference, "key": key},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def create_linked_transfers(
        self,
        *,
        book: str,
        linked: list[m.LinkedBody],
        idempotency_key: str = ABSENT,
        key: str | None = ABSENT,
    ) -> m.LinkedReply:
        """Several transfers, posts and voids: all of them or none. Scope: accounts:write."""
        found: m.LinkedReply = self._ask(
            "POST",
            "/api/ledgers/{book}/transfers/linked",
            path_={"book": book},
            body={"linked": linked, "key": key},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def post_transfer(
        self,
        *,
        book: str,
        number: str,
        idempotency_key: str = ABSENT,
        amount: str | None = ABSENT,
        key: str | None = ABSENT,
    ) -> m.LedgerTransferReply:
        """Post a pending transfer, or a part of it; the rest goes back. Scope: accounts:write.
        """
        found: m.LedgerTransferReply = self._ask(
            "POST",
            "/api/ledgers/{book}/transfers/{number}/post",
            path_={"book": book, "number": number},
            body={"amount": amount, "key": key},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def void_transfer(
        self,
        *,
        book: str,
        number: str,
        idempotency_key: str = ABSENT,
        key: str | None = ABSENT,
    ) -> m.LedgerTransferReply:
        """Void a pending transfer: all that was set aside goes back. Scope: accounts:write."""
        found: m.LedgerTransferReply = self._ask(
            "POST",
            "/api/ledgers/{book}/transfers/{number}/void",
            path_={"book": book, "number": number},
            body={"key": key},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def account(
        self,
        *,
        book: str,
        account: str,
        min_position: int = ABSENT,
    ) -> m.BookAccountLine:
        """One account of a book. Scope: accounts:read."""
        found: m.BookAccountLine = self._ask(
            "GET",
            "/api/ledgers/{book}/accounts/{account}",
            path_={"book": book, "account": account},
            query={"min_position": min_position},
        )
        return found

    def transfer(
        self,
        *,
        book: str,
        number: int,
        min_position: int = ABSENT,
    ) -> m.BookTransferLine:
        """One transfer of a book. Scope: accounts:read."""
        found: m.BookTransferLine = self._ask(
            "GET",
            "/api/ledgers/{book}/transfers/{number}",
            path_={"book": book, "number": number},
            query={"min_position": min_position},
        )
        return found

    def checks(
        self,
    ) -> m.ChecksReply:
        """The standing checks of the books: which hold, and what is wrong where one fails. Scope:
        house:read.
        """
        found: m.ChecksReply = self._ask(
            "GET",
            "/api/checks",
        )
        return found


class Fix:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def sessions(
        self,
    ) -> m.SessionsReply:
        """FIX sessions, their state and their sequence numbers. Scope: house:read."""
        found: m.SessionsReply = self._ask(
            "GET",
            "/api/fix/sessions",
        )
        return found

    def session(
        self,
        *,
        session: str,
    ) -> m.SessionShown:
        """One FIX session as it is now. Scope: house:read."""
        found: m.SessionShown = self._ask(
            "GET",
            "/api/fix/session",
            query={"session": session},
        )
        return found

    def stop_session(
        self,
        *,
        session: str,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.SessionShown:
        """Log a FIX session out, and let nobody log on until it is started again. Scope:
        house:write.
        """
        found: m.SessionShown = self._ask(
            "POST",
            "/api/fix/sessions/stop",
            body={"session": session, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def start_session(
        self,
        *,
        session: str,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.SessionShown:
        """Let a FIX session that was stopped log on again. Scope: house:write."""
        found: m.SessionShown = self._ask(
            "POST",
            "/api/fix/sessions/start",
            body={"session": session, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def set_sequence(
        self,
        *,
        session: str,
        next_out: int,
        next_in: int,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.SessionShown:
        """Set the sequence numbers of a FIX session that is not logged on. Scope: house:write.
        """
        found: m.SessionShown = self._ask(
            "POST",
            "/api/fix/sessions/sequence",
            body={"session": session, "next_out": next_out, "next_in": next_in, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def messages(
        self,
        *,
        query: str = ABSENT,
        session: str = ABSENT,
        direction: Literal['in', 'out'] = ABSENT,
        after: str = ABSENT,
        before: str = ABSENT,
        capture: str = ABSENT,
        cursor: str = ABSENT,
        limit: int = ABSENT,
    ) -> m.MessagesReply:
        """Search FIX messages by tag, value, session, time and text; the newest first. Scope:
        house:read.
        """
        found: m.MessagesReply = self._ask(
            "GET",
            "/api/fix/messages",
            query={"query": query, "session": session, "direction": direction, "after": after, "before": before, "capture": capture, "cursor": cursor, "limit": limit},
        )
        return found

    def message(
        self,
        *,
        message_id: str,
    ) -> m.MessageReply:
        """One FIX message, its fields in words and its bytes without secrets. Scope: house:read.
        """
        found: m.MessageReply = self._ask(
            "GET",
            "/api/fix/messages/{message_id}",
            path_={"message_id": message_id},
        )
        return found

    def timeline(
        self,
        *,
        session: str,
        after: str = ABSENT,
        before: str = ABSENT,
        buckets: int = ABSENT,
    ) -> m.FixTimelineReply:
        """How many messages a FIX session had over time, and what was remarkable. Scope:
        house:read.
        """
        found: m.FixTimelineReply = self._ask(
            "GET",
            "/api/fix/timeline",
            query={"session": session, "after": after, "before": before, "buckets": buckets},
        )
        return found

    def series(
        self,
        *,
        session: str = ABSENT,
        after: str = ABSENT,
        before: str = ABSENT,
        width_s: int = ABSENT,
    ) -> m.SeriesReply:
        """Messages, rejects and latencies of FIX sessions over time. Scope: house:read."""
        found: m.SeriesReply = self._ask(
            "GET",
            "/api/fix/series",
            query={"session": session, "after": after, "before": before, "width_s": width_s},
        )
        return found

    def report(
        self,
        *,
        day: str,
    ) -> m.FixReportReply:
        """A day of FIX sessions: messages, rejects, latencies, alerts and top reasons. Scope:
        house:read.
        """
        found: m.FixReportReply = self._ask(
            "GET",
            "/api/fix/reports/{day}",
            path_={"day": day},
        )
        return found

    def report_page(
        self,
        *,
        day: str,
    ) -> str:
        """The same as a page that needs nothing else. Scope: house:read."""
        found: str = self._ask(
            "GET",
            "/api/fix/reports/{day}/page",
            path_={"day": day},
        )
        return found

    def message_trail(
        self,
        *,
        message_id: str,
    ) -> m.TrailReply:
        """What became of a FIX message, from the wire to storage, in one trace. Scope: house:read.
        """
        found: m.TrailReply = self._ask(
            "GET",
            "/api/fix/messages/{message_id}/trail",
            path_={"message_id": message_id},
        )
        return found

    def captures(
        self,
    ) -> m.CapturesReply:
        """Captures that were uploaded, and how far they are read. Scope: house:read."""
        found: m.CapturesReply = self._ask(
            "GET",
            "/api/fix/captures",
        )
        return found

    def upload_capture(
        self,
        *,
        name: str,
        content: str,
        idempotency_key: str = ABSENT,
        more: bool = ABSENT,
    ) -> m.CaptureLine:
        """Upload a capture or a log, to be audited and searched. Scope: house:write."""
        found: m.CaptureLine = self._ask(
            "POST",
            "/api/fix/captures",
            body={"name": name, "content": content, "more": more},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def append_capture(
        self,
        *,
        capture_id: str,
        offset: int,
        content: str,
        idempotency_key: str = ABSENT,
        more: bool = ABSENT,
    ) -> m.CaptureLine:
        """Upload the next piece of a capture. Scope: house:write."""
        found: m.CaptureLine = self._ask(
            "POST",
            "/api/fix/captures/{capture_id}/pieces",
            path_={"capture_id": capture_id},
            body={"offset": offset, "content": content, "more": more},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def capture(
        self,
        *,
        capture_id: str,
    ) -> m.CaptureReply:
        """One capture with the report of its audit. Scope: house:read."""
        found: m.CaptureReply = self._ask(
            "GET",
            "/api/fix/captures/{capture_id}",
            path_={"capture_id": capture_id},
        )
        return found

    def capture_page(
        self,
        *,
        capture_id: str,
    ) -> str:
        """The report of a capture's audit as a page that loads nothing. Scope: house:read."""
        found: str = self._ask(
            "GET",
            "/api/fix/captures/{capture_id}/page",
            path_={"capture_id": capture_id},
        )
        return found

    def alerts(
        self,
        *,
        session: str = ABSENT,
        severity: Literal['critical', 'high', 'low', 'medium'] = ABSENT,
        capture: str = ABSENT,
        cursor: str = ABSENT,
        limit: int = ABSENT,
    ) -> m.AlertsReply:
        """What was found in FIX sessions, or in a capture; the newest first. Scope: house:read.
        """
        found: m.AlertsReply = self._ask(
            "GET",
            "/api/fix/alerts",
            query={"session": session, "severity": severity, "capture": capture, "cursor": cursor, "limit": limit},
        )
        return found

    def export_alerts(
        self,
        *,
        form: Literal['cef', 'ecs', 'ocsf'] = ABSENT,
        severity: Literal['critical', 'high', 'low', 'medium'] = ABSENT,
        limit: int = ABSENT,
    ) -> str:
        """Alerts as lines for a SIEM: ECS, CEF or OCSF. Scope: house:read."""
        found: str = self._ask(
            "GET",
            "/api/fix/alerts/export",
            query={"form": form, "severity": severity, "limit": limit},
        )
        return found

    def alert(
        self,
        *,
        alert_id: str,
    ) -> m.AlertReply:
        """One alert with the messages that prove it. Scope: house:read."""
        found: m.AlertReply = self._ask(
            "GET",
            "/api/fix/alerts/{alert_id}",
            path_={"alert_id": alert_id},
        )
        return found

    def alert_evidence(
        self,
        *,
        alert_id: str,
    ) -> m.EvidenceReply:
        """What proves an alert, as bytes and as a capture, with its digests. Scope: house:read.
        """
        found: m.EvidenceReply = self._ask(
            "GET",
            "/api/fix/alerts/{alert_id}/evidence",
            path_={"alert_id": alert_id},
        )
        return found

    def cases(
        self,
        *,
        state: Literal['all', 'closed', 'open'] = ABSENT,
        alert: str = ABSENT,
        subject: str = ABSENT,
        limit: int = ABSENT,
    ) -> m.SurveillanceCasesReply:
        """Cases that alerts of FIX sessions were gathered in; the newest first. Scope: house:read.
        """
        found: m.SurveillanceCasesReply = self._ask(
            "GET",
            "/api/fix/cases",
            query={"state": state, "alert": alert, "subject": subject, "limit": limit},
        )
        return found

    def case(
        self,
        *,
        case_id: str,
    ) -> m.CaseReply:
        """One case with its alerts, and what was done about it. Scope: house:read."""
        found: m.CaseReply = self._ask(
            "GET",
            "/api/fix/cases/{case_id}",
            path_={"case_id": case_id},
        )
        return found

    def assign_case(
        self,
        *,
        case_id: str,
        to: str,
        idempotency_key: str = ABSENT,
    ) -> m.CaseReply:
        """Give a case to somebody. Scope: house:write."""
        found: m.CaseReply = self._ask(
            "POST",
            "/api/fix/cases/{case_id}/assign",
            path_={"case_id": case_id},
            body={"to": to},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def comment_case(
        self,
        *,
        case_id: str,
        text: str,
        idempotency_key: str = ABSENT,
    ) -> m.CaseReply:
        """Write something to a case. Scope: house:write."""
        found: m.CaseReply = self._ask(
            "POST",
            "/api/fix/cases/{case_id}/comments",
            path_={"case_id": case_id},
            body={"text": text},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def close_case(
        self,
        *,
        case_id: str,
        outcome: Literal['benign', 'duplicate', 'false_positive', 'inconclusive', 'true_positive'],
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.CaseReply:
        """Close a case, and say what it was. Scope: house:write."""
        found: m.CaseReply = self._ask(
            "POST",
            "/api/fix/cases/{case_id}/close",
            path_={"case_id": case_id},
            body={"outcome": outcome, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def reopen_case(
        self,
        *,
        case_id: str,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.CaseReply:
        """Open a closed case again. Scope: house:write."""
        found: m.CaseReply = self._ask(
            "POST",
            "/api/fix/cases/{case_id}/reopen",
            path_={"case_id": case_id},
            body={"reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found


class Webhooks:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def event_types(
        self,
    ) -> m.EventTypes:
        """What webhooks tell: every type with its version and the schema of its data. Scope:
        webhooks:read.
        """
        found: m.EventTypes = self._ask(
            "GET",
            "/api/webhooks/event-types",
        )
        return found

    def overview(
        self,
    ) -> m.WebhooksReply:
        """The tenant's webhooks, and how they fare. Scope: webhooks:read."""
        found: m.WebhooksReply = self._ask(
            "GET",
            "/api/webhooks",
        )
        return found

    def create(
        self,
        *,
        url: str,
        events: list[str],
        idempotency_key: str = ABSENT,
        accounts: list[str] | None = ABSENT,
        description: str = ABSENT,
    ) -> m.CreatedWebhook:
        """Send events to an address from now on; its secret is shown this once. Scope:
        webhooks:write.
        """
        found: m.CreatedWebhook = self._ask(
            "POST",
            "/api/webhooks",
            body={"url": url, "events": events, "accounts": accounts, "description": description},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def show(
        self,
        *,
        webhook_id: str,
    ) -> m.WebhookShown:
        """One webhook, and how it fares. Scope: webhooks:read."""
        found: m.WebhookShown = self._ask(
            "GET",
            "/api/webhooks/{webhook_id}",
            path_={"webhook_id": webhook_id},
        )
        return found

    def change(
        self,
        *,
        webhook_id: str,
        idempotency_key: str = ABSENT,
        url: str | None = ABSENT,
        events: list[str] | None = ABSENT,
        description: str | None = ABSENT,
        state: Literal['active', 'paused'] | None = ABSENT,
        from_now: bool = ABSENT,
    ) -> m.WebhookShown:
        """Change, pause or go on with a webhook; what was written meanwhile is sent then. Scope:
        webhooks:write.
        """
        found: m.WebhookShown = self._ask(
            "PATCH",
            "/api/webhooks/{webhook_id}",
            path_={"webhook_id": webhook_id},
            body={"url": url, "events": events, "description": description, "state": state, "from_now": from_now},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def remove(
        self,
        *,
        webhook_id: str,
        idempotency_key: str = ABSENT,
    ) -> m.NotifyGone:
        """Remove a webhook; what it was not sent yet is not sent. Scope: webhooks:write."""
        found: m.NotifyGone = self._ask(
            "DELETE",
            "/api/webhooks/{webhook_id}",
            path_={"webhook_id": webhook_id},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def rotate_secret(
        self,
        *,
        webhook_id: str,
        idempotency_key: str = ABSENT,
        overlap_s: int = ABSENT,
    ) -> m.RotatedSecret:
        """Sign with a new secret, shown this once; the one before signs too for a while. Scope:
        webhooks:write.
        """
        found: m.RotatedSecret = self._ask(
            "POST",
            "/api/webhooks/{webhook_id}/rotate-secret",
            path_={"webhook_id": webhook_id},
            body={"overlap_s": overlap_s},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def send_test(
        self,
        *,
        webhook_id: str,
        idempotency_key: str = ABSENT,
    ) -> m.TestSent:
        """Send a test message to a webhook. Scope: webhooks:write."""
        found: m.TestSent = self._ask(
            "POST",
            "/api/webhooks/{webhook_id}/test",
            path_={"webhook_id": webhook_id},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def replay(
        self,
        *,
        webhook_id: str,
        idempotency_key: str = ABSENT,
        after: int | None = ABSENT,
        since: int | None = ABSENT,
        until: int = ABSENT,
        events: list[str] | None = ABSENT,
        dry_run: bool = ABSENT,
    ) -> m.ReplayReply:
        """Send again what was written since a position or a time; at first only count it. Scope:
        webhooks:write.
        """
        found: m.ReplayReply = self._ask(
            "POST",
            "/api/webhooks/{webhook_id}/replay",
            path_={"webhook_id": webhook_id},
            body={"after": after, "since": since, "until": until, "events": events, "dry_run": dry_run},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def deliveries(
        self,
        *,
        webhook_id: str,
        state: Literal['delivered', 'given_up', 'waiting', 'withheld'] = ABSENT,
        resource: str = ABSENT,
        before: int = ABSENT,
        limit: int = ABSENT,
    ) -> m.DeliveriesReply:
        """What was sent to a webhook, what waits, and what was given up, newest first. Scope:
        webhooks:read.
        """
        found: m.DeliveriesReply = self._ask(
            "GET",
            "/api/webhooks/{webhook_id}/deliveries",
            path_={"webhook_id": webhook_id},
            query={"state": state, "resource": resource, "before": before, "limit": limit},
        )
        return found

    def delivery(
        self,
        *,
        webhook_id: str,
        number: int,
    ) -> m.DeliveryReply:
        """One delivery with each of its attempts. Scope: webhooks:read."""
        found: m.DeliveryReply = self._ask(
            "GET",
            "/api/webhooks/{webhook_id}/deliveries/{number}",
            path_={"webhook_id": webhook_id, "number": number},
        )
        return found


class Notifications:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def preferences(
        self,
    ) -> m.PreferencesShown:
        """How you want to hear of what, and how you can."""
        found: m.PreferencesShown = self._ask(
            "GET",
            "/api/notifications/preferences",
        )
        return found

    def choose(
        self,
        *,
        idempotency_key: str = ABSENT,
        ways: dict[str, list[Literal['email', 'inbox', 'push']]] = ABSENT,
        quiet: m.Quiet | None = ABSENT,
        accounts: list[str] | None = ABSENT,
    ) -> m.PreferencesShown:
        """Say how you want to hear of what, and when you want to be left alone."""
        found: m.PreferencesShown = self._ask(
            "PUT",
            "/api/notifications/preferences",
            body={"ways": ways, "quiet": quiet, "accounts": accounts},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def subscribe(
        self,
        *,
        endpoint: str,
        p256dh: str,
        auth: str,
        idempotency_key: str = ABSENT,
    ) -> m.SubscriptionShown:
        """Be told by push in this browser."""
        found: m.SubscriptionShown = self._ask(
            "POST",
            "/api/notifications/push",
            body={"endpoint": endpoint, "p256dh": p256dh, "auth": auth},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def unsubscribe(
        self,
        *,
        subscription_id: str,
        idempotency_key: str = ABSENT,
    ) -> m.Unsubscribed:
        """Be told by push in a browser no more."""
        found: m.Unsubscribed = self._ask(
            "DELETE",
            "/api/notifications/push/{subscription_id}",
            path_={"subscription_id": subscription_id},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def send_test(
        self,
        *,
        idempotency_key: str = ABSENT,
        way: Literal['email', 'inbox', 'pager', 'push'] = ABSENT,
    ) -> m.TestQueued:
        """Send yourself a test; the pager's, for who runs the house."""
        found: m.TestQueued = self._ask(
            "POST",
            "/api/notifications/test",
            body={"way": way},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def inbox(
        self,
        *,
        before: int = ABSENT,
        limit: int = ABSENT,
    ) -> m.Inbox:
        """What you were told, newest first."""
        found: m.Inbox = self._ask(
            "GET",
            "/api/notifications",
            query={"before": before, "limit": limit},
        )
        return found

    def see(
        self,
        *,
        up_to: int,
        idempotency_key: str = ABSENT,
    ) -> m.Seen:
        """Say that you have seen what you were told."""
        found: m.Seen = self._ask(
            "POST",
            "/api/notifications/seen",
            body={"up_to": up_to},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def deliveries(
        self,
        *,
        way: Literal['email', 'inbox', 'pager', 'push'] = ABSENT,
        state: Literal['delivered', 'given_up', 'kept', 'refused', 'waiting', 'withheld'] = ABSENT,
        everybody: bool = ABSENT,
        before: int = ABSENT,
        limit: int = ABSENT,
    ) -> m.LogReply:
        """What was sent to you by which way, and what came of it, newest first."""
        found: m.LogReply = self._ask(
            "GET",
            "/api/notifications/deliveries",
            query={"way": way, "state": state, "everybody": everybody, "before": before, "limit": limit},
        )
        return found


class Partners:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def define_tier(
        self,
        *,
        tier: str,
        requests_per_s: int,
        burst: int,
        idempotency_key: str = ABSENT,
        orders_per_day: int = ABSENT,
        webhooks: int = ABSENT,
        doors: list[Literal['cli', 'fix', 'graphql', 'mcp', 'rest', 'ws']] = ABSENT,
    ) -> m.PartnerTierShown:
        """Say what partners on a tier may do; it holds at once for all who are on it. Scope:
        house:write.
        """
        found: m.PartnerTierShown = self._ask(
            "PUT",
            "/api/partner-tiers/{tier}",
            path_={"tier": tier},
            body={"requests_per_s": requests_per_s, "burst": burst, "orders_per_day": orders_per_day, "webhooks": webhooks, "doors": doors},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def tiers(
        self,
    ) -> m.PartnerTiers:
        """The tiers that your tenant has defined, or is on. Scope: house:read."""
        found: m.PartnerTiers = self._ask(
            "GET",
            "/api/partner-tiers",
        )
        return found

    def set_tier(
        self,
        *,
        tenant: str,
        tier: str | None,
        idempotency_key: str = ABSENT,
        account: str | None = ABSENT,
    ) -> m.PartnerSet:
        """Put a tenant, or one account of it, on a tier, or take it off. Scope: house:write."""
        found: m.PartnerSet = self._ask(
            "PUT",
            "/api/partners/{tenant}",
            path_={"tenant": tenant},
            body={"tier": tier, "account": account},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def overview(
        self,
    ) -> m.PartnersReply:
        """Partners that your tenant has put on tiers, and what each has used. Scope: house:read.
        """
        found: m.PartnersReply = self._ask(
            "GET",
            "/api/partners",
        )
        return found

    def mine(
        self,
    ) -> m.MyTier:
        """The tier that you are on, and what is left of today's orders. Scope: market:read."""
        found: m.MyTier = self._ask(
            "GET",
            "/api/partner",
        )
        return found


class Tiers:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def define(
        self,
        *,
        text: str,
        idempotency_key: str = ABSENT,
        dry_run: bool = ABSENT,
    ) -> m.DefinedReply:
        """Keep a version of a tier, as a draft; or only say what is wrong with its text. Scope:
        tiers:write.
        """
        found: m.DefinedReply = self._ask(
            "POST",
            "/api/tiers",
            body={"text": text, "dry_run": dry_run},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def one(
        self,
        *,
        tier: str,
        version: int = ABSENT,
    ) -> m.TierReply:
        """One tier with its text, its terms byte by byte, its odds and its versions. Scope:
        tiers:read.
        """
        found: m.TierReply = self._ask(
            "GET",
            "/api/tiers/{tier}",
            path_={"tier": tier},
            query={"version": version},
        )
        return found

    def simulate(
        self,
        *,
        tier: str,
        version: int,
        idempotency_key: str = ABSENT,
        traders: builtins.list[str] = ABSENT,
        paths: int = ABSENT,
        seed: int = ABSENT,
        days: int = ABSENT,
        funded_days: int = ABSENT,
        sales: int = ABSENT,
        sales_a_day: int = ABSENT,
        crowd: float = ABSENT,
        sensitivity: bool = ABSENT,
        journals: builtins.list[m.JournalText] = ABSENT,
    ) -> m.SimulationReply:
        """Begin to work out the odds of a version; they are attached to it in the journal. Scope:
        tiers:write.
        """
        found: m.SimulationReply = self._ask(
            "POST",
            "/api/tiers/{tier}/versions/{version}/simulate",
            path_={"tier": tier, "version": version},
            body={"traders": traders, "paths": paths, "seed": seed, "days": days, "funded_days": funded_days, "sales": sales, "sales_a_day": sales_a_day, "crowd": crowd, "sensitivity": sensitivity, "journals": journals},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def simulation(
        self,
        *,
        tier: str,
        version: int,
    ) -> m.SimulationReply:
        """How far the simulation of a version is, and the odds that are attached to it. Scope:
        tiers:write.
        """
        found: m.SimulationReply = self._ask(
            "GET",
            "/api/tiers/{tier}/versions/{version}/simulation",
            path_={"tier": tier, "version": version},
        )
        return found

    def cancel_simulation(
        self,
        *,
        tier: str,
        version: int,
        idempotency_key: str = ABSENT,
    ) -> m.SimulationReply:
        """Stop the simulation of a version that is under way. Scope: tiers:write."""
        found: m.SimulationReply = self._ask(
            "DELETE",
            "/api/tiers/{tier}/versions/{version}/simulation",
            path_={"tier": tier, "version": version},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def publish(
        self,
        *,
        tier: str,
        version: int,
        idempotency_key: str = ABSENT,
        effective_from: int = ABSENT,
        note: str = ABSENT,
    ) -> m.TierChanged:
        """Sell a version of a tier, with the odds that are attached to it, from a time on. Scope:
        tiers:write.
        """
        found: m.TierChanged = self._ask(
            "POST",
            "/api/tiers/{tier}/versions/{version}/publish",
            path_={"tier": tier, "version": version},
            body={"effective_from": effective_from, "note": note},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def retire(
        self,
        *,
        tier: str,
        version: int,
        idempotency_key: str = ABSENT,
        ends_at: int = ABSENT,
        note: str = ABSENT,
    ) -> m.TierChanged:
        """Sell a version of a tier no more; whoever has bought it keeps it. Scope: tiers:write.
        """
        found: m.TierChanged = self._ask(
            "POST",
            "/api/tiers/{tier}/versions/{version}/retire",
            path_={"tier": tier, "version": version},
            body={"ends_at": ends_at, "note": note},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def replay(
        self,
        *,
        tier: str,
        version: int,
        idempotency_key: str = ABSENT,
        limit: int = ABSENT,
    ) -> m.ReplayTierReply:
        """Who would have passed or failed, had a version's rules judged what was traded. Scope:
        tiers:write.
        """
        found: m.ReplayTierReply = self._ask(
            "POST",
            "/api/tiers/{tier}/versions/{version}/replay",
            path_={"tier": tier, "version": version},
            body={"limit": limit},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def list(
        self,
        *,
        state: Literal['all', 'draft', 'past', 'published', 'retired', 'waiting'] = ABSENT,
    ) -> m.TiersReply:
        """The tiers of the prop firm: account, fee, rules in words, and simulated odds. Scope:
        tiers:read.
        """
        found: m.TiersReply = self._ask(
            "GET",
            "/api/tiers",
            query={"state": state},
        )
        return found


class Evaluation:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def assessments(
        self,
        *,
        state: Literal['abandoned', 'active', 'expired', 'failed', 'funded', 'passed', 'purchased'] = ABSENT,
        user: str = ABSENT,
        limit: int = ABSENT,
    ) -> m.AssessmentsReply:
        """Assessments: your own, or everybody's where you may read them. Scope: evaluation:read.
        """
        found: m.AssessmentsReply = self._ask(
            "GET",
            "/api/assessments",
            query={"state": state, "user": user, "limit": limit},
        )
        return found

    def give_assessment(
        self,
        *,
        tier: str,
        user: str,
        reference: str,
        idempotency_key: str = ABSENT,
    ) -> m.GivenReply:
        """Give somebody an assessment on a tier, without a purchase. Scope: evaluation:write."""
        found: m.GivenReply = self._ask(
            "POST",
            "/api/assessments",
            body={"tier": tier, "user": user, "reference": reference},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def assessment(
        self,
        *,
        assessment_id: str,
    ) -> m.AssessmentReply:
        """One assessment as it stands now: headroom to every rule, and what passing needs. Scope:
        evaluation:read.
        """
        found: m.AssessmentReply = self._ask(
            "GET",
            "/api/assessments/{assessment_id}",
            path_={"assessment_id": assessment_id},
        )
        return found

    def equity(
        self,
        *,
        assessment_id: str,
        limit: int = ABSENT,
    ) -> m.EquityReply:
        """The path of an assessment's equity, thinned, with its limits and daily resets. Scope:
        evaluation:read.
        """
        found: m.EquityReply = self._ask(
            "GET",
            "/api/assessments/{assessment_id}/equity",
            path_={"assessment_id": assessment_id},
            query={"limit": limit},
        )
        return found

    def pack(
        self,
        *,
        assessment_id: str,
    ) -> m.PackReply:
        """A dispute pack: all entries with their proofs, and a script that judges them. Scope:
        evaluation:read.
        """
        found: m.PackReply = self._ask(
            "GET",
            "/api/assessments/{assessment_id}/pack",
            path_={"assessment_id": assessment_id},
        )
        return found

    def risk_book(
        self,
    ) -> m.RiskBookReply:
        """What all assessments of your tenant hold together, funded ones apart. Scope:
        evaluation:write.
        """
        found: m.RiskBookReply = self._ask(
            "GET",
            "/api/assessments/risk-book",
        )
        return found

    def payouts(
        self,
        *,
        state: Literal['agreed', 'asked', 'failed', 'paid', 'refused'] = ABSENT,
        limit: int = ABSENT,
    ) -> m.PayoutsAskedReply:
        """Payouts that were asked for, with who asked and what was decided, newest first. Scope:
        evaluation:read.
        """
        found: m.PayoutsAskedReply = self._ask(
            "GET",
            "/api/assessments/payouts",
            query={"state": state, "limit": limit},
        )
        return found

    def violations(
        self,
        *,
        rule: str = ABSENT,
        cursor: int = ABSENT,
        limit: int = ABSENT,
    ) -> m.ViolationsReply:
        """Rules that were broken, with value and limit, newest first. Scope: evaluation:read."""
        found: m.ViolationsReply = self._ask(
            "GET",
            "/api/violations",
            query={"rule": rule, "cursor": cursor, "limit": limit},
        )
        return found

    def abandon(
        self,
        *,
        assessment_id: str,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.AssessmentDone:
        """Give an assessment up: its positions are closed, and it ends. Scope: evaluation:ask.
        """
        found: m.AssessmentDone = self._ask(
            "POST",
            "/api/assessments/{assessment_id}/abandon",
            path_={"assessment_id": assessment_id},
            body={"reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def ask_payout(
        self,
        *,
        assessment_id: str,
        idempotency_key: str = ABSENT,
    ) -> m.AssessmentDone:
        """Ask for your part of a funded account's profit; somebody else must agree. Scope:
        evaluation:ask.
        """
        found: m.AssessmentDone = self._ask(
            "POST",
            "/api/assessments/{assessment_id}/payouts",
            path_={"assessment_id": assessment_id},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def decide_payout(
        self,
        *,
        assessment_id: str,
        number: int,
        agrees: bool,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.AssessmentDone:
        """Agree to a payout that somebody else asked for, refuse it, or try it again. Scope:
        evaluation:write.
        """
        found: m.AssessmentDone = self._ask(
            "POST",
            "/api/assessments/{assessment_id}/payouts/{number}",
            path_={"assessment_id": assessment_id, "number": number},
            body={"agrees": agrees, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found


class Simulations:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def ask(
        self,
        *,
        kind: m.SimulationKind,
        idempotency_key: str = ABSENT,
        odds: m.OddsAsk | None = ABSENT,
        projection: m.ProjectionAsk | None = ABSENT,
        validation: m.ValidationAsk | None = ABSENT,
        journals: builtins.list[m.JournalText] = ABSENT,
    ) -> m.SimulationFound:
        """Simulate a tier or days that were traded; the same question is walked once. Scope:
        tiers:write.
        """
        found: m.SimulationFound = self._ask(
            "POST",
            "/api/simulations",
            body={"kind": kind, "odds": odds, "projection": projection, "validation": validation, "journals": journals},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def one(
        self,
        *,
        simulation_id: str,
    ) -> m.SimulationFound:
        """One simulation: what it was made of, how far it is, and what was found. Scope:
        tiers:write.
        """
        found: m.SimulationFound = self._ask(
            "GET",
            "/api/simulations/{simulation_id}",
            path_={"simulation_id": simulation_id},
        )
        return found

    def cancel(
        self,
        *,
        simulation_id: str,
        idempotency_key: str = ABSENT,
    ) -> m.SimulationFound:
        """Stop a simulation that is under way. Scope: tiers:write."""
        found: m.SimulationFound = self._ask(
            "DELETE",
            "/api/simulations/{simulation_id}",
            path_={"simulation_id": simulation_id},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def list(
        self,
        *,
        kind: m.SimulationKind = ABSENT,
        tier: str = ABSENT,
        state: Literal['canceled', 'done', 'failed', 'interrupted', 'running'] = ABSENT,
        cursor: int = ABSENT,
        limit: int = ABSENT,
    ) -> m.SimulationsReply:
        """Simulations that were asked for, by kind, tier and state. Scope: tiers:write."""
        found: m.SimulationsReply = self._ask(
            "GET",
            "/api/simulations",
            query={"kind": kind, "tier": tier, "state": state, "cursor": cursor, "limit": limit},
        )
        return found


class Reports:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def overview(
        self,
        *,
        account_id: str = ABSENT,
        kind: m.ReportKind = ABSENT,
        cursor: int = ABSENT,
        limit: int = ABSENT,
    ) -> m.ReportsReply:
        """Reports that were made, newest first. Scope: reports:read."""
        found: m.ReportsReply = self._ask(
            "GET",
            "/api/reports",
            query={"account_id": account_id, "kind": kind, "cursor": cursor, "limit": limit},
        )
        return found

    def make(
        self,
        *,
        kind: m.ReportKind,
        account_id: str,
        idempotency_key: str = ABSENT,
        currency: str | None = ABSENT,
        time_zone: str = ABSENT,
        min_position: int = ABSENT,
    ) -> m.ReportsReportReply:
        """Make a report of an account: five kinds, as a page and a PDF, hashed for ever. Scope:
        reports:write.
        """
        found: m.ReportsReportReply = self._ask(
            "POST",
            "/api/reports",
            body={"kind": kind, "account_id": account_id, "currency": currency, "time_zone": time_zone, "min_position": min_position},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def one(
        self,
        *,
        report_id: str,
    ) -> m.ReportsReportReply:
        """One report: its hashes, and where it is. Scope: reports:read."""
        found: m.ReportsReportReply = self._ask(
            "GET",
            "/api/reports/{report_id}",
            path_={"report_id": report_id},
        )
        return found

    def html(
        self,
        *,
        report_id: str,
    ) -> str:
        """A report as a page that needs nothing but itself. Scope: reports:read."""
        found: str = self._ask(
            "GET",
            "/api/reports/{report_id}/html",
            path_={"report_id": report_id},
        )
        return found

    def pdf(
        self,
        *,
        report_id: str,
    ) -> str:
        """A report as a PDF. Scope: reports:read."""
        found: str = self._ask(
            "GET",
            "/api/reports/{report_id}/pdf",
            path_={"report_id": report_id},
        )
        return found

    def csv(
        self,
        *,
        report_id: str,
        table: str = ABSENT,
    ) -> str:
        """A table of a report as CSV, with every digit. Scope: reports:read."""
        found: str = self._ask(
            "GET",
            "/api/reports/{report_id}/csv",
            path_={"report_id": report_id},
            query={"table": table},
        )
        return found


class Purchases:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def offer(
        self,
        *,
        tier: str,
        purpose: Literal['assessment', 'extension', 'reset', 'upgrade'] = ABSENT,
        assessment_id: str = ABSENT,
        coupon: str = ABSENT,
        affiliate: str = ABSENT,
        country: str = ABSENT,
    ) -> m.OfferShown:
        """What a tier would cost now, with its discount and tax, before anything is bought. Scope:
        purchases:read.
        """
        found: m.OfferShown = self._ask(
            "GET",
            "/api/purchases/offer",
            query={"tier": tier, "purpose": purpose, "assessment_id": assessment_id, "coupon": coupon, "affiliate": affiliate, "country": country},
        )
        return found

    def buy(
        self,
        *,
        tier: str,
        idempotency_key: str = ABSENT,
        purpose: Literal['assessment', 'extension', 'reset', 'upgrade'] = ABSENT,
        assessment_id: str = ABSENT,
        coupon: str | None = ABSENT,
        affiliate: str | None = ABSENT,
        country: str | None = ABSENT,
    ) -> m.PurchaseShown:
        """Buy a tier for oneself: the answer says where it is paid, on the provider's page. Scope:
        purchases:write.
        """
        found: m.PurchaseShown = self._ask(
            "POST",
            "/api/purchases",
            body={"tier": tier, "purpose": purpose, "assessment_id": assessment_id, "coupon": coupon, "affiliate": affiliate, "country": country},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def show(
        self,
        *,
        purchase_id: str,
    ) -> m.PurchaseShown:
        """One purchase, with its lines, its refunds and where it is paid. Scope: purchases:read.
        """
        found: m.PurchaseShown = self._ask(
            "GET",
            "/api/purchases/{purchase_id}",
            path_={"purchase_id": purchase_id},
        )
        return found

    def payouts(
        self,
        *,
        state: Literal['failed', 'ordered', 'paid'] = ABSENT,
        user: str = ABSENT,
        limit: int = ABSENT,
    ) -> m.PayoutsReply:
        """What was paid out, newest first: to oneself, or to everybody if one may see that. Scope:
        purchases:read.
        """
        found: m.PayoutsReply = self._ask(
            "GET",
            "/api/payouts",
            query={"state": state, "user": user, "limit": limit},
        )
        return found

    def payout_destination(
        self,
    ) -> m.DestinationShown:
        """Where you are paid: your account at the payment provider. Scope: purchases:read."""
        found: m.DestinationShown = self._ask(
            "GET",
            "/api/payouts/destination",
        )
        return found

    def set_payout_destination(
        self,
        *,
        destination: str,
        idempotency_key: str = ABSENT,
    ) -> m.DestinationShown:
        """Say where you are paid from now on; payouts that have begun stay where they were. Scope:
        purchases:write.
        """
        found: m.DestinationShown = self._ask(
            "PUT",
            "/api/payouts/destination",
            body={"destination": destination},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def reconciliation(
        self,
        *,
        day: str = ABSENT,
    ) -> m.ReconciliationShown:
        """A day of ours beside the provider's own books: what is missing, what differs. Scope:
        payments:read.
        """
        found: m.ReconciliationShown = self._ask(
            "GET",
            "/api/purchases/reconciliation",
            query={"day": day},
        )
        return found

    def refund(
        self,
        *,
        purchase_id: str,
        reason: str,
        idempotency_key: str = ABSENT,
        amount: str | None = ABSENT,
    ) -> m.PurchaseShown:
        """Give back what was paid, or a part of it, once a second person agrees. Scope:
        payments:write.
        """
        found: m.PurchaseShown = self._ask(
            "POST",
            "/api/purchases/{purchase_id}/refund",
            path_={"purchase_id": purchase_id},
            body={"reason": reason, "amount": amount},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def disputes(
        self,
        *,
        state: Literal['lost', 'open', 'won'] = ABSENT,
        limit: int = ABSENT,
    ) -> m.DisputesReply:
        """What buyers' banks have taken back: open disputes first, by the time left. Scope:
        payments:read.
        """
        found: m.DisputesReply = self._ask(
            "GET",
            "/api/disputes",
            query={"state": state, "limit": limit},
        )
        return found

    def submit_evidence(
        self,
        *,
        dispute: str,
        idempotency_key: str = ABSENT,
        product: str = ABSENT,
        activity: str = ABSENT,
        text: str = ABSENT,
    ) -> m.DisputeShown:
        """Answer a dispute, once and for good, when a second person agrees. Scope: payments:write.
        """
        found: m.DisputeShown = self._ask(
            "POST",
            "/api/disputes/{dispute}/evidence",
            path_={"dispute": dispute},
            body={"product": product, "activity": activity, "text": text},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def list(
        self,
        *,
        state: Literal['awaiting_payment', 'charged_back', 'completed', 'disputed', 'expired', 'opened', 'partly_refunded', 'pending', 'refunded'] = ABSENT,
        user: str = ABSENT,
        before: int = ABSENT,
        limit: int = ABSENT,
    ) -> m.PurchasesReply:
        """What was bought, newest first: by oneself, or by everybody for who may see that. Scope:
        purchases:read.
        """
        found: m.PurchasesReply = self._ask(
            "GET",
            "/api/purchases",
            query={"state": state, "user": user, "before": before, "limit": limit},
        )
        return found


class Shop:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def coupons(
        self,
    ) -> m.CouponsReply:
        """The coupons of the shop, and how often each was used. Scope: payments:read."""
        found: m.CouponsReply = self._ask(
            "GET",
            "/api/coupons",
        )
        return found

    def put_coupon(
        self,
        *,
        coupon: str,
        idempotency_key: str = ABSENT,
        percent: str | None = ABSENT,
        amount: str | None = ABSENT,
        currency: str | None = ABSENT,
        uses_max: int = ABSENT,
        uses_each_max: int = ABSENT,
        begins_at: int = ABSENT,
        ends_at: int = ABSENT,
        products: list[str] = ABSENT,
    ) -> m.CouponShown:
        """Make a coupon, or change it for purchases from now on. Scope: payments:write."""
        found: m.CouponShown = self._ask(
            "PUT",
            "/api/coupons/{coupon}",
            path_={"coupon": coupon},
            body={"percent": percent, "amount": amount, "currency": currency, "uses_max": uses_max, "uses_each_max": uses_each_max, "begins_at": begins_at, "ends_at": ends_at, "products": products},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def retire_coupon(
        self,
        *,
        coupon: str,
        idempotency_key: str = ABSENT,
    ) -> m.CouponGone:
        """Take a coupon back: nobody uses it from now on. Scope: payments:write."""
        found: m.CouponGone = self._ask(
            "DELETE",
            "/api/coupons/{coupon}",
            path_={"coupon": coupon},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def affiliates(
        self,
    ) -> m.AffiliatesReply:
        """Who brings buyers, and what they have earned. Scope: payments:read."""
        found: m.AffiliatesReply = self._ask(
            "GET",
            "/api/affiliates",
        )
        return found

    def put_affiliate(
        self,
        *,
        affiliate: str,
        name: str,
        percent: str,
        idempotency_key: str = ABSENT,
        is_active: bool = ABSENT,
    ) -> m.AffiliateShown:
        """Add somebody who brings buyers, or change what they earn from now on. Scope:
        payments:write.
        """
        found: m.AffiliateShown = self._ask(
            "PUT",
            "/api/affiliates/{affiliate}",
            path_={"affiliate": affiliate},
            body={"name": name, "percent": percent, "is_active": is_active},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def tax_rates(
        self,
    ) -> m.TaxRatesReply:
        """The tax on purchases by the buyer's country. Scope: payments:read."""
        found: m.TaxRatesReply = self._ask(
            "GET",
            "/api/tax-rates",
        )
        return found

    def put_tax_rate(
        self,
        *,
        country: str,
        name: str,
        percent: str,
        idempotency_key: str = ABSENT,
        is_included: bool = ABSENT,
    ) -> m.TaxRateShown:
        """Set the tax of a country on purchases from now on. Scope: payments:write."""
        found: m.TaxRateShown = self._ask(
            "PUT",
            "/api/tax-rates/{country}",
            path_={"country": country},
            body={"name": name, "percent": percent, "is_included": is_included},
            header={"Idempotency-Key": idempotency_key},
        )
        return found


class Test_clock:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def show(
        self,
    ) -> m.ClockReply:
        """What time it is in a sandbox, whether it moves, and what is due next. Scope:
        market:read.
        """
        found: m.ClockReply = self._ask(
            "GET",
            "/api/test-clock",
        )
        return found

    def advance(
        self,
        *,
        idempotency_key: str = ABSENT,
        to: str | None = ABSENT,
        by: str | None = ABSENT,
        prices: list[m.PriceAsk] = ABSENT,
    ) -> m.ClockReply:
        """Move a sandbox's time on: whatever is due until then happens at its time. Scope:
        house:write.
        """
        found: m.ClockReply = self._ask(
            "POST",
            "/api/test-clock/advance",
            body={"to": to, "by": by, "prices": prices},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def cancel(
        self,
        *,
        idempotency_key: str = ABSENT,
    ) -> m.ClockReply:
        """Let a sandbox's time stand where it is. Scope: house:write."""
        found: m.ClockReply = self._ask(
            "DELETE",
            "/api/test-clock/advance",
            header={"Idempotency-Key": idempotency_key},
        )
        return found


class Market:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def price(
        self,
        *,
        symbol: str,
    ) -> m.PriceReply:
        """Last, middle and mark of an instrument, each with source, age and quality. Scope:
        market:read.
        """
        found: m.PriceReply = self._ask(
            "GET",
            "/api/market-data/prices/{symbol}",
            path_={"symbol": symbol},
        )
        return found

    def orderbook(
        self,
        *,
        symbol: str,
        depth: int = ABSENT,
    ) -> m.OrderbookReply:
        """The order book of an instrument, best levels first, with sequence and checksum. Scope:
        market:read.
        """
        found: m.OrderbookReply = self._ask(
            "GET",
            "/api/market-data/orderbook/{symbol}",
            path_={"symbol": symbol},
            query={"depth": depth},
        )
        return found

    def consolidated(
        self,
        *,
        symbol: str,
        depth: int = ABSENT,
    ) -> m.ConsolidatedReply:
        """The levels of every good source of an instrument together, each with its origin. Scope:
        market:read.
        """
        found: m.ConsolidatedReply = self._ask(
            "GET",
            "/api/market-data/consolidated/{symbol}",
            path_={"symbol": symbol},
            query={"depth": depth},
        )
        return found

    def bars(
        self,
        *,
        symbol: str,
        interval: str = ABSENT,
        limit: int = ABSENT,
    ) -> m.BarsReply:
        """Open, high, low, close and volume of the newest intervals, oldest first. Scope:
        market:read.
        """
        found: m.BarsReply = self._ask(
            "GET",
            "/api/market-data/bars/{symbol}",
            path_={"symbol": symbol},
            query={"interval": interval, "limit": limit},
        )
        return found

    def contracts(
        self,
    ) -> m.ContractsReply:
        """Event contracts: open, closed, determined, disputed or settled, and what they paid.
        Scope: market:read.
        """
        found: m.ContractsReply = self._ask(
            "GET",
            "/api/market-data/contracts",
        )
        return found

    def feeds(
        self,
    ) -> m.FeedsReply:
        """The health of every instrument's feed: quality, gaps, delays, sources and switches.
        Scope: market:read.
        """
        found: m.FeedsReply = self._ask(
            "GET",
            "/api/market-data/feeds",
        )
        return found


class House:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def health(
        self,
    ) -> m.HouseReply:
        """How the house is: parts, feeds, latency, followers, disk, checks, verification. Scope:
        house:read.
        """
        found: m.HouseReply = self._ask(
            "GET",
            "/api/house",
        )
        return found

    def latency(
        self,
        *,
        seconds: int = ABSENT,
        step_s: int = ABSENT,
    ) -> m.LatencyReply:
        """How fast orders were answered lately: percentiles and throughput by time. Scope:
        house:read.
        """
        found: m.LatencyReply = self._ask(
            "GET",
            "/api/house/latency",
            query={"seconds": seconds, "step_s": step_s},
        )
        return found

    def versions(
        self,
    ) -> m.VersionsReply:
        """Versions of the API: what changed in each, and until when it is served."""
        found: m.VersionsReply = self._ask(
            "GET",
            "/api/versions",
        )
        return found

    def version_uses(
        self,
    ) -> m.UsesReply:
        """Who of your tenant asked for which version of the API, and when last. Scope: house:read.
        """
        found: m.UsesReply = self._ask(
            "GET",
            "/api/versions/uses",
        )
        return found


class Journal:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def verification(
        self,
    ) -> m.VerificationReply:
        """How far the verification of the journal is, and what the last one has found. Scope:
        house:read.
        """
        found: m.VerificationReply = self._ask(
            "GET",
            "/api/journal/verify",
        )
        return found

    def verify(
        self,
        *,
        idempotency_key: str = ABSENT,
    ) -> m.VerificationReply:
        """Begin to verify the journal byte by byte, beside what goes on; one at a time. Scope:
        house:read.
        """
        found: m.VerificationReply = self._ask(
            "POST",
            "/api/journal/verify",
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def root(
        self,
        *,
        size: int = ABSENT,
    ) -> m.RootReply:
        """The root of the journal's Merkle log, and the newest that was published. Scope:
        journal:read.
        """
        found: m.RootReply = self._ask(
            "GET",
            "/api/journal/root",
            query={"size": size},
        )
        return found

    def roots(
        self,
        *,
        after: int = ABSENT,
        limit: int = ABSENT,
    ) -> m.RootsReply:
        """The roots that were published, oldest first; keep one elsewhere. Scope: journal:read.
        """
        found: m.RootsReply = self._ask(
            "GET",
            "/api/journal/roots",
            query={"after": after, "limit": limit},
        )
        return found

    def proof(
        self,
        *,
        position: int,
        size: int = ABSENT,
    ) -> m.Inclusion:
        """Prove that an entry is in the journal; fondaco proof --verifier checks it. Scope:
        journal:read.
        """
        found: m.Inclusion = self._ask(
            "GET",
            "/api/journal/proof",
            query={"position": position, "size": size},
        )
        return found

    def consistency(
        self,
        *,
        from_: int,
        to: int = ABSENT,
    ) -> m.Consistency:
        """Prove that the journal begins with what it was at an earlier size. Scope: journal:read.
        """
        found: m.Consistency = self._ask(
            "GET",
            "/api/journal/consistency",
            query={"from": from_, "to": to},
        )
        return found

    def entries(
        self,
        *,
        after: int = ABSENT,
        limit: int = ABSENT,
        before: int = ABSENT,
        stream: str = ABSENT,
        kind: str = ABSENT,
        cause: str = ABSENT,
        text: str = ABSENT,
        wait_ms: int = ABSENT,
    ) -> m.JournalReply:
        """Entries of the journal in order, searched and waited for, newest or oldest. Scope:
        journal:read.
        """
        found: m.JournalReply = self._ask(
            "GET",
            "/api/journal",
            query={"after": after, "limit": limit, "before": before, "stream": stream, "kind": kind, "cause": cause, "text": text, "wait_ms": wait_ms},
        )
        return found

    def at(
        self,
        *,
        time: str,
    ) -> m.JournalAtReply:
        """The position at which the journal ended at a time. Scope: journal:read."""
        found: m.JournalAtReply = self._ask(
            "GET",
            "/api/journal/at",
            query={"time": time},
        )
        return found

    def timeline(
        self,
        *,
        first: int = ABSENT,
        last: int = ABSENT,
        points: int = ABSENT,
    ) -> m.TradingTimelineReply:
        """Positions of the journal with their times: what a time slider is drawn from. Scope:
        journal:read.
        """
        found: m.TradingTimelineReply = self._ask(
            "GET",
            "/api/journal/timeline",
            query={"first": first, "last": last, "points": points},
        )
        return found


class Trading:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def orders(
        self,
        *,
        account_id: str = ABSENT,
        cl_ord_id: str = ABSENT,
        symbol: str = ABSENT,
        ord_status: str = ABSENT,
        side: m.Side = ABSENT,
        since: str = ABSENT,
        until: str = ABSENT,
        cursor: str = ABSENT,
        limit: int = ABSENT,
        min_position: int = ABSENT,
        order_ids: str = ABSENT,
    ) -> m.Page_OrderLine_:
        """List orders, newest first, by account, cl_ord_id, symbol, status, side, time. Scope:
        orders:read.
        """
        found: m.Page_OrderLine_ = self._ask(
            "GET",
            "/api/orders",
            query={"account_id": account_id, "cl_ord_id": cl_ord_id, "symbol": symbol, "ord_status": ord_status, "side": side, "since": since, "until": until, "cursor": cursor, "limit": limit, "min_position": min_position, "order_ids": order_ids},
        )
        return found

    def place_order(
        self,
        *,
        account_id: str,
        cl_ord_id: str,
        symbol: str,
        side: m.Side,
        idempotency_key: str = ABSENT,
        ord_type: m.OrdType = ABSENT,
        order_qty: str | None = ABSENT,
        price: str | None = ABSENT,
        time_in_force: m.TimeInForce = ABSENT,
        stop_px: str | None = ABSENT,
        trail_offset: str | None = ABSENT,
        display_qty: str | None = ABSENT,
        cash_order_qty: str | None = ABSENT,
        expire_time: str | None = ABSENT,
        post_only: bool = ABSENT,
        reduce_only: bool = ABSENT,
        self_match_prevention: m.SelfMatch | None = ABSENT,
        midpoint: bool = ABSENT,
        min_qty: str | None = ABSENT,
    ) -> m.OrderReply:
        """Place one order; the answer says what the account decided, for good. Scope:
        orders:write.
        """
        found: m.OrderReply = self._ask(
            "POST",
            "/api/orders",
            body={"account_id": account_id, "cl_ord_id": cl_ord_id, "symbol": symbol, "side": side, "ord_type": ord_type, "order_qty": order_qty, "price": price, "time_in_force": time_in_force, "stop_px": stop_px, "trail_offset": trail_offset, "display_qty": display_qty, "cash_order_qty": cash_order_qty, "expire_time": expire_time, "post_only": post_only, "reduce_only": reduce_only, "self_match_prevention": self_match_prevention, "midpoint": midpoint, "min_qty": min_qty},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def cancel_orders(
        self,
        *,
        account_id: str,
        symbol: str = ABSENT,
        side: m.Side = ABSENT,
        idempotency_key: str = ABSENT,
    ) -> m.ChangesReply:
        """Cancel all working orders of an account, or those of a symbol or a side. Scope:
        orders:write.
        """
        found: m.ChangesReply = self._ask(
            "DELETE",
            "/api/orders",
            query={"account_id": account_id, "symbol": symbol, "side": side},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def place_orders(
        self,
        *,
        orders: list[m.PlaceOrderRequest],
        idempotency_key: str = ABSENT,
        atomic: bool = ABSENT,
        contingency: m.Contingency | None = ABSENT,
    ) -> m.BulkReply:
        """Place many orders, each for itself, or all or none in one turn. Scope: orders:write.
        """
        found: m.BulkReply = self._ask(
            "POST",
            "/api/orders/bulk",
            body={"orders": orders, "atomic": atomic, "contingency": contingency},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def order(
        self,
        *,
        order_id: str,
        min_position: int = ABSENT,
    ) -> m.OrderReplyFull:
        """One order with its history and its executions. Scope: orders:read."""
        found: m.OrderReplyFull = self._ask(
            "GET",
            "/api/orders/{order_id}",
            path_={"order_id": order_id},
            query={"min_position": min_position},
        )
        return found

    def replace_order(
        self,
        *,
        order_id: str,
        cl_ord_id: str,
        idempotency_key: str = ABSENT,
        order_qty: str | None = ABSENT,
        price: str | None = ABSENT,
        stop_px: str | None = ABSENT,
    ) -> m.ChangeReply:
        """Change quantity, price or stop of a working order, under a new cl_ord_id. Scope:
        orders:write.
        """
        found: m.ChangeReply = self._ask(
            "PATCH",
            "/api/orders/{order_id}",
            path_={"order_id": order_id},
            body={"cl_ord_id": cl_ord_id, "order_qty": order_qty, "price": price, "stop_px": stop_px},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def cancel_order(
        self,
        *,
        order_id: str,
        idempotency_key: str = ABSENT,
    ) -> m.ChangeReply:
        """Cancel one working order. Scope: orders:write."""
        found: m.ChangeReply = self._ask(
            "DELETE",
            "/api/orders/{order_id}",
            path_={"order_id": order_id},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def close_positions(
        self,
        *,
        account_id: str,
        idempotency_key: str = ABSENT,
        symbol: str | None = ABSENT,
    ) -> m.ChangesReply:
        """Cancel what works, then sell every position at market, or one symbol's. Scope:
        orders:write.
        """
        found: m.ChangesReply = self._ask(
            "POST",
            "/api/positions/close",
            body={"account_id": account_id, "symbol": symbol},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def accounts(
        self,
        *,
        cursor: str = ABSENT,
        limit: int = ABSENT,
        min_position: int = ABSENT,
    ) -> m.Page_AccountLine_:
        """List your tenant's accounts. Scope: accounts:read."""
        found: m.Page_AccountLine_ = self._ask(
            "GET",
            "/api/accounts",
            query={"cursor": cursor, "limit": limit, "min_position": min_position},
        )
        return found

    def open_account(
        self,
        *,
        account_id: str,
        idempotency_key: str = ABSENT,
        name: str = ABSENT,
        virtual: bool = ABSENT,
        account_type: m.AccountType = ABSENT,
    ) -> m.AccountOpenedReply:
        """Open an account of your tenant's. Scope: accounts:write."""
        found: m.AccountOpenedReply = self._ask(
            "POST",
            "/api/accounts",
            body={"account_id": account_id, "name": name, "virtual": virtual, "account_type": account_type},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def transfers(
        self,
        *,
        account_id: str,
        limit: int = ABSENT,
        min_position: int = ABSENT,
    ) -> m.TransfersReply:
        """Deposits and withdrawals of an account, newest first. Scope: accounts:read."""
        found: m.TransfersReply = self._ask(
            "GET",
            "/api/accounts/{account_id}/transfers",
            path_={"account_id": account_id},
            query={"limit": limit, "min_position": min_position},
        )
        return found

    def transfer(
        self,
        *,
        account_id: str,
        asset: str,
        amount: str,
        direction: Literal['deposit', 'withdrawal'],
        idempotency_key: str = ABSENT,
        transfer_id: str | None = ABSENT,
    ) -> m.TradingTransferReply:
        """Deposit to an account, or withdraw what nothing holds. Scope: accounts:write."""
        found: m.TradingTransferReply = self._ask(
            "POST",
            "/api/accounts/{account_id}/transfers",
            path_={"account_id": account_id},
            body={"asset": asset, "amount": amount, "direction": direction, "transfer_id": transfer_id},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def deposit(
        self,
        *,
        account_id: str,
        asset: str,
        amount: str,
        idempotency_key: str = ABSENT,
        transfer_id: str | None = ABSENT,
    ) -> m.TradingTransferReply:
        """Deposit to an account. Scope: accounts:write."""
        found: m.TradingTransferReply = self._ask(
            "POST",
            "/api/accounts/{account_id}/deposits",
            path_={"account_id": account_id},
            body={"asset": asset, "amount": amount, "transfer_id": transfer_id},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def withdraw(
        self,
        *,
        account_id: str,
        asset: str,
        amount: str,
        idempotency_key: str = ABSENT,
        transfer_id: str | None = ABSENT,
    ) -> m.TradingTransferReply:
        """Withdraw from an account what nothing holds. Scope: accounts:write."""
        found: m.TradingTransferReply = self._ask(
            "POST",
            "/api/accounts/{account_id}/withdrawals",
            path_={"account_id": account_id},
            body={"asset": asset, "amount": amount, "transfer_id": transfer_id},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def set_account_limits(
        self,
        *,
        account_id: str,
        limits: m.LimitsBody | None,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.DoneReply:
        """Give an account limits of its own, or take them back. Scope: limits:write."""
        found: m.DoneReply = self._ask(
            "PUT",
            "/api/accounts/{account_id}/limits",
            path_={"account_id": account_id},
            body={"limits": limits, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def set_account_fees(
        self,
        *,
        account_id: str,
        fees: m.FeeRates | None,
        reason: str,
        idempotency_key: str = ABSENT,
        symbol: str | None = ABSENT,
    ) -> m.DoneReply:
        """Give an account fees of its own, or take them back. Scope: house:write."""
        found: m.DoneReply = self._ask(
            "PUT",
            "/api/accounts/{account_id}/fees",
            path_={"account_id": account_id},
            body={"fees": fees, "reason": reason, "symbol": symbol},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def set_account_state(
        self,
        *,
        account_id: str,
        state: m.TradingState,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.DoneReply:
        """Let an account trade, only reduce, or halt it. Scope: limits:write."""
        found: m.DoneReply = self._ask(
            "PUT",
            "/api/accounts/{account_id}/trading-state",
            path_={"account_id": account_id},
            body={"state": state, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def record_finality(
        self,
        *,
        order_id: str,
        exec_number: int,
        finality: m.Finality,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.DoneReply:
        """Say of an execution that its trade is confirmed, or has failed. Scope: house:write."""
        found: m.DoneReply = self._ask(
            "PUT",
            "/api/orders/{order_id}/finality",
            path_={"order_id": order_id},
            body={"exec_number": exec_number, "finality": finality, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def send(
        self,
        *,
        account_id: str,
        to_account_id: str,
        asset: str,
        amount: str,
        idempotency_key: str = ABSENT,
        transfer_id: str | None = ABSENT,
    ) -> m.SentNowReply:
        """Send what nothing holds to another account of yours. Scope: accounts:write."""
        found: m.SentNowReply = self._ask(
            "POST",
            "/api/transfers",
            body={"account_id": account_id, "to_account_id": to_account_id, "asset": asset, "amount": amount, "transfer_id": transfer_id},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def reset_account(
        self,
        *,
        account_id: str,
        balances: dict[str, str],
        idempotency_key: str = ABSENT,
    ) -> m.DoneReply:
        """Give a virtual account new balances and no history of gains. Scope: accounts:write."""
        found: m.DoneReply = self._ask(
            "POST",
            "/api/accounts/{account_id}/reset",
            path_={"account_id": account_id},
            body={"balances": balances},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def margin(
        self,
        *,
        account_id: str,
    ) -> m.MarginReply:
        """Where a margin account stands: equity, requirements, liquidation prices. Scope:
        accounts:read.
        """
        found: m.MarginReply = self._ask(
            "GET",
            "/api/accounts/{account_id}/margin",
            path_={"account_id": account_id},
        )
        return found

    def executions(
        self,
        *,
        account_id: str = ABSENT,
        symbol: str = ABSENT,
        since: str = ABSENT,
        until: str = ABSENT,
        cursor: str = ABSENT,
        limit: int = ABSENT,
        min_position: int = ABSENT,
        order_ids: str = ABSENT,
    ) -> m.Page_ExecutionLine_:
        """List executions, newest first. Scope: orders:read."""
        found: m.Page_ExecutionLine_ = self._ask(
            "GET",
            "/api/executions",
            query={"account_id": account_id, "symbol": symbol, "since": since, "until": until, "cursor": cursor, "limit": limit, "min_position": min_position, "order_ids": order_ids},
        )
        return found

    def account(
        self,
        *,
        account_id: str,
        as_of: int = ABSENT,
        min_position: int = ABSENT,
    ) -> m.AccountReply:
        """An account's balances and their value, now or as of a position. Scope: accounts:read.
        """
        found: m.AccountReply = self._ask(
            "GET",
            "/api/accounts/{account_id}",
            path_={"account_id": account_id},
            query={"as_of": as_of, "min_position": min_position},
        )
        return found

    def statement(
        self,
        *,
        account_id: str,
        since: str = ABSENT,
        until: str = ABSENT,
        min_position: int = ABSENT,
    ) -> str:
        """Every movement of an account in a time, with the balance after each, as CSV. Scope:
        accounts:read.
        """
        found: str = self._ask(
            "GET",
            "/api/accounts/{account_id}/statement.csv",
            path_={"account_id": account_id},
            query={"since": since, "until": until, "min_position": min_position},
        )
        return found

    def daily_statement(
        self,
        *,
        account_id: str,
        day: str,
        min_position: int = ABSENT,
    ) -> m.DailyStatement:
        """A session day: opening and closing balances, every movement, fees and gains. Scope:
        accounts:read.
        """
        found: m.DailyStatement = self._ask(
            "GET",
            "/api/accounts/{account_id}/statements/{day}",
            path_={"account_id": account_id, "day": day},
            query={"min_position": min_position},
        )
        return found

    def daily_statement_csv(
        self,
        *,
        account_id: str,
        day: str,
        min_position: int = ABSENT,
    ) -> str:
        """A session day as CSV. Scope: accounts:read."""
        found: str = self._ask(
            "GET",
            "/api/accounts/{account_id}/statements/{day}/csv",
            path_={"account_id": account_id, "day": day},
            query={"min_position": min_position},
        )
        return found

    def daily_statement_html(
        self,
        *,
        account_id: str,
        day: str,
        min_position: int = ABSENT,
    ) -> str:
        """A session day as a page to be printed. Scope: accounts:read."""
        found: str = self._ask(
            "GET",
            "/api/accounts/{account_id}/statements/{day}/html",
            path_={"account_id": account_id, "day": day},
            query={"min_position": min_position},
        )
        return found

    def settlements(
        self,
        *,
        account_id: str,
        state: Literal['settled', 'traded'] = ABSENT,
        limit: int = ABSENT,
        min_position: int = ABSENT,
    ) -> m.SettlementsReply:
        """What fills have brought in, and whether it has settled; newest first. Scope:
        accounts:read.
        """
        found: m.SettlementsReply = self._ask(
            "GET",
            "/api/accounts/{account_id}/settlements",
            path_={"account_id": account_id},
            query={"state": state, "limit": limit, "min_position": min_position},
        )
        return found

    def sent(
        self,
        *,
        account_id: str,
        cursor: int = ABSENT,
        limit: int = ABSENT,
        min_position: int = ABSENT,
    ) -> m.SentReply:
        """Transfers of an account to others, newest first, each with its state. Scope:
        accounts:read.
        """
        found: m.SentReply = self._ask(
            "GET",
            "/api/accounts/{account_id}/transfers/sent",
            path_={"account_id": account_id},
            query={"cursor": cursor, "limit": limit, "min_position": min_position},
        )
        return found

    def why(
        self,
        *,
        about: str,
        account_id: str = ABSENT,
        min_position: int = ABSENT,
    ) -> m.Why:
        """Why an order is as it is: each step, with what caused it. Scope: orders:read."""
        found: m.Why = self._ask(
            "GET",
            "/api/why/{about}",
            path_={"about": about},
            query={"account_id": account_id, "min_position": min_position},
        )
        return found

    def account_as_of(
        self,
        *,
        account_id: str,
        as_of: int,
    ) -> m.AsOfReply:
        """An account as of a position: balances, positions and working orders. Scope:
        accounts:read.
        """
        found: m.AsOfReply = self._ask(
            "GET",
            "/api/accounts/{account_id}/as-of/{as_of}",
            path_={"account_id": account_id, "as_of": as_of},
        )
        return found


class Risk:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def limits(
        self,
        *,
        account_id: str,
    ) -> m.LimitsReply:
        """The limits that hold for an account, and how much of them is used. Scope: limits:read.
        """
        found: m.LimitsReply = self._ask(
            "GET",
            "/api/risk/limits",
            query={"account_id": account_id},
        )
        return found

    def set_limits(
        self,
        *,
        limits: m.LimitsBody,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.DoneReply:
        """Set the limits of every account that has none of its own. Scope: house:write."""
        found: m.DoneReply = self._ask(
            "PUT",
            "/api/risk/limits",
            body={"limits": limits, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def set_trading_state(
        self,
        *,
        state: m.TradingState,
        reason: str,
        idempotency_key: str = ABSENT,
        symbol: str | None = ABSENT,
    ) -> m.DoneReply:
        """Let the house or one instrument trade, only reduce, or halt it. Scope: limits:write.
        """
        found: m.DoneReply = self._ask(
            "PUT",
            "/api/risk/trading-state",
            body={"state": state, "reason": reason, "symbol": symbol},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def kill_progress(
        self,
        *,
        since: int = ABSENT,
    ) -> m.KillProgressReply:
        """How far a kill or a stop is: blocked, sent, confirmed, and what is not. Scope:
        limits:read.
        """
        found: m.KillProgressReply = self._ask(
            "GET",
            "/api/risk/kill",
            query={"since": since},
        )
        return found

    def kill(
        self,
        *,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.DoneReply:
        """Accept nothing new anywhere and cancel what works, until unkilled. Scope: limits:write.
        """
        found: m.DoneReply = self._ask(
            "POST",
            "/api/risk/kill",
            body={"reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def unkill(
        self,
        *,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.DoneReply:
        """Take the kill switch back; the states set before hold again. Scope: limits:write."""
        found: m.DoneReply = self._ask(
            "POST",
            "/api/risk/unkill",
            body={"reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def set_restricted(
        self,
        *,
        symbols: list[str],
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.DoneReply:
        """Set the list of instruments that nobody may trade. Scope: limits:write."""
        found: m.DoneReply = self._ask(
            "PUT",
            "/api/risk/restricted",
            body={"symbols": symbols, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def set_session(
        self,
        *,
        time_zone: str,
        idempotency_key: str = ABSENT,
        opens_minute: int = ABSENT,
    ) -> m.DoneReply:
        """Set when a trading day begins, from which daily loss is measured. Scope: house:write.
        """
        found: m.DoneReply = self._ask(
            "PUT",
            "/api/risk/session",
            body={"time_zone": time_zone, "opens_minute": opens_minute},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def set_margin_rules(
        self,
        *,
        warning_bps: list[int],
        reason: str,
        idempotency_key: str = ABSENT,
        hysteresis_bps: int = ABSENT,
    ) -> m.DoneReply:
        """Set at which levels of margin use accounts are warned. Scope: house:write."""
        found: m.DoneReply = self._ask(
            "PUT",
            "/api/risk/margin-rules",
            body={"warning_bps": warning_bps, "reason": reason, "hysteresis_bps": hysteresis_bps},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def nearest_margin(
        self,
        *,
        limit: int = ABSENT,
    ) -> m.NearestReply:
        """The accounts on margin that are nearest to liquidation, and at which prices. Scope:
        house:read.
        """
        found: m.NearestReply = self._ask(
            "GET",
            "/api/margin",
            query={"limit": limit},
        )
        return found

    def stop(
        self,
        *,
        reason: str,
        idempotency_key: str = ABSENT,
        account_id: str | None = ABSENT,
        symbol: str | None = ABSENT,
    ) -> m.StoppedReply:
        """Accept nothing new of an account or an instrument, and cancel what works. Scope:
        limits:write.
        """
        found: m.StoppedReply = self._ask(
            "POST",
            "/api/risk/stop",
            body={"reason": reason, "account_id": account_id, "symbol": symbol},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def preview_limits(
        self,
        *,
        limits: m.LimitsBody | None,
        idempotency_key: str = ABSENT,
        account_id: str | None = ABSENT,
    ) -> m.PreviewLimitsReply:
        """New limits of an account or the house against what is used. Sets nothing. Scope:
        limits:read.
        """
        found: m.PreviewLimitsReply = self._ask(
            "POST",
            "/api/risk/limits/preview",
            body={"limits": limits, "account_id": account_id},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def validate(
        self,
        *,
        account_id: str,
        cl_ord_id: str,
        symbol: str,
        side: m.Side,
        idempotency_key: str = ABSENT,
        ord_type: m.OrdType = ABSENT,
        order_qty: str | None = ABSENT,
        price: str | None = ABSENT,
        time_in_force: m.TimeInForce = ABSENT,
        stop_px: str | None = ABSENT,
        trail_offset: str | None = ABSENT,
        display_qty: str | None = ABSENT,
        cash_order_qty: str | None = ABSENT,
        expire_time: str | None = ABSENT,
        post_only: bool = ABSENT,
        reduce_only: bool = ABSENT,
        self_match_prevention: m.SelfMatch | None = ABSENT,
        midpoint: bool = ABSENT,
        min_qty: str | None = ABSENT,
    ) -> m.ValidationReply:
        """Say what an order would be told and would cost. Places nothing. Scope: orders:read."""
        found: m.ValidationReply = self._ask(
            "POST",
            "/api/risk/validate",
            body={"account_id": account_id, "cl_ord_id": cl_ord_id, "symbol": symbol, "side": side, "ord_type": ord_type, "order_qty": order_qty, "price": price, "time_in_force": time_in_force, "stop_px": stop_px, "trail_offset": trail_offset, "display_qty": display_qty, "cash_order_qty": cash_order_qty, "expire_time": expire_time, "post_only": post_only, "reduce_only": reduce_only, "self_match_prevention": self_match_prevention, "midpoint": midpoint, "min_qty": min_qty},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def validate_replace(
        self,
        *,
        order_id: str,
        idempotency_key: str = ABSENT,
        order_qty: str | None = ABSENT,
        price: str | None = ABSENT,
        stop_px: str | None = ABSENT,
    ) -> m.ReplaceValidationReply:
        """Say what new terms of a working order would be told. Changes nothing. Scope:
        orders:read.
        """
        found: m.ReplaceValidationReply = self._ask(
            "POST",
            "/api/risk/validate/replace",
            body={"order_id": order_id, "order_qty": order_qty, "price": price, "stop_px": stop_px},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def validate_list(
        self,
        *,
        orders: list[m.PlaceOrderRequest],
        idempotency_key: str = ABSENT,
        atomic: bool = ABSENT,
        contingency: m.Contingency | None = ABSENT,
    ) -> m.ListValidationReply:
        """The same of an atomic list, an OCO or a bracket. Places nothing. Scope: orders:read.
        """
        found: m.ListValidationReply = self._ask(
            "POST",
            "/api/risk/validate/bulk",
            body={"orders": orders, "atomic": atomic, "contingency": contingency},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def positions(
        self,
        *,
        account_id: str,
        as_of: int = ABSENT,
        min_position: int = ABSENT,
    ) -> m.PositionsReply:
        """What an account is exposed to, now or as of a position. Scope: accounts:read."""
        found: m.PositionsReply = self._ask(
            "GET",
            "/api/risk/positions",
            query={"account_id": account_id, "as_of": as_of, "min_position": min_position},
        )
        return found

    def kill_preview(
        self,
        *,
        account_id: str = ABSENT,
        symbol: str = ABSENT,
    ) -> m.KillPreviewReply:
        """What stopping the house, an account or an instrument would cancel now. Scope:
        limits:read.
        """
        found: m.KillPreviewReply = self._ask(
            "GET",
            "/api/risk/kill/preview",
            query={"account_id": account_id, "symbol": symbol},
        )
        return found

    def restrictions(
        self,
        *,
        account_id: str = ABSENT,
        min_position: int = ABSENT,
    ) -> m.RestrictionsReply:
        """What keeps orders out now: who halted or reduced what, when and why. Scope: limits:read.
        """
        found: m.RestrictionsReply = self._ask(
            "GET",
            "/api/risk/restrictions",
            query={"account_id": account_id, "min_position": min_position},
        )
        return found


class Reference:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def set_fees(
        self,
        *,
        symbol: str,
        maker_fee_ppm: int,
        taker_fee_ppm: int,
        idempotency_key: str = ABSENT,
        formula: m.FeeFormula | None = ABSENT,
    ) -> m.DoneReply:
        """Set what an instrument's executions cost from now on. Scope: house:write."""
        found: m.DoneReply = self._ask(
            "PUT",
            "/api/instruments/{symbol}/fees",
            path_={"symbol": symbol},
            body={"maker_fee_ppm": maker_fee_ppm, "taker_fee_ppm": taker_fee_ppm, "formula": formula},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def set_settlement(
        self,
        *,
        symbol: str,
        settle_days: int,
        idempotency_key: str = ABSENT,
        calendar: str | None = ABSENT,
        confirms: bool | None = ABSENT,
    ) -> m.DoneReply:
        """Set after how many sessions an instrument's fills settle from now on. Scope:
        house:write.
        """
        found: m.DoneReply = self._ask(
            "PUT",
            "/api/instruments/{symbol}/settlement",
            path_={"symbol": symbol},
            body={"settle_days": settle_days, "calendar": calendar, "confirms": confirms},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def set_swap(
        self,
        *,
        symbol: str,
        reason: str,
        idempotency_key: str = ABSENT,
        long_ppm: int = ABSENT,
        short_ppm: int = ABSENT,
    ) -> m.DoneReply:
        """Set what keeping a position of an instrument overnight costs on margin. Scope:
        house:write.
        """
        found: m.DoneReply = self._ask(
            "PUT",
            "/api/instruments/{symbol}/swap",
            path_={"symbol": symbol},
            body={"reason": reason, "long_ppm": long_ppm, "short_ppm": short_ppm},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def move_contract(
        self,
        *,
        symbol: str,
        stage: m.Stage,
        reason: str,
        idempotency_key: str = ABSENT,
        payout: str | None = ABSENT,
    ) -> m.DoneReply:
        """Say what has become of an event contract: settled, it pays every position. Scope:
        house:write.
        """
        found: m.DoneReply = self._ask(
            "PUT",
            "/api/instruments/{symbol}/contract",
            path_={"symbol": symbol},
            body={"stage": stage, "reason": reason, "payout": payout},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def news(
        self,
        *,
        after: str = ABSENT,
        importance: m.Importance = ABSENT,
        symbol: str = ABSENT,
        limit: int = ABSENT,
    ) -> m.NewsReply:
        """The announcements that the house expects, the next ones first. Scope: market:read."""
        found: m.NewsReply = self._ask(
            "GET",
            "/api/news",
            query={"after": after, "importance": importance, "symbol": symbol, "limit": limit},
        )
        return found

    def import_news(
        self,
        *,
        reason: str,
        idempotency_key: str = ABSENT,
        items: list[m.NewsAsked] = ABSENT,
        csv: str = ABSENT,
        dry_run: bool = ABSENT,
    ) -> m.ImportNewsReply:
        """Put announcements into the calendar: around them tiers let nothing be opened. Scope:
        evaluation:write.
        """
        found: m.ImportNewsReply = self._ask(
            "POST",
            "/api/news",
            body={"reason": reason, "items": items, "csv": csv, "dry_run": dry_run},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def remove_news(
        self,
        *,
        news_id: str,
        reason: str = ABSENT,
        idempotency_key: str = ABSENT,
    ) -> m.DoneReply:
        """Take an announcement out of the calendar. Scope: evaluation:write."""
        found: m.DoneReply = self._ask(
            "DELETE",
            "/api/news/{news_id}",
            path_={"news_id": news_id},
            query={"reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def set_margin(
        self,
        *,
        symbol: str,
        tiers: list[m.TierBody] | None,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.DoneReply:
        """Set the margin rates of an instrument, by size of the position. Scope: house:write."""
        found: m.DoneReply = self._ask(
            "PUT",
            "/api/instruments/{symbol}/margin",
            path_={"symbol": symbol},
            body={"tiers": tiers, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def set_issuer(
        self,
        *,
        symbol: str,
        issuer: str,
        idempotency_key: str = ABSENT,
    ) -> m.DoneReply:
        """Set who stands behind what an instrument trades, for concentration limits. Scope:
        house:write.
        """
        found: m.DoneReply = self._ask(
            "PUT",
            "/api/instruments/{symbol}/issuer",
            path_={"symbol": symbol},
            body={"issuer": issuer},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def set_haircut(
        self,
        *,
        asset: str,
        haircut_ppm: int,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.DoneReply:
        """Set how much of an asset's worth does not count as collateral. Scope: house:write."""
        found: m.DoneReply = self._ask(
            "PUT",
            "/api/assets/{asset}/haircut",
            path_={"asset": asset},
            body={"haircut_ppm": haircut_ppm, "reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def instruments(
        self,
    ) -> m.InstrumentsReply:
        """What can be traded here, with tick, lot, fees and trading state. Scope: market:read.
        """
        found: m.InstrumentsReply = self._ask(
            "GET",
            "/api/instruments",
        )
        return found

    def list_instrument(
        self,
        *,
        symbol: str,
        base: str,
        quote: str,
        tick_size: str,
        lot_size: str,
        reference_price: str,
        idempotency_key: str = ABSENT,
        kind: Literal['linear', 'spot'] = ABSENT,
        mic: Literal['CROSS'] = ABSENT,
        asset_class: str = ABSENT,
        issuer: str = ABSENT,
        maker_fee_ppm: int = ABSENT,
        taker_fee_ppm: int = ABSENT,
        settle_days: int = ABSENT,
        allocation: m.Allocation = ABSENT,
        settle: str | None = ABSENT,
        round_lot: str = ABSENT,
    ) -> m.ListedReply:
        """List an instrument that trades on the house's own book, from now on. Scope: house:write.
        """
        found: m.ListedReply = self._ask(
            "POST",
            "/api/instruments",
            body={"symbol": symbol, "base": base, "quote": quote, "tick_size": tick_size, "lot_size": lot_size, "reference_price": reference_price, "kind": kind, "mic": mic, "asset_class": asset_class, "issuer": issuer, "maker_fee_ppm": maker_fee_ppm, "taker_fee_ppm": taker_fee_ppm, "settle_days": settle_days, "allocation": allocation, "settle": settle, "round_lot": round_lot},
            header={"Idempotency-Key": idempotency_key},
        )
        return found


class Venues:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def set_phase(
        self,
        *,
        symbol: str,
        phase: m.Phase,
        reason: str,
        idempotency_key: str = ABSENT,
        reference_price: str | None = ABSENT,
    ) -> m.PhaseReply:
        """Set what an instrument does on our own book: auction, trading, halt, close. Scope:
        house:write.
        """
        found: m.PhaseReply = self._ask(
            "PUT",
            "/api/instruments/{symbol}/phase",
            path_={"symbol": symbol},
            body={"phase": phase, "reason": reason, "reference_price": reference_price},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def schedule(
        self,
        *,
        symbol: str,
    ) -> m.ScheduleReply:
        """The schedule of an instrument on our own book, and which step comes next. Scope:
        house:read.
        """
        found: m.ScheduleReply = self._ask(
            "GET",
            "/api/instruments/{symbol}/schedule",
            path_={"symbol": symbol},
        )
        return found

    def set_schedule(
        self,
        *,
        symbol: str,
        reason: str,
        idempotency_key: str = ABSENT,
        time_zone: str = ABSENT,
        steps: list[m.StepLine] = ABSENT,
        calendar: str | None = ABSENT,
    ) -> m.DoneReply:
        """Have an instrument's phases on our own book follow the days of a calendar. Scope:
        house:write.
        """
        found: m.DoneReply = self._ask(
            "PUT",
            "/api/instruments/{symbol}/schedule",
            path_={"symbol": symbol},
            body={"reason": reason, "time_zone": time_zone, "steps": steps, "calendar": calendar},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def pools(
        self,
    ) -> m.PoolsReply:
        """The pooling desks: fractional orders that wait, and what is on the street. Scope:
        house:read.
        """
        found: m.PoolsReply = self._ask(
            "GET",
            "/api/pools",
        )
        return found

    def pool(
        self,
        *,
        symbol: str,
    ) -> m.PoolReply:
        """One pooling desk, and who had what of its last blocks at which price. Scope: house:read.
        """
        found: m.PoolReply = self._ask(
            "GET",
            "/api/pools/{symbol}",
            path_={"symbol": symbol},
        )
        return found


class Performance:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def statistics(
        self,
        *,
        account_id: str,
        method: m.Method = ABSENT,
        currency: str = ABSENT,
        time_zone: str = ABSENT,
        since: str = ABSENT,
        until: str = ABSENT,
        min_position: int = ABSENT,
    ) -> m.StatisticsReply:
        """How an account has traded: win rate, expectancy, drawdown, discipline, days. Scope:
        accounts:read.
        """
        found: m.StatisticsReply = self._ask(
            "GET",
            "/api/accounts/{account_id}/statistics",
            path_={"account_id": account_id},
            query={"method": method, "currency": currency, "time_zone": time_zone, "since": since, "until": until, "min_position": min_position},
        )
        return found

    def trips(
        self,
        *,
        account_id: str,
        method: m.Method = ABSENT,
        cursor: int = ABSENT,
        limit: int = ABSENT,
        min_position: int = ABSENT,
    ) -> m.TripsReply:
        """An account's round trips, newest first, with how far each went both ways. Scope:
        accounts:read.
        """
        found: m.TripsReply = self._ask(
            "GET",
            "/api/accounts/{account_id}/trips",
            path_={"account_id": account_id},
            query={"method": method, "cursor": cursor, "limit": limit, "min_position": min_position},
        )
        return found

    def journal(
        self,
        *,
        account_id: str,
        min_position: int = ABSENT,
    ) -> m.TradedReply:
        """An account's round trips as CSV, as simulations draw days from them. Scope:
        accounts:read.
        """
        found: m.TradedReply = self._ask(
            "GET",
            "/api/accounts/{account_id}/journal",
            path_={"account_id": account_id},
            query={"min_position": min_position},
        )
        return found


class Leaderboard:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def ranks(
        self,
        *,
        by: Literal['payouts', 'return'] = ABSENT,
        tier: str = ABSENT,
        currency: str = ABSENT,
        limit: int = ABSENT,
    ) -> m.LeaderboardReply:
        """Who is ahead, and where you stand. Scope: evaluation:read."""
        found: m.LeaderboardReply = self._ask(
            "GET",
            "/api/leaderboard",
            query={"by": by, "tier": tier, "currency": currency, "limit": limit},
        )
        return found

    def profile(
        self,
    ) -> m.ProfileReply:
        """The name under which you are seen there. Scope: evaluation:read."""
        found: m.ProfileReply = self._ask(
            "GET",
            "/api/leaderboard/profile",
        )
        return found

    def set_profile(
        self,
        *,
        public_name: str,
        idempotency_key: str = ABSENT,
    ) -> m.ProfileReply:
        """Be seen there by a name of your choice. Scope: evaluation:ask."""
        found: m.ProfileReply = self._ask(
            "PUT",
            "/api/leaderboard/profile",
            body={"public_name": public_name},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def withdraw_profile(
        self,
        *,
        idempotency_key: str = ABSENT,
    ) -> m.ProfileReply:
        """Be seen there by no name any more, from now on. Scope: evaluation:ask."""
        found: m.ProfileReply = self._ask(
            "DELETE",
            "/api/leaderboard/profile",
            header={"Idempotency-Key": idempotency_key},
        )
        return found


class Certificates:
    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    def make(
        self,
        *,
        assessment_id: str,
        idempotency_key: str = ABSENT,
        kind: Literal['funded', 'passed', 'payout'] = ABSENT,
        number: int = ABSENT,
        shown_as: Literal['name', 'nobody', 'public_name'] = ABSENT,
        name: str = ABSENT,
        is_public: bool = ABSENT,
    ) -> m.CertificateReply:
        """A certificate of what you have come to: passed, funded, or paid. Scope: evaluation:ask.
        """
        found: m.CertificateReply = self._ask(
            "POST",
            "/api/certificates",
            body={"assessment_id": assessment_id, "kind": kind, "number": number, "shown_as": shown_as, "name": name, "is_public": is_public},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def document(
        self,
        *,
        certificate_id: str,
    ) -> m.CertificateDocument:
        """A certificate of yours as PDF, also while nobody else may see it. Scope:
        evaluation:read.
        """
        found: m.CertificateDocument = self._ask(
            "GET",
            "/api/certificates/{certificate_id}/document",
            path_={"certificate_id": certificate_id},
        )
        return found

    def revoke(
        self,
        *,
        certificate_id: str,
        reason: str,
        idempotency_key: str = ABSENT,
    ) -> m.CertificateReply:
        """Say for the firm that a certificate holds no more, and why, to whoever has it. Scope:
        evaluation:write.
        """
        found: m.CertificateReply = self._ask(
            "POST",
            "/api/certificates/{certificate_id}/revoke",
            path_={"certificate_id": certificate_id},
            body={"reason": reason},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def share(
        self,
        *,
        certificate_id: str,
        is_public: bool,
        idempotency_key: str = ABSENT,
    ) -> m.CertificateReply:
        """Let whoever has its link see it, or nobody. Scope: evaluation:ask."""
        found: m.CertificateReply = self._ask(
            "PUT",
            "/api/certificates/{certificate_id}",
            path_={"certificate_id": certificate_id},
            body={"is_public": is_public},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def withdraw(
        self,
        *,
        certificate_id: str,
        idempotency_key: str = ABSENT,
    ) -> m.CertificatesReply:
        """Take it back for good: what it says is deleted. Scope: evaluation:ask."""
        found: m.CertificatesReply = self._ask(
            "DELETE",
            "/api/certificates/{certificate_id}",
            path_={"certificate_id": certificate_id},
            header={"Idempotency-Key": idempotency_key},
        )
        return found

    def list(
        self,
        *,
        of: Literal['everybody', 'me'] = ABSENT,
    ) -> m.CertificatesReply:
        """Your certificates and how each stands now; everybody's for who looks after them. Scope:
        evaluation:read.
        """
        found: m.CertificatesReply = self._ask(
            "GET",
            "/api/certificates",
            query={"of": of},
        )
        return found


class Operations:
    """Every operation of the house, by room."""

    def __init__(self, asking: Asking) -> None:
        self.identity = Identity(asking)
        self.users = Users(asking)
        self.kyc = Kyc(asking)
        self.vault = Vault(asking)
        self.approvals = Approvals(asking)
        self.agents = Agents(asking)
        self.policy = Policy(asking)
        self.audit = Audit(asking)
        self.ledger = Ledger(asking)
        self.fix = Fix(asking)
        self.webhooks = Webhooks(asking)
        self.notifications = Notifications(asking)
        self.partners = Partners(asking)
        self.tiers = Tiers(asking)
        self.evaluation = Evaluation(asking)
        self.simulations = Simulations(asking)
        self.reports = Reports(asking)
        self.purchases = Purchases(asking)
        self.shop = Shop(asking)
        self.test_clock = Test_clock(asking)
        self.market = Market(asking)
        self.house = House(asking)
        self.journal = Journal(asking)
        self.trading = Trading(asking)
        self.risk = Risk(asking)
        self.reference = Reference(asking)
        self.venues = Venues(asking)
        self.performance = Performance(asking)
        self.leaderboard = Leaderboard(asking)
        self.certificates = Certificates(asking)
