"""The audit as a view: who did what others rely on, who was denied what, who agreed to what."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa

from fondaco.domain.identity import events as idn
from fondaco.domain.identity.approvals import events as apr
from fondaco.domain.identity.approvals.model import PREFIX as APPROVALS
from fondaco.domain.identity.audit.events import ActNoted, DenialsNoted, TokensRevealed
from fondaco.domain.identity.audit.model import NOBODY, PREFIX
from fondaco.domain.identity.policy.events import PolicyPublished
from fondaco.domain.identity.policy.model import PREFIX as POLICIES
from fondaco.kernel.event import Entry
from fondaco.ports.rows import RowsView

VIEW: Final = "identity_audit_v1"
metadata: Final = sa.MetaData()

audit: Final = sa.Table(
    VIEW,
    metadata,
    sa.Column("position", sa.BigInteger, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # "act", "denial", "approval", "access", "policy"
    sa.Column("caller", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("door", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Index(f"{VIEW}_of_tenant", "tenant", "position"),
)


class AuditView(RowsView):
    name = VIEW
    metadata = metadata

    def apply(self, conn: sa.Connection, entries: Sequence[Entry]) -> None:
        rows = [row for entry in entries for row in rows_of(entry)]
        if rows:
            conn.execute(audit.insert(), rows)


def rows_of(entry: Entry) -> Iterator[dict[str, Any]]:
    make = _MADE.get(type(entry.event))
    if make is None:
        return
    row = {
        "position": entry.position, "at": entry.at, "caller": "", "user": "", "operation": "",
        "code": "", "text": "", "account": "", "door": "", "address": "", "policy": "", "count": 1,
    }  # fmt: skip
    yield {**row, **make(entry, entry.event)}


def _act(entry: Entry, event: ActNoted) -> dict[str, Any]:
    return {
        **_of(entry, PREFIX), "kind": "act", "at": event.at, "caller": event.caller,
        "user": event.user, "operation": event.operation, "account": event.account,
        "door": event.door, "address": event.address, "policy": event.policy,
    }  # fmt: skip


def _denial(entry: Entry, event: DenialsNoted) -> dict[str, Any]:
    return {
        **_of(entry, PREFIX), "kind": "denial", "at": event.first_at, "caller": event.caller,
        "user": event.user, "operation": event.operation, "code": event.code, "text": event.text,
        "account": event.account, "door": event.door, "address": event.address,
        "policy": event.policy, "count": event.count,
    }  # fmt: skip


def _revealed(entry: Entry, event: TokensRevealed) -> dict[str, Any]:
    return {
        **_of(entry, PREFIX), "kind": "act", "code": "revealed", "at": event.at,
        "caller": event.caller, "user": event.user, "operation": "vault.reveal",
        "text": f"{event.reason}: {' '.join(event.tokens)}", "count": event.found,
    }  # fmt: skip


def _asked(entry: Entry, event: apr.ApprovalAsked) -> dict[str, Any]:
    return {
        **_of(entry, APPROVALS), "kind": "approval", "code": "asked", "caller": event.by,
        "user": event.user, "operation": event.operation, "account": event.account,
        "text": f"apr-{event.number}",
    }  # fmt: skip


def _decided(code: str) -> Callable[[Entry, Any], dict[str, Any]]:
    def decided(entry: Entry, event: Any) -> dict[str, Any]:
        said = getattr(event, "reason", "") or getattr(event, "said", "")
        return {
            **_of(entry, APPROVALS), "kind": "approval", "code": code, "caller": event.by,
            "user": event.user, "text": f"apr-{event.number}: {said}",
        }  # fmt: skip

    return decided


def _refused(entry: Entry, event: apr.ApprovalDenied) -> dict[str, Any]:
    return {
        **_of(entry, APPROVALS), "kind": "denial", "code": event.code, "caller": event.by,
        "user": event.user, "text": f"apr-{event.number}: {event.text}",
    }  # fmt: skip


def _access(code: str) -> Callable[[Entry, Any], dict[str, Any]]:
    def changed(entry: Entry, event: Any) -> dict[str, Any]:
        roles: tuple[str, ...] = getattr(event, "roles", ()) or getattr(event, "scopes", ())
        return {
            "tenant": event.tenant, "kind": "access", "code": code,
            "caller": getattr(event, "by", ""), "user": getattr(event, "user", ""),
            "text": ", ".join(roles) or getattr(event, "key_id", "")
            or getattr(event, "session_id", "") or getattr(event, "kind", ""),
        }  # fmt: skip

    return changed


def _published(entry: Entry, event: PolicyPublished) -> dict[str, Any]:
    back = f", back to {event.like}" if event.like else ""
    return {
        **_of(entry, POLICIES), "kind": "policy", "code": "published", "caller": event.by,
        "user": event.by.partition("/")[0], "policy": event.revision,
        "text": f"version {event.version}{back}: {event.note}",
    }  # fmt: skip


def _of(entry: Entry, prefix: str) -> dict[str, str]:
    return {"tenant": entry.stream.removeprefix(prefix)}


_MADE: Final[dict[type, Callable[[Entry, Any], dict[str, Any]]]] = {
    ActNoted: _act,
    DenialsNoted: _denial,
    TokensRevealed: _revealed,
    apr.ApprovalAsked: _asked,
    apr.ApprovalGranted: _decided("granted"),
    apr.ApprovalRejected: _decided("rejected"),
    apr.ApprovalDenied: _refused,
    apr.GlassBroken: _decided("glass_broken"),
    apr.GlassReviewed: _decided("glass_reviewed"),
    idn.UserCreated: _access("user_created"),
    idn.RolesChanged: _access("roles_changed"),
    idn.KeyCreated: _access("key_created"),
    idn.KeyRevoked: _access("key_revoked"),
    idn.PasswordChanged: _access("password_changed"),
    idn.SecondFactorSet: _access("second_factor_set"),
    idn.SessionBegun: _access("session_begun"),
    idn.SessionEnded: _access("session_ended"),
    idn.SignInHeldUp: _access("sign_in_held_up"),
    idn.DeviceTrusted: _access("device_trusted"),
    idn.DeviceForgotten: _access("device_forgotten"),
    PolicyPublished: _published,
}


def lines(
    conn: sa.Connection,
    tenant: str,
    *,
    kind: str = "",
    caller: str = "",
    operation: str = "",
    since: int = 0,
    until: int = 0,
    before: int = 0,
    limit: int = 100,
) -> Sequence[Any]:
    """Newest first; of the tenant, and of those who were not known to be anybody's."""
    a = audit.c
    chosen: list[sa.ColumnElement[bool]] = [a.tenant.in_((tenant, NOBODY))]
    if kind:
        chosen.append(a.kind == kind)
    if caller:
        chosen.append(sa.or_(a.caller == caller, a.user == caller))
    if operation:
        chosen.append(a.operation == operation)
    if since:
        chosen.append(a.at >= since)
    if until:
        chosen.append(a.at < until)
    if before:
        chosen.append(a.position < before)
    asked = sa.select(audit).where(*chosen).order_by(a.position.desc()).limit(limit)
    return conn.execute(asked).all()
