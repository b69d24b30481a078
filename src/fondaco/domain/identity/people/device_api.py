"""What may be asked about devices, and about the chain that a session is the middle of."""

import asyncio
from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.chain import LinkShown
from fondaco.domain.identity.model import Caller, NameText, Scope
from fondaco.domain.identity.people.api import NoRequest
from fondaco.domain.identity.people.devices import Devices, DeviceShown
from fondaco.kernel.errors import Conflict, Denied, Invalid, NotFound, Unavailable
from fondaco.kernel.operation import Do, Operation, Stamp

DeviceText = Annotated[str, Meta(pattern=r"^dev_[0-9a-f]{16}$", examples=["dev_5f2c9a1b4d3e6078"])]
CodeText = Annotated[str, Meta(max_length=40, examples=["492039"])]
Days = Annotated[int, Meta(ge=1, le=365)]


class DevicesReply(msgspec.Struct, frozen=True):
    items: list[DeviceShown]


class TrustDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`code` is of your authenticator, or a recovery code; none within five minutes of signing in
    with a passkey. After `days` the device is no longer trusted."""

    device_id: DeviceText
    code: CodeText = ""
    days: Days = 90


class TrustOther(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`code` is of your own second factor: you say that `user` has the device."""

    user: NameText
    device_id: DeviceText
    code: CodeText = ""
    days: Days = 90


class OneDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    device_id: DeviceText


class OneUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    user: NameText


class ForgottenReply(msgspec.Struct, frozen=True):
    """`ended` sessions were open on it."""

    ended: int


class ChainReply(msgspec.Struct, frozen=True):
    """`is_required`: a request of yours that lacks a link is refused with that link's code."""

    is_required: bool
    is_whole: bool
    links: list[LinkShown]


class Asked(Protocol):
    """What the door is given to answer from."""

    @property
    def devices(self) -> Devices: ...

    def caller(self, stamp: Stamp) -> Caller: ...

    def chain(self, caller: Caller, address: str) -> tuple[bool, list[LinkShown]]: ...

    def known_caller(self, stamp: Stamp) -> Caller: ...


async def _devices(_: NoRequest, stamp: Stamp, on: Asked) -> DevicesReply:
    return await _listed(on, caller := on.caller(stamp), caller.user)


async def _listed(on: Asked, caller: Caller, user: str) -> DevicesReply:
    found = await asyncio.to_thread(on.devices.of, caller.tenant, user, caller.device)
    return DevicesReply(found)


async def _trust(ask: TrustDevice, stamp: Stamp, on: Asked) -> DevicesReply:
    caller = on.caller(stamp)
    said = (ask.device_id, ask.code, ask.days, stamp.address)
    await asyncio.to_thread(on.devices.trust, caller, *said)
    return await _listed(on, caller, caller.user)


async def _forget(ask: OneDevice, stamp: Stamp, on: Asked) -> ForgottenReply:
    caller = on.caller(stamp)
    return ForgottenReply(await asyncio.to_thread(on.devices.forget, caller, ask.device_id))


async def _of_user(ask: OneUser, stamp: Stamp, on: Asked) -> DevicesReply:
    return await _listed(on, on.caller(stamp), ask.user)


async def _trust_other(ask: TrustOther, stamp: Stamp, on: Asked) -> DevicesReply:
    caller = on.caller(stamp)
    said = (ask.user, ask.device_id, ask.code, ask.days, stamp.address)
    await asyncio.to_thread(on.devices.trust_of, caller, *said)
    return await _listed(on, caller, ask.user)


async def _chain(_: NoRequest, stamp: Stamp, on: Asked) -> ChainReply:
    is_required, found = on.chain(on.known_caller(stamp), stamp.address)
    return ChainReply(is_required, all(each.holds for each in found), found)


def _do(
    name: str, summary: str, way: tuple[str, str], types: tuple[Any, Any], answer: Any, scope: str
) -> Operation[Any, Any]:
    return Do(
        name=name,
        summary=summary,
        method=way[0],  # type: ignore[arg-type]
        path=way[1],
        request=types[0],
        reply=types[1],
        scope=scope,
        errors=(Denied, Invalid, Conflict, NotFound, Unavailable),
        secret=way[0] == "POST",  # codes
        source="people",
        answer=answer,
    )


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    _do(
        "users.devices",
        "Devices that you have signed in with, and which of them you trust.",
        ("GET", "/users/devices"),
        (NoRequest, DevicesReply),
        _devices,
        "",
    ),
    _do(
        "users.trust_device",
        "Say that you trust one of your devices; it takes your second factor.",
        ("POST", "/users/devices/{device_id}/trust"),
        (TrustDevice, DevicesReply),
        _trust,
        "",
    ),
    _do(
        "users.forget_device",
        "Forget one of your devices; sessions on it end.",
        ("DELETE", "/users/devices/{device_id}"),
        (OneDevice, ForgottenReply),
        _forget,
        "",
    ),
    _do(
        "users.chain",
        "Which links of the chain from your device to the audit hold for this very request.",
        ("GET", "/users/chain"),
        (NoRequest, ChainReply),
        _chain,
        "",
    ),
    _do(
        "identity.devices",
        "Devices that a user of the tenant has signed in with.",
        ("GET", "/users/{user}/devices"),
        (OneUser, DevicesReply),
        _of_user,
        Scope.HOUSE_READ,
    ),
    _do(
        "identity.trust_device",
        "Say that a user's device is trusted; it takes your own second factor.",
        ("POST", "/users/{user}/devices/{device_id}/trust"),
        (TrustOther, DevicesReply),
        _trust_other,
        Scope.HOUSE_WRITE,
    ),
)
