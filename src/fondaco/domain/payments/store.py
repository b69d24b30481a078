"""Purchases and payouts as tables, and each movement of money that they made.

A row holds the state of its stream, as the law itself works it out: the tables know nothing of it
but what is searched by.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from fondaco.domain.payments import events as ev
from fondaco.domain.payments import rules as purchase
from fondaco.domain.payments.model import PAYOUTS, PREFIX, Payout, Purchase
from fondaco.domain.payments.payouts import rules as payout
from fondaco.kernel.event import Entry
from fondaco.ports.bulk import UNITS, stored
from fondaco.ports.rows import RowsView

VIEW: Final = "payments_v1"
OPEN: Final = ("opened", "awaiting_payment", "pending")
metadata: Final = sa.MetaData()

purchases: Final = sa.Table(
    "payments_purchases_v1",
    metadata,
    sa.Column("purchase_id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # as it is shown
    sa.Column("payment", sa.Text, nullable=False, index=True),
    sa.Column("affiliate", sa.Text, nullable=False),
    sa.Column("is_asking", sa.Boolean, nullable=False),  # a refund is on its way
    sa.Column("opened_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),  # of what was heard last
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Index("payments_purchases_v1_of_tenant", "tenant", "opened_at"),
    sa.Index("payments_purchases_v1_waiting", "state", "expires_at"),
)
payouts: Final = sa.Table(
    "payments_payouts_v1",
    metadata,
    sa.Column("payout_id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
movements: Final = sa.Table(
    "payments_movements_v1",
    metadata,
    sa.Column("position", sa.BigInteger, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),  # of the purchase or payout
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("amount", UNITS, nullable=False),  # what came is above zero
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("commission", UNITS, nullable=False),
    sa.Column("affiliate", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
)
_encode: Final = msgspec.msgpack.Encoder().encode
_purchase: Final = msgspec.msgpack.Decoder(Purchase).decode
_payout: Final = msgspec.msgpack.Decoder(Payout).decode


class Movement(NamedTuple):
    tenant: str
    name: str
    kind: str
    reference: str
    amount: int
    currency: str
    commission: int
    affiliate: str
    provider: str
    at: int


class PaymentsView(RowsView):
    name = VIEW
    metadata = metadata

    def apply(self, conn: sa.Connection, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.stream.startswith(PREFIX):
                _apply_purchase(conn, entry)
            elif entry.stream.startswith(PAYOUTS):
                _apply_payout(conn, entry)


def _apply_purchase(conn: sa.Connection, entry: Entry) -> None:
    name, p = entry.stream.removeprefix(PREFIX), purchases.c
    found = conn.execute(sa.select(p.body).where(p.purchase_id == name)).first()
    state = _purchase(found.body) if found else purchase.initial(entry.stream)
    event: Any = entry.event
    state = purchase.evolve(state, event)
    if state.stage == "new":
        return  # somebody spoke of a purchase that nobody has opened
    row = {
        "tenant": state.tenant, "user": state.user, "state": state.shown,
        "payment": state.payment, "affiliate": state.affiliate,
        "is_asking": any(each.state == "asked" for each in state.refunds.values()),
        "opened_at": state.opened_at, "expires_at": state.expires_at,
        "position": entry.position, "body": _encode(state),
    }  # fmt: skip
    _put(conn, purchases, {"purchase_id": name}, row, is_new=found is None)
    for move in moves_of(entry, state):
        _move(conn, entry, move)


def _apply_payout(conn: sa.Connection, entry: Entry) -> None:
    name, p = entry.stream.removeprefix(PAYOUTS), payouts.c
    found = conn.execute(sa.select(p.body).where(p.payout_id == name)).first()
    state = _payout(found.body) if found else payout.initial(entry.stream)
    event: Any = entry.event
    state = payout.evolve(state, event)
    row = {
        "tenant": state.tenant, "user": state.user, "state": state.state,
        "position": entry.position, "body": _encode(state),
    }  # fmt: skip
    _put(conn, payouts, {"payout_id": name}, row, is_new=found is None)
    for move in _payout_moves(entry):
        _move(conn, entry, move)


def _put(
    conn: sa.Connection, table: sa.Table, key: dict[str, Any], row: dict[str, Any], *, is_new: bool
) -> None:
    if is_new:
        conn.execute(table.insert().values(**key, **row))
        return
    ((name, value),) = key.items()
    conn.execute(table.update().where(table.c[name] == value).values(**row))


def _move(conn: sa.Connection, entry: Entry, move: Movement) -> None:
    row = {name: stored(value) for name, value in move._asdict().items()}
    conn.execute(movements.insert().values(position=entry.position, **row))


def moves_of(entry: Entry, state: Purchase) -> Iterator[Movement]:
    """What an event of a purchase moved at its provider; what cost nothing moved nothing."""
    event: Any = entry.event
    made = _MOVES.get(type(event))
    if made is not None and state.total:
        kind, reference, amount, commission = made(event, state)
        if kind == "refund_back" and not amount:
            return
        yield Movement(
            state.tenant, state.purchase_id, kind, reference, amount, state.currency, commission,
            state.affiliate, state.provider, entry.at,
        )  # fmt: skip


_Made = tuple[str, str, int, int]
_MOVES: Final[Mapping[type[Any], Callable[[Any, Purchase], _Made]]] = {
    ev.PurchaseCompleted: lambda e, _: ("sale", e.payment, e.paid_amount, e.commission),
    ev.Refunded: lambda e, _: ("refund", e.reference, -e.amount, -e.commission),
    ev.RefundFailed: lambda e, _: ("refund_back", e.reference, e.amount, e.commission),
    ev.DisputeOpened: lambda e, _: ("dispute", e.dispute, -e.amount, 0),
    ev.DisputeClosed: lambda e, _: (
        ("dispute_won", e.dispute, e.amount, 0) if e.is_won else ("dispute_lost", e.dispute, 0, 0)
    ),
}


def _payout_moves(entry: Entry) -> Iterator[Movement]:
    event: Any = entry.event
    if isinstance(event, ev.PayoutPaid):
        kind, amount = "payout", -event.amount
    elif isinstance(event, ev.PayoutFailed) and event.was_paid:
        kind, amount = "payout_back", event.amount
    else:
        return
    yield Movement(
        event.tenant, event.payout_id, kind, event.reference, amount, event.currency, 0, "", "",
        entry.at,
    )  # fmt: skip


# --- Looks ----------------------------------------------------------------------------------------


def purchase_in(body: bytes) -> Purchase:
    """What a row holds."""
    return _purchase(body)


class Row(NamedTuple):
    state: Purchase
    position: int


def listed(
    conn: sa.Connection, tenant: str, user: str | None, state: str, limit: int, before: int
) -> list[Row]:
    """Newest first; `user` None: everybody's. `before` is an instant; 0: from now on back."""
    p = purchases.c
    query = sa.select(p.body, p.position).where(p.tenant == tenant)
    if user is not None:
        query = query.where(p.user == user)
    if state:
        query = query.where(p.state == state)
    if before:
        query = query.where(p.opened_at < before)
    found = conn.execute(query.order_by(p.opened_at.desc(), p.purchase_id).limit(limit))
    return [Row(_purchase(row.body), row.position) for row in found]


