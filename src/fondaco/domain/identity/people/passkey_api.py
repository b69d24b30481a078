"""Passkeys, as they are asked for: what a page hands to `navigator.credentials`, and its answer.

Bytes are base64url, as `PublicKeyCredential.toJSON()` writes them.
"""

import asyncio
from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Caller
from fondaco.domain.identity.oidc.jwt import encoded
from fondaco.domain.identity.people.api import (
    ClientToken,
    LoginReply,
    NoRequest,
    Password,
    Text,
    replied,
)
from fondaco.domain.identity.people.passkeys import Assertion, Passkeys, PasskeyShown, decoded
from fondaco.domain.identity.people.webauthn import ALGORITHMS
from fondaco.kernel.errors import Conflict, Denied, Invalid, NotFound, Unavailable
from fondaco.kernel.operation import Do, Operation, Stamp

Base64 = Annotated[str, Meta(max_length=4_096, pattern=r"^[A-Za-z0-9_-]*$")]
PasskeyText = Annotated[str, Meta(pattern=r"^[0-9a-f]{2,2046}$", max_length=2_046)]


class BeginPasskey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    password: Password


class PasskeyAsked(msgspec.Struct, frozen=True):
    """`options` go to `PublicKeyCredential.parseCreationOptionsFromJSON` or its sister for asking;
    `handle` comes back with the answer within five minutes."""

    handle: str
    options: dict[str, Any]


class AddPasskey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The three are fields of the answer's `response`."""

    handle: ClientToken
    client_data_json: Base64
    authenticator_data: Base64
    public_key: Base64
    name: Text = ""


class AddedPasskey(msgspec.Struct, frozen=True):
    """`recovery_codes` are shown this once; none where there were some."""

    passkey: PasskeyShown
    recovery_codes: list[str]


class PasskeysReply(msgspec.Struct, frozen=True):
    items: list[PasskeyShown]


class RemovePasskey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    passkey_id: PasskeyText
    password: Password


class RemovedPasskey(msgspec.Struct, frozen=True):
    passkey_id: str


class PasskeyLogin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`cookie`: have a cookie for a browser, rather than a token."""

    handle: ClientToken
    credential_id: Base64
    client_data_json: Base64
    authenticator_data: Base64
    signature: Base64
    device_name: Text = ""
    cookie: bool = False
    device: ClientToken = ""  # what an earlier sign-in on this device was given


class Asked(Protocol):
    """What the door is given to answer from."""

    @property
    def passkeys(self) -> Passkeys: ...

    def caller(self, stamp: Stamp) -> Caller: ...

    def cookie(self, token: str, seconds: int) -> tuple[bytes, bytes]: ...

    def csrf(self, token: str) -> str: ...


async def _begin(ask: BeginPasskey, stamp: Stamp, on: Asked) -> PasskeyAsked:
    caller = on.caller(stamp)
    handle, challenge, there = await asyncio.to_thread(
        on.passkeys.begin, caller, ask.password, stamp.address
    )
    user = {
        "id": encoded(f"{caller.tenant}/{caller.user}".encode()[:64]),
        "name": f"{caller.user} of {caller.tenant}",
        "displayName": caller.user,
    }
    options = {
        "rp": {"id": on.passkeys.rp_id, "name": "Fondaco"},
        "user": user,
        "challenge": encoded(challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": each} for each in ALGORITHMS],
        "timeout": 300_000,
        "excludeCredentials": [
            {"type": "public-key", "id": encoded(bytes.fromhex(each))} for each in there
        ],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }
    return PasskeyAsked(handle, options)


async def _add(ask: AddPasskey, stamp: Stamp, on: Asked) -> AddedPasskey:
    shown, codes = await asyncio.to_thread(
        on.passkeys.add,
        on.caller(stamp),
        ask.handle,
        ask.name,
        decoded(ask.client_data_json, "client_data_json"),
        decoded(ask.authenticator_data, "authenticator_data"),
        decoded(ask.public_key, "public_key"),
    )
    return AddedPasskey(shown, codes)


async def _list(_: NoRequest, stamp: Stamp, on: Asked) -> PasskeysReply:
    return PasskeysReply(await asyncio.to_thread(on.passkeys.of, on.caller(stamp)))


async def _remove(ask: RemovePasskey, stamp: Stamp, on: Asked) -> RemovedPasskey:
    caller = on.caller(stamp)
    await asyncio.to_thread(on.passkeys.remove, caller, ask.passkey_id, ask.password, stamp.address)
    return RemovedPasskey(ask.passkey_id)


async def _ask(_: NoRequest, stamp: Stamp, on: Asked) -> PasskeyAsked:
    handle, challenge = await asyncio.to_thread(on.passkeys.ask)
    options = {
        "challenge": encoded(challenge),
        "rpId": on.passkeys.rp_id,
        "timeout": 300_000,
        "userVerification": "required",
        "allowCredentials": [],
    }
    return PasskeyAsked(handle, options)


async def _login(ask: PasskeyLogin, stamp: Stamp, on: Asked) -> Any:
    answer = Assertion(
        decoded(ask.credential_id, "credential_id"),
        decoded(ask.client_data_json, "client_data_json"),
        decoded(ask.authenticator_data, "authenticator_data"),
        decoded(ask.signature, "signature"),
    )
    found = await asyncio.to_thread(
        on.passkeys.sign_in,
        ask.handle,
        answer,
        address=stamp.address,
        device_name=ask.device_name,
        device=ask.device,
    )
    return replied(found, on, stamp.at, cookie=ask.cookie)


def _own(
    name: str,
    summary: str,
    way: tuple[str, str],
    types: tuple[Any, Any],
    answer: Any,
    status: int = 200,
) -> Operation[Any, Any]:
    return Do(
        name=f"users.{name}",
        summary=summary,
        method=way[0],  # type: ignore[arg-type]
        path=way[1],
        request=types[0],
        reply=types[1],
        scope="",
        errors=(Denied, Invalid, Conflict, NotFound, Unavailable),
        status=status,
        secret=way[0] != "GET",
        source="people",
        answer=answer,
    )


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    _own(
        "begin_passkey",
        "Begin a passkey: what a page hands to navigator.credentials.create.",
        ("POST", "/users/passkeys/begin"),
        (BeginPasskey, PasskeyAsked),
        _begin,
    ),
    _own(
        "add_passkey",
        "Keep the passkey that an authenticator has made; recovery codes are shown this once.",
        ("POST", "/users/passkeys"),
        (AddPasskey, AddedPasskey),
        _add,
        201,
    ),
    _own(
        "passkeys",
        "Your passkeys, and when each was used last.",
        ("GET", "/users/passkeys"),
        (NoRequest, PasskeysReply),
        _list,
    ),
    _own(
        "remove_passkey",
        "Remove one of your passkeys; it takes your password.",
        ("POST", "/users/passkeys/remove"),
        (RemovePasskey, RemovedPasskey),
        _remove,
    ),
    _own(
        "ask_passkey",
        "Begin to sign in with a passkey: what a page hands to navigator.credentials.get.",
        ("POST", "/users/passkeys/ask"),
        (NoRequest, PasskeyAsked),
        _ask,
    ),
    _own(
        "passkey_login",
        "Sign in with a passkey alone.",
        ("POST", "/users/passkeys/login"),
        (PasskeyLogin, LoginReply),
        _login,
    ),
)
