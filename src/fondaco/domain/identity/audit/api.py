"""What an auditor asks: who did what others rely on, who was denied what, who agreed."""

import csv
import io
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.audit.store import lines
from fondaco.domain.identity.model import Scope
from fondaco.kernel.operation import Look, Operation

Kind = Literal["", "act", "denial", "approval", "access", "policy"]
NameText = Annotated[str, Meta(max_length=128)]
Nanos = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class AuditRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`caller` is a user, or one key or session of theirs; `before` is the `next` of the page
    before; times are nanoseconds since 1970, UTC."""

    kind: Kind = ""
    caller: NameText = ""
    operation: NameText = ""
    since: Nanos = 0
    until: Nanos = 0
    before: Nanos = 0
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100
    min_position: Nanos = 0


class ExportAuditRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Oldest first, with the position in the journal that proves each line."""

    form: Literal["jsonl", "csv"] = "jsonl"
    kind: Kind = ""
    since: Nanos = 0
    until: Nanos = 0
    limit: Annotated[int, Meta(ge=1, le=100_000)] = 10_000
    min_position: Nanos = 0


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """`position` is where the journal says so; `GET /api/journal/proof` proves it. `count` says how
    many denials were gathered into one line; `policy` is the revision of the rules."""

    position: int
    at: str
    kind: str
    caller: str
    user: str
    operation: str
    code: str
    text: str
    account_id: str
    door: str
    address: str
    policy: str
    count: int


class AuditReply(msgspec.Struct, frozen=True):
    """Newest first. `next` goes into `before` for what is older; null: that was all."""

    items: list[AuditLine]
    next: int | None


class Reading(Protocol):
    """What the door gives a look."""

    @property
    def source(self) -> Any: ...
    @property
    def tenant(self) -> str: ...


def _list(ask: AuditRequest, on: Reading) -> AuditReply:
    found = lines(
        on.source,
        on.tenant,
        kind=ask.kind,
        caller=ask.caller,
        operation=ask.operation,
        since=ask.since,
        until=ask.until,
        before=ask.before,
        limit=ask.limit + 1,
    )
    items = [_line(row) for row in found[: ask.limit]]
    return AuditReply(items, items[-1].position if len(found) > ask.limit else None)


def _line(row: Any) -> AuditLine:
    return AuditLine(
        position=row.position,
        at=str(row.at),
        kind=row.kind,
        caller=row.caller,
        user=row.user,
        operation=row.operation,
        code=row.code,
        text=row.text,
        account_id=row.account,
        door=row.door,
        address=row.address,
        policy=row.policy,
        count=row.count,
    )


def _export(ask: ExportAuditRequest, on: Reading) -> str:
    found = lines(
        on.source, on.tenant, kind=ask.kind, since=ask.since, until=ask.until, limit=ask.limit
    )
    rows = [_line(row) for row in reversed(found)]
    if ask.form == "jsonl":
        return "".join(msgspec.json.encode(each).decode() + "\n" for each in rows)
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(AuditLine.__struct_fields__)
    for each in rows:
        table.writerow([_cell(value) for value in msgspec.structs.astuple(each)])
    return out.getvalue()


def _cell(value: Any) -> Any:
    """Whatever a spreadsheet would take for a formula is text."""
    is_formula = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t")
    return f"'{value}" if is_formula else value


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Look(
        name="audit.list",
        summary="Who did what others rely on, who was denied what, and who agreed to what.",
        method="GET",
        path="/audit",
        request=AuditRequest,
        reply=AuditReply,
        scope=Scope.JOURNAL_READ,
        source="store",
        answer=_list,
    ),
    Look(
        name="audit.export",
        summary="The same as lines of JSON, or as CSV.",
        method="GET",
        path="/audit/export",
        request=ExportAuditRequest,
        reply=str,
        scope=Scope.JOURNAL_READ,
        source="store",
        answer=_export,
        media_type="text/plain",
        example={"form": "csv"},
    ),
)
