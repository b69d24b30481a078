"""What may be asked of those who watch: alerts, and the evidence behind them."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.kernel.errors import NotFound
from fondaco.kernel.operation import Look, Operation

HOUSE_READ: Final = "house:read"  # identity.model.Scope

AlertName = Annotated[str, Meta(min_length=1, max_length=40, examples=["f10-1f2e3d4c5b6a7988"])]
SessionText = Annotated[str, Meta(min_length=1, max_length=256, examples=["FIX.4.4:HOUSE->BROKER"])]
CaptureName = Annotated[str, Meta(pattern="^[1-9][0-9]{0,5}$", examples=["1"])]
CursorText = Annotated[str, Meta(pattern="^[0-9]{0,18}$", examples=["4711"])]
SeverityText = Literal["low", "medium", "high", "critical"]


class AlertsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`severity` is the least; `cursor` is the `next` of the page before."""

    session: SessionText | None = None
    severity: SeverityText = "low"
    capture: CaptureName | None = None  # of an upload; else of the house's own sessions
    cursor: CursorText = ""
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100


class AlertRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alert_id: AlertName


class ExportRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest alerts, as lines of Elastic's, ArcSight's or OCSF's format."""

    form: Literal["ecs", "cef", "ocsf"] = "ecs"
    severity: SeverityText = "low"
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 1_000


class AlertLine(msgspec.Struct, frozen=True, kw_only=True):
    """An alert; `count` says how often the same was found, `at` when last."""

    id: str
    at: str
    first_at: str
    pattern: str
    title: str
    severity: SeverityText
    subject: str
    session: str
    reason: str
    count: int
    attack: tuple[str, ...]
    capture: str | None


class EvidenceLine(msgspec.Struct, frozen=True):
    """A message that proves an alert, its secrets starred out; `sha256` is of the exact bytes that
    were seen."""

    message: str | None
    at: str
    connection: str
    sender: str
    seq_num: int
    msg_type: str
    text: str
    sha256: str


class AlertReply(AlertLine, frozen=True, kw_only=True):
    says: str  # what the pattern is
    evidence: Sequence[EvidenceLine]


class Exhibit(msgspec.Struct, frozen=True):
    """One message as it was seen. `content` is the exact bytes as base64, null where the message
    is no longer kept; `sha256` is of them."""

    message: str | None
    at: str
    connection: str
    direction: Literal["in", "out"] | None
    sha256: str
    content: str | None


class EvidenceReply(msgspec.Struct, frozen=True):
    """What proves an alert, to be handed to somebody else: its messages, and the same over a TCP
    connection made up for them as a capture (pcap, as base64), since a house's own sessions keep
    bytes and no packets. `sha256` and `octets` are of the capture. Secrets are in it."""

    alert: AlertReply
    exhibits: Sequence[Exhibit]
    missing: int  # messages that are no longer kept
    name: str
    content: str
    octets: int
    sha256: str


class AlertsReply(msgspec.Struct, frozen=True):
    """The newest first. `next` goes into `cursor` for what is older; null: that was all."""

    items: Sequence[AlertLine]
    next: str | None


class Alerts(Protocol):
    """The part of a house that keeps alerts."""

    def alerts(self, asked: AlertsRequest) -> AlertsReply: ...

    def alert(self, alert_id: str) -> AlertReply:
        """Raises `NotFound`."""
        ...

    def evidence(self, alert_id: str) -> EvidenceReply:
        """Raises `NotFound`."""
        ...

    def exported(self, asked: ExportRequest) -> str: ...


class Reading(Protocol):
    """What the door gives a `Look`."""

    @property
    def source(self) -> Alerts: ...


def _list(request: AlertsRequest, on: Reading) -> AlertsReply:
    return on.source.alerts(request)


def _one(request: AlertRequest, on: Reading) -> AlertReply:
    return on.source.alert(request.alert_id)


def _evidence(request: AlertRequest, on: Reading) -> EvidenceReply:
    return on.source.evidence(request.alert_id)


def _export(request: ExportRequest, on: Reading) -> str:
    return on.source.exported(request)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Look(
        name="fix.alerts",
        summary="What was found in FIX sessions, or in a capture; the newest first.",
        method="GET",
        path="/fix/alerts",
        request=AlertsRequest,
        reply=AlertsReply,
        scope=HOUSE_READ,
        source="fix_messages",
        answer=_list,
        example={"severity": "high"},
    ),
    Look(
        name="fix.export_alerts",
        summary="Alerts as lines for a SIEM: ECS, CEF or OCSF.",
        method="GET",
        path="/fix/alerts/export",
        request=ExportRequest,
        reply=str,
        scope=HOUSE_READ,
        source="fix_messages",
        answer=_export,
        media_type="text/plain",
        example={"form": "ocsf"},
    ),
    Look(
        name="fix.alert",
        summary="One alert with the messages that prove it.",
        method="GET",
        path="/fix/alerts/{alert_id}",
        request=AlertRequest,
        reply=AlertReply,
        scope=HOUSE_READ,
        errors=(NotFound,),
        source="fix_messages",
        answer=_one,
    ),
    Look(
        name="fix.alert_evidence",
        summary="What proves an alert, as bytes and as a capture, with its digests.",
        method="GET",
        path="/fix/alerts/{alert_id}/evidence",
        request=AlertRequest,
        reply=EvidenceReply,
        scope=HOUSE_READ,
        errors=(NotFound,),
        source="fix_messages",
        answer=_evidence,
    ),
)
