"""Captures and logs that people upload: what may be asked, and what they are told."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.fix.looking import CaptureName
from fondaco.domain.fix.operating import HOUSE_READ, HOUSE_WRITE
from fondaco.kernel.errors import Conflict, NotFound, Unavailable
from fondaco.kernel.operation import Do, Look, Operation, Stamp

FileName = Annotated[str, Meta(min_length=1, max_length=200, examples=["session.log"])]
State = Literal["uploading", "waiting", "reading", "read", "failed"]


class UploadCapture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file, or its beginning where `more` follows: no request may be longer than the house's
    `body_max_bytes`. `content` is base64."""

    name: FileName
    content: bytes
    more: bool = False


class AppendCapture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What follows. `offset` is how much was uploaded before, so that a piece that is sent twice
    counts once."""

    capture_id: CaptureName
    offset: Annotated[int, Meta(ge=0, le=2**40)]
    content: bytes
    more: bool = False


class CapturesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class CaptureRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    capture_id: CaptureName


class CaptureLine(msgspec.Struct, frozen=True, kw_only=True):
    """An upload, and how far it was read: `progress` is from 0 to 1."""

    id: str
    name: str
    octets: int
    sha256: str  # of the whole file; empty while it is uploaded
    at: str
    by: str
    state: State
    progress: float
    messages: int
    alerts: int
    trouble: str  # why it failed


class CaptureReply(CaptureLine, frozen=True, kw_only=True):
    """`report` is that of `fondaco fix audit`, once the capture is read."""

    report: msgspec.Raw


class CapturesReply(msgspec.Struct, frozen=True):
    """The newest first."""

    items: Sequence[CaptureLine]


class Captures(Protocol):
    """The part of a house that keeps uploads."""

    async def upload(self, asked: UploadCapture, by: Stamp) -> CaptureLine:
        """Raises `Invalid` for what is too large, `Unavailable` where there is no room."""
        ...

    async def append(self, asked: AppendCapture, by: Stamp) -> CaptureLine:
        """Raises `NotFound`, and `Conflict` for a piece that does not follow."""
        ...

    def captures(self) -> Sequence[CaptureLine]: ...

    def capture(self, capture_id: str) -> CaptureReply:
        """Raises `NotFound`."""
        ...

    def page(self, capture_id: str) -> str:
        """Raises `NotFound`, also while it is not read."""
        ...


class Reading(Protocol):
    """What the door gives a `Look`."""

    @property
    def source(self) -> Captures: ...


async def _upload(request: UploadCapture, stamp: Stamp, house: Captures) -> CaptureLine:
    return await house.upload(request, stamp)


async def _append(request: AppendCapture, stamp: Stamp, house: Captures) -> CaptureLine:
    return await house.append(request, stamp)


def _list(_: CapturesRequest, on: Reading) -> CapturesReply:
    return CapturesReply(on.source.captures())


def _one(request: CaptureRequest, on: Reading) -> CaptureReply:
    return on.source.capture(request.capture_id)


def _page(request: CaptureRequest, on: Reading) -> str:
    return on.source.page(request.capture_id)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="fix.upload_capture",
        summary="Upload a capture or a log, to be audited and searched.",
        method="POST",
        path="/fix/captures",
        request=UploadCapture,
        reply=CaptureLine,
        scope=HOUSE_WRITE,
        errors=(Unavailable,),
        source="fix_messages",
        answer=_upload,
    ),
    Do(
        name="fix.append_capture",
        summary="Upload the next piece of a capture.",
        method="POST",
        path="/fix/captures/{capture_id}/pieces",
        request=AppendCapture,
        reply=CaptureLine,
        scope=HOUSE_WRITE,
        errors=(NotFound, Conflict, Unavailable),
        source="fix_messages",
        answer=_append,
    ),
    Look(
        name="fix.captures",
        summary="Captures that were uploaded, and how far they are read.",
        method="GET",
        path="/fix/captures",
        request=CapturesRequest,
        reply=CapturesReply,
        scope=HOUSE_READ,
        source="fix_messages",
        answer=_list,
    ),
    Look(
        name="fix.capture",
        summary="One capture with the report of its audit.",
        method="GET",
        path="/fix/captures/{capture_id}",
        request=CaptureRequest,
        reply=CaptureReply,
        scope=HOUSE_READ,
        errors=(NotFound,),
        source="fix_messages",
        answer=_one,
    ),
    Look(
        name="fix.capture_page",
        summary="The report of a capture's audit as a page that loads nothing.",
        method="GET",
        path="/fix/captures/{capture_id}/page",
        request=CaptureRequest,
        reply=str,
        scope=HOUSE_READ,
        errors=(NotFound,),
        source="fix_messages",
        answer=_page,
        media_type="text/html",
    ),
)
