"""Assessments as tables: what people look at. Filled from the journal, and may be thrown away."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.model import ENDED, PREFIX
from fondaco.kernel.event import Entry
from fondaco.ports.rows import RowsView

VIEW: Final = "evaluation_assessments_v1"
_metadata: Final = sa.MetaData()

assessments: Final = sa.Table(
    "evaluation_assessments_v1",
    _metadata,
    sa.Column("assessment_id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("tier", sa.Text, nullable=False),
    sa.Column("tier_version", sa.BigInteger, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("stage", sa.BigInteger, nullable=False),
    sa.Column("stage_name", sa.Text, nullable=False),
    sa.Column("is_funded", sa.BigInteger, nullable=False),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("began_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger, nullable=False),
    sa.Column("frozen", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
sa.Index("evaluation_assessments_v1_user", assessments.c.tenant, assessments.c.user)

violations: Final = sa.Table(
    "evaluation_violations_v1",
    _metadata,
    sa.Column("assessment_id", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("stage", sa.BigInteger, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("value", sa.BigInteger, nullable=False),
    sa.Column("limit", sa.BigInteger, nullable=False),
    sa.Column("balance", sa.BigInteger, nullable=False),
    sa.Column("equity", sa.BigInteger, nullable=False),
    sa.Column("day", sa.BigInteger, nullable=False),
    sa.Column("day_from", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

payouts: Final = sa.Table(
    "evaluation_payouts_v1",
    _metadata,
    sa.Column("assessment_id", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("profit", sa.BigInteger, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", sa.BigInteger, nullable=False),
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

# Accounts whose stage has ended and on which something may be open.
closings: Final = sa.Table(
    "evaluation_closings_v1",
    _metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("assessment_id", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

# Equity as the journal has it: at trades, resets, warnings, new peaks, and now and then between.
points: Final = sa.Table(
    "evaluation_points_v1",
    _metadata,
    sa.Column("assessment_id", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("stage", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("balance", sa.BigInteger, nullable=False),
    sa.Column("equity", sa.BigInteger, nullable=False),
    sa.Column("day_limit", sa.BigInteger, nullable=False),
    sa.Column("overall_limit", sa.BigInteger, nullable=False),
    sa.Column("is_reset", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)


def _created(conn: sa.Connection, entry: Entry, event: ev.AssessmentCreated) -> None:
    row = {
        "assessment_id": event.assessment_id, "tenant": event.tenant, "user": event.user,
        "source": event.source, "tier": event.tier, "tier_version": event.tier_version,
        "fingerprint": event.fingerprint, "state": "purchased", "stage": 0, "stage_name": "",
        "is_funded": 0, "account_id": "", "size": 0, "created_at": entry.at, "began_at": 0,
        "ended_at": 0, "frozen": "", "reason": "", "position": entry.position,
    }  # fmt: skip
    conn.execute(assessments.insert().values(row))


def _change(conn: sa.Connection, entry: Entry, **columns: Any) -> None:
    mine = assessments.c.assessment_id == entry.stream.removeprefix(PREFIX)
    conn.execute(assessments.update().where(mine).values(columns))


def _begun(conn: sa.Connection, entry: Entry, event: ev.StageBegun) -> None:
    columns: dict[str, Any] = {
        "stage": event.stage, "stage_name": event.name, "is_funded": int(event.is_funded),
        "account_id": event.account, "size": event.size, "ended_at": 0,
    }  # fmt: skip
    if event.why in ("reset", "upgrade"):
        columns |= {"state": "purchased", "reason": ""}
    _change(conn, entry, **columns)


def _started(conn: sa.Connection, entry: Entry, event: ev.AssessmentStarted) -> None:
    is_funded = assessments.c.is_funded == 1
    _change(
        conn,
        entry,
        state=sa.case((is_funded, "funded"), else_="active"),
        began_at=sa.case((assessments.c.began_at == 0, entry.at), else_=assessments.c.began_at),
    )


def _ended(state: str) -> Callable[[sa.Connection, Entry, Any], None]:
    def end(conn: sa.Connection, entry: Entry, event: Any) -> None:
        reason = getattr(event, "rule", "") or getattr(event, "reason", "")
        _change(conn, entry, state=state, ended_at=event.at, reason=reason)

    return end


def _passed(conn: sa.Connection, entry: Entry, event: ev.AssessmentPassed) -> None:
    if not event.is_funded:
        _change(conn, entry, state="passed", ended_at=event.at)


def _frozen(conn: sa.Connection, entry: Entry, event: ev.AssessmentFrozen) -> None:
    _change(conn, entry, frozen=event.reason)


def _thawed(conn: sa.Connection, entry: Entry, _: ev.AssessmentThawed) -> None:
    _change(conn, entry, frozen="")


def _upgraded(conn: sa.Connection, entry: Entry, event: ev.AssessmentUpgraded) -> None:
    _change(
        conn, entry, tier=event.tier, tier_version=event.tier_version,
        fingerprint=event.fingerprint,
    )  # fmt: skip


def _violated(conn: sa.Connection, entry: Entry, event: ev.RuleViolated) -> None:
    row = {
        "assessment_id": entry.stream.removeprefix(PREFIX), "position": entry.position,
        "account_id": event.account, "stage": event.stage, "rule": event.rule, "at": event.at,
        "value": event.value, "limit": event.limit, "balance": event.balance,
        "equity": event.equity, "day": event.day, "day_from": event.day_from,
    }  # fmt: skip
    conn.execute(violations.insert().values(row))


def _point(conn: sa.Connection, entry: Entry, event: ev.StandingKept) -> None:
    numbers = event.numbers
    row = {
        "assessment_id": entry.stream.removeprefix(PREFIX), "position": entry.position,
        "account_id": event.account, "stage": event.stage, "at": event.at,
        "balance": numbers.balance, "equity": numbers.equity, "day_limit": numbers.day_limit,
        "overall_limit": numbers.overall_limit, "is_reset": 0,
    }  # fmt: skip
    conn.execute(points.insert().values(row))


def _reset(conn: sa.Connection, entry: Entry, event: ev.DayReset) -> None:
    row = {
        "assessment_id": entry.stream.removeprefix(PREFIX), "position": entry.position,
        "account_id": event.account, "stage": 0, "at": event.at, "balance": event.day_from,
        "equity": event.day_from, "day_limit": event.day_limit,
        "overall_limit": event.overall_limit, "is_reset": 1,
    }  # fmt: skip
    conn.execute(points.insert().values(row))


def _closing(conn: sa.Connection, entry: Entry, event: ev.AccountClosing) -> None:
    if event.nth == 1:
        row = {
            "account_id": event.account, "assessment_id": entry.stream.removeprefix(PREFIX),
        }  # fmt: skip
        conn.execute(closings.insert().values(row))


def _retired(conn: sa.Connection, _: Entry, event: ev.AccountRetired) -> None:
    conn.execute(closings.delete().where(closings.c.account_id == event.account))


def _asked(conn: sa.Connection, entry: Entry, event: ev.PayoutAsked) -> None:
    row = {
        "assessment_id": entry.stream.removeprefix(PREFIX), "number": event.number,
        "state": "asked", "profit": event.profit, "amount": event.amount,
        "currency": event.currency, "asked_by": event.by, "asked_at": event.at,
        "decided_by": "", "reason": "",
    }  # fmt: skip
    conn.execute(payouts.insert().values(row))


def _pay(conn: sa.Connection, entry: Entry, number: int, **columns: Any) -> None:
    p = payouts.c
    mine = (p.assessment_id == entry.stream.removeprefix(PREFIX), p.number == number)
    conn.execute(payouts.update().where(*mine).values(columns))


def _agreed(
    conn: sa.Connection, entry: Entry, event: ev.PayoutAgreed | ev.PayoutTriedAgain
) -> None:
    _pay(conn, entry, event.number, state="agreed", decided_by=event.by, reason="")


def _refused(conn: sa.Connection, entry: Entry, event: ev.PayoutRefused) -> None:
    _pay(conn, entry, event.number, state="refused", decided_by=event.by, reason=event.reason)


def _settled(conn: sa.Connection, entry: Entry, event: ev.PayoutSettled) -> None:
    state = "paid" if event.paid else "failed"
    _pay(conn, entry, event.number, state=state, reason=event.text)


_WRITERS: Final[dict[type, Callable[..., None]]] = {
    ev.AssessmentCreated: _created,
    ev.StageBegun: _begun,
    ev.AssessmentStarted: _started,
    ev.AssessmentPassed: _passed,
    ev.AssessmentFailed: _ended("failed"),
    ev.AssessmentAbandoned: _ended("abandoned"),
    ev.AssessmentExpired: _ended("expired"),
    ev.AssessmentFrozen: _frozen,
    ev.AssessmentThawed: _thawed,
    ev.AssessmentUpgraded: _upgraded,
    ev.RuleViolated: _violated,
    ev.StandingKept: _point,
    ev.DayReset: _reset,
    ev.AccountClosing: _closing,
    ev.AccountRetired: _retired,
    ev.PayoutAsked: _asked,
    ev.PayoutAgreed: _agreed,
    ev.PayoutTriedAgain: _agreed,
    ev.PayoutRefused: _refused,
    ev.PayoutSettled: _settled,
}


class AssessmentsView(RowsView):
    """Assessments, what broke them, their payouts, and the path of their equity."""

    name: ClassVar[str] = VIEW
    metadata: ClassVar[sa.MetaData] = _metadata

    def apply(self, conn: sa.Connection, entries: Sequence[Entry]) -> None:
        for entry in entries:
            write = _WRITERS.get(type(entry.event))
            if write is not None:
                write(conn, entry, entry.event)


# --- Looks --------------------------------------------------------------------------------------


def listed(
    conn: sa.Connection, tenant: str, user: str | None, state: str | None, limit: int
) -> Sequence[Any]:
    """The newest first; None: of everybody, in any state."""
    a = assessments.c
    query = sa.select(assessments).where(a.tenant == tenant)
    if user is not None:
        query = query.where(a.user == user)
    if state is not None:
        query = query.where(a.state == state)
    return conn.execute(query.order_by(a.position.desc()).limit(limit)).all()


def living(conn: sa.Connection) -> list[str]:
    """Those that may still trade, and those that ended and are not closed yet."""
    a = assessments.c
    trading = sa.select(a.assessment_id).where(a.state.not_in(ENDED))
    closing = sa.select(closings.c.assessment_id)
    return sorted(set(conn.execute(sa.union(trading, closing)).scalars()))


def row_of(conn: sa.Connection, assessment_id: str) -> Any | None:
    query = sa.select(assessments).where(assessments.c.assessment_id == assessment_id)
    return conn.execute(query).one_or_none()


def violations_of(conn: sa.Connection, assessment_id: str) -> Sequence[Any]:
    v = violations.c
    query = sa.select(violations).where(v.assessment_id == assessment_id)
    return conn.execute(query.order_by(v.position)).all()


def violations_listed(
    conn: sa.Connection, tenant: str, user: str | None, rule: str | None, below: int, limit: int
) -> Sequence[Any]:
    """The newest first, beneath position `below`, with whose they are; None: of everybody, of
    any rule."""
    v, a = violations.c, assessments.c
    query = (
        sa.select(violations, a.user, a.tier, a.tier_version.label("version"))
        .join_from(violations, assessments, v.assessment_id == a.assessment_id)
        .where(a.tenant == tenant, v.position < below)
    )
    if user is not None:
        query = query.where(a.user == user)
    if rule is not None:
        query = query.where(v.rule == rule)
    return conn.execute(query.order_by(v.position.desc()).limit(limit)).all()


def payouts_of(conn: sa.Connection, assessment_id: str) -> Sequence[Any]:
    p = payouts.c
    query = sa.select(payouts).where(p.assessment_id == assessment_id)
    return conn.execute(query.order_by(p.number)).all()


def payouts_listed(
    conn: sa.Connection, tenant: str, user: str | None, state: str | None, limit: int
) -> Sequence[Any]:
    """The newest first, with whose they are; None: of everybody, in any state."""
    p, a = payouts.c, assessments.c
    query = (
        sa.select(payouts, a.user, a.tier, a.account_id)
        .join_from(payouts, assessments, p.assessment_id == a.assessment_id)
        .where(a.tenant == tenant)
    )
    if user is not None:
        query = query.where(a.user == user)
    if state is not None:
        query = query.where(p.state == state)
    order = (p.asked_at.desc(), p.assessment_id, p.number)
    return conn.execute(query.order_by(*order).limit(limit)).all()


def payouts_open(conn: sa.Connection, tenant: str, user: str) -> Sequence[Any]:
    """Of one person, with the account of the assessment: asked or agreed, and not settled."""
    p, a = payouts.c, assessments.c
    query = (
        sa.select(p.assessment_id, p.number, p.state, a.account_id)
        .join_from(payouts, assessments, p.assessment_id == a.assessment_id)
        .where(a.tenant == tenant, a.user == user, p.state.in_(("asked", "agreed")))
    )
    return conn.execute(query.order_by(p.assessment_id, p.number)).all()


def points_of(conn: sa.Connection, assessment_id: str, limit: int) -> Sequence[Any]:
    """In the order of time, the last `limit` of them."""
    p = points.c
    query = sa.select(points).where(p.assessment_id == assessment_id)
    return conn.execute(query.order_by(p.position.desc()).limit(limit)).all()[::-1]


def last_point(conn: sa.Connection, assessment_id: str, account_id: str) -> Any | None:
    """Where an account's standing was last written down."""
    p = points.c
    query = sa.select(points).where(
        p.assessment_id == assessment_id, p.account_id == account_id, p.is_reset == 0
    )
    return conn.execute(query.order_by(p.position.desc()).limit(1)).one_or_none()
