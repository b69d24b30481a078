"""What somebody asks about what is kept of themselves: all of it, and that it be destroyed."""

import asyncio
from typing import Any, Final, Literal, Protocol

import msgspec

from fondaco.domain.identity.erasure.model import ErasurePlan, Place
from fondaco.domain.identity.model import NameText, Scope
from fondaco.kernel.errors import Conflict, Denied, Invalid, NotFound, Unavailable
from fondaco.kernel.operation import Do, Operation, Stamp


class NoOwnRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class OwnRecords(msgspec.Struct, frozen=True, kw_only=True):
    """All that the house keeps of somebody. `records` are rows by table, opened; what is only a
    hash, or would let somebody in, is named in `left_out`. `journal` is what it says of them,
    `approvals` what they asked or decided. `elsewhere` is what is kept of the business, under a
    name that says nothing, and until when. Bytes are base64."""

    tenant: str
    user: str
    at: str  # nanoseconds since 1970, UTC
    roles: list[str]
    records: dict[str, list[dict[str, Any]]]
    left_out: list[str]
    journal: list[dict[str, Any]]
    approvals: list[dict[str, Any]]
    elsewhere: list[Place]


class Blocker(msgspec.Struct, frozen=True):
    """What must be done before somebody can be forgotten. `what` says it in words."""

    kind: Literal["order", "position", "transfer", "payout", "last_admin", "hold"]
    account_id: str
    what: str


class OwnDeletion(msgspec.Struct, frozen=True, kw_only=True):
    """What would go and what stays, and nothing of it done. `approval_id` is where it waits for a
    second person, "" where it was not asked for."""

    plan: ErasurePlan
    blockers: list[Blocker]
    approval_id: str = ""


class DeletionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`user` is your own user name, typed again."""

    user: NameText


class LeftWorkingRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    user: NameText


class WorkingOrder(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str
    account_id: str
    symbol: str
    side: str
    ord_type: str
    leaves_qty: str


class LeftWorking(msgspec.Struct, frozen=True, kw_only=True):
    """`theirs` are on accounts that were opened for this person alone, `shared` those on accounts
    that others trade on, too. Prices are for who may read orders."""

    user: str
    theirs: list[WorkingOrder]
    shared: int


class OwnKeeping(Protocol):
    """What the door is given to answer from."""

    def left_working(self, tenant: str, user: str) -> LeftWorking: ...

    def export(self, stamp: Stamp) -> OwnRecords: ...

    def deletion(self, stamp: Stamp) -> OwnDeletion: ...

    async def delete(self, stamp: Stamp, user: str) -> Any: ...


async def _export(_: NoOwnRequest, stamp: Stamp, on: OwnKeeping) -> OwnRecords:
    return await asyncio.to_thread(on.export, stamp)


async def _deletion(_: NoOwnRequest, stamp: Stamp, on: OwnKeeping) -> OwnDeletion:
    return await asyncio.to_thread(on.deletion, stamp)


async def _delete(ask: DeletionRequest, stamp: Stamp, on: OwnKeeping) -> Any:
    return await on.delete(stamp, ask.user)


async def _left_working(ask: LeftWorkingRequest, stamp: Stamp, on: OwnKeeping) -> LeftWorking:
    return await asyncio.to_thread(on.left_working, stamp.tenant, ask.user)


def _own(
    name: str, summary: str, way: tuple[str, str], types: tuple[Any, Any], answer: Any
) -> Operation[Any, Any]:
    method, path = way
    request, reply = types
    return Do(
        name=f"users.{name}",
        summary=summary,
        method=method,  # type: ignore[arg-type]
        path=path,
        request=request,
        reply=reply,
        scope="",
        errors=(Denied, Invalid, Conflict, NotFound, Unavailable),
        secret=True,  # who they are
        source="own_data",
        answer=answer,
    )


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="users.left_working",
        summary="Which orders go on working when somebody is locked out, or forgotten.",
        method="GET",
        path="/users/{user}/left-working",
        request=LeftWorkingRequest,
        reply=LeftWorking,
        scope=Scope.HOUSE_WRITE,
        errors=(NotFound,),
        source="own_data",
        answer=_left_working,
    ),
    _own(
        "own_data",
        "All that the house keeps of you, as one document.",
        ("GET", "/users/my-data"),
        (NoOwnRequest, OwnRecords),
        _export,
    ),
    _own(
        "own_deletion",
        "What would go, what stays and until when, and what is in the way, if you were forgotten.",
        ("GET", "/users/my-data/deletion"),
        (NoOwnRequest, OwnDeletion),
        _deletion,
    ),
    _own(
        "delete_own_data",
        "Ask to be forgotten; somebody else must agree, and then nothing brings it back.",
        ("POST", "/users/my-data/deletion"),
        (DeletionRequest, OwnDeletion),
        _delete,
    ),
)