def paid_out(
    conn: sa.Connection, tenant: str, user: str | None, state: str, limit: int
) -> list[Payout]:
    """Newest first."""
    p = payouts.c
    query = sa.select(p.body).where(p.tenant == tenant)
    if user is not None:
        query = query.where(p.user == user)
    if state:
        query = query.where(p.state == state)
    found = conn.execute(query.order_by(p.position.desc()).limit(limit))
    return [_payout(row.body) for row in found]


def named(conn: sa.Connection, payment: str) -> str:
    """The purchase that a payment is of; "" where none is known."""
    p = purchases.c
    found = conn.execute(sa.select(p.purchase_id).where(p.payment == payment)).first()
    return str(found.purchase_id) if found and payment else ""


class Outstanding(NamedTuple):
    """Streams that wait for something to be done at a provider."""

    refunds: list[str]
    payouts: list[str]
    checkouts: list[str]


def outstanding(conn: sa.Connection, now: int) -> Outstanding:
    """Refunds that were asked, payouts that were ordered, and purchases nobody has paid in time."""
    p, o = purchases.c, payouts.c
    asked = sa.select(p.purchase_id).where(p.is_asking)
    ordered = sa.select(o.payout_id).where(o.state == "ordered")
    late = sa.select(p.purchase_id).where(p.state.in_(OPEN), p.expires_at <= now)
    return Outstanding(
        *([str(row[0]) for row in conn.execute(query)] for query in (asked, ordered, late))
    )


def expiring(conn: sa.Connection) -> list[tuple[str, int]]:
    """Purchases that can still be paid, and until when."""
    p = purchases.c
    query = sa.select(p.purchase_id, p.expires_at).where(p.state.in_(OPEN))
    return [(str(name), int(at)) for name, at in conn.execute(query)]


def moved(conn: sa.Connection, since: int, until: int, provider: str = "") -> list[Movement]:
    """Movements of a span of time, in the order in which we heard of them."""
    m = movements.c
    query = sa.select(movements).where(m.at >= since, m.at < until)
    if provider:
        query = query.where(m.provider.in_((provider, "")))
    return [_movement(row) for row in conn.execute(query.order_by(m.position))]


def _movement(row: Any) -> Movement:
    return Movement(
        row.tenant, row.name, row.kind, row.reference, int(row.amount), row.currency,
        int(row.commission), row.affiliate, row.provider, row.at,
    )  # fmt: skip


class Earned(NamedTuple):
    affiliate: str
    currency: str
    purchases: int
    paid: int
    commission: int


def earned(conn: sa.Connection, tenant: str) -> list[Earned]:
    """What affiliates have brought and earned, less what went back, by currency."""
    m = movements.c
    query = sa.select(m.affiliate, m.currency, m.kind, m.amount, m.commission)
    sums: dict[tuple[str, str], list[int]] = {}
    for row in conn.execute(query.where(m.tenant == tenant, m.affiliate != "")):
        found = sums.setdefault((row.affiliate, row.currency), [0, 0, 0])
        found[0] += row.kind == "sale"
        found[1] += int(row.amount)
        found[2] += int(row.commission)
    return [Earned(*key, *found) for key, found in sorted(sums.items())]
