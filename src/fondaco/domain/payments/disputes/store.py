"""Disputes as a table: what somebody looks at, and what is still to be handed in."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from fondaco.domain.payments import events as ev
from fondaco.domain.payments.model import PREFIX
from fondaco.domain.payments.store import purchases
from fondaco.kernel.event import Entry
from fondaco.ports.bulk import UNITS, stored
from fondaco.ports.rows import RowsView

VIEW: Final = "payments_disputes_v1"
_metadata: Final = sa.MetaData()

disputes: Final = sa.Table(
    "payments_disputes_v1",
    _metadata,
    sa.Column("dispute", sa.Text, primary_key=True),
    sa.Column("purchase_id", sa.Text, nullable=False, index=True),
    sa.Column("state", sa.Text, nullable=False),  # "" while only its time is known
    sa.Column("amount", UNITS, nullable=False),
    sa.Column("fee", UNITS, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("opened_at", sa.BigInteger, nullable=False),
    sa.Column("due_at", sa.BigInteger, nullable=False),
    sa.Column("closed_at", sa.BigInteger, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Column("evidence_by", sa.Text, nullable=False),
    sa.Column("evidence_at", sa.BigInteger, nullable=False),
    sa.Column("evidence_reason", sa.Text, nullable=False),
    sa.Column("product", sa.Text, nullable=False),
    sa.Column("activity", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)
_NOTHING: Final[dict[str, Any]] = {
    "state": "", "amount": stored(0), "fee": stored(0), "currency": "", "reason": "",
    "provider": "", "opened_at": 0, "due_at": 0, "closed_at": 0, "evidence": "",
    "evidence_by": "", "evidence_at": 0, "evidence_reason": "", "product": "", "activity": "",
    "text": "",
}  # fmt: skip


def _opened(event: ev.DisputeOpened, at: int) -> dict[str, Any]:
    return {
        "state": "open", "amount": stored(event.amount), "fee": stored(event.fee),
        "currency": event.currency, "reason": event.reason, "provider": event.provider,
        "opened_at": at,
    }  # fmt: skip


def _asked(event: ev.EvidenceAsked, at: int) -> dict[str, Any]:
    said = event.evidence
    return {
        "evidence": "asked", "evidence_by": event.by, "evidence_at": at, "evidence_reason": "",
        "product": said.product, "activity": said.activity, "text": said.text,
    }  # fmt: skip


_COLUMNS: Final[dict[type, Callable[[Any, int], dict[str, Any]]]] = {
    ev.DisputeOpened: _opened,
    ev.DisputeClosed: lambda e, at: {"state": "won" if e.is_won else "lost", "closed_at": at},
    ev.EvidenceDue: lambda e, _: {"due_at": e.due_at},
    ev.EvidenceAsked: _asked,
    ev.EvidenceSent: lambda _, at: {"evidence": "sent", "evidence_at": at},
    ev.EvidenceRefused: lambda e, at: {
        "evidence": "refused",
        "evidence_at": at,
        "evidence_reason": e.reason,
    },
}


class DisputesView(RowsView):
    name: ClassVar[str] = VIEW
    metadata: ClassVar[sa.MetaData] = _metadata

    def apply(self, conn: sa.Connection, entries: Sequence[Entry]) -> None:
        for entry in entries:
            columns_of = _COLUMNS.get(type(entry.event))
            if columns_of is None:
                continue
            event: Any = entry.event
            columns = columns_of(event, entry.at)
            mine = disputes.c.dispute == event.dispute
            if not conn.execute(disputes.update().where(mine).values(columns)).rowcount:
                purchase_id = entry.stream.removeprefix(PREFIX)
                row = {**_NOTHING, **columns, "dispute": event.dispute, "purchase_id": purchase_id}
                conn.execute(disputes.insert().values(row))


# --- Looks ----------------------------------------------------------------------------------------


def listed(conn: sa.Connection, tenant: str, state: str, limit: int) -> Sequence[Any]:
    """Open ones first, that with the least time left before the others; then the newest."""
    d, p = disputes.c, purchases.c
    query = _of(tenant).where(d.state == state if state else d.state != "")
    is_over = sa.case((d.state == "open", 0), else_=1)
    due = sa.case((sa.and_(d.state == "open", d.due_at > 0), d.due_at), else_=1 << 62)
    order = (is_over, due, d.opened_at.desc(), d.dispute)
    return conn.execute(query.add_columns(p.body).order_by(*order).limit(limit)).all()


def one(conn: sa.Connection, tenant: str, dispute: str) -> Any | None:
    query = _of(tenant).add_columns(purchases.c.body)
    return conn.execute(query.where(disputes.c.dispute == dispute)).one_or_none()


def _of(tenant: str) -> Any:
    d, p = disputes.c, purchases.c
    joined = sa.select(disputes).join_from(disputes, purchases, d.purchase_id == p.purchase_id)
    return joined.where(p.tenant == tenant)


def waiting(conn: sa.Connection) -> list[str]:
    """Purchases of which evidence is to be handed in."""
    d = disputes.c
    query = sa.select(d.purchase_id).where(d.evidence == "asked", d.state == "open")
    return list(conn.execute(query).scalars())
