"""Records of webhooks, and the queue of what is to be sent, which has a store of its own.

The queue holds no body: what a message says is worked out of its journal entry whenever it is sent.
A lane is an endpoint's messages about one resource, which leave in their order.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from fondaco.domain.notify.events import WebhookEvent
from fondaco.domain.notify.model import Endpoint, stream_of
from fondaco.kernel.errors import NotFound
from fondaco.kernel.event import Instant
from fondaco.ports.store import publish

records_metadata: Final = sa.MetaData()
queue_metadata: Final = sa.MetaData()
SEALED_ABOUT: Final = "webhooks"  # under the house's key

endpoints: Final = sa.Table(
    "webhooks_endpoints",
    records_metadata,
    sa.Column("webhook_id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("url", sa.LargeBinary, nullable=False),  # sealed: it may hold a secret
    sa.Column("events", sa.Text, nullable=False),  # JSON
    sa.Column("accounts", sa.Text),  # JSON; null: all of the tenant's
    sa.Column("scopes", sa.Text, nullable=False),  # JSON
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)

places: Final = sa.Table(
    "webhooks_places",
    queue_metadata,
    sa.Column("webhook_id", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),  # up to which messages were queued
    sa.Column("streak", sa.Integer, nullable=False),  # failures one after the other
    sa.Column("failing_since", sa.BigInteger, nullable=False),
    sa.Column("held_until", sa.BigInteger, nullable=False),
)

messages: Final = sa.Table(
    "webhooks_messages",
    queue_metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("webhook_id", sa.Text, nullable=False),
    sa.Column("msg_id", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("resource", sa.Text, nullable=False),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("is_replay", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("queued_at", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", sa.BigInteger, nullable=False),
    sa.Column("finished_at", sa.BigInteger, nullable=False),
    sa.Column("last_status", sa.Integer, nullable=False),
    sa.Column("last_error", sa.Text, nullable=False),
    sa.Index("webhooks_messages_lane", "webhook_id", "resource", "state", "number"),
    sa.Index("webhooks_messages_state", "webhook_id", "state", "number"),
    sa.Index("webhooks_messages_finished", "finished_at"),
    sqlite_autoincrement=True,
)

lanes: Final = sa.Table(
    "webhooks_lanes",
    queue_metadata,
    sa.Column("webhook_id", sa.Text, primary_key=True),
    sa.Column("resource", sa.Text, primary_key=True),
    sa.Column("due_at", sa.BigInteger, nullable=False, index=True),
)

attempts: Final = sa.Table(
    "webhooks_attempts",
    queue_metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("nth", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),  # 0: there was no answer
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("latency_ms", sa.Integer, nullable=False),
    sa.Column("body_bytes", sa.Integer, nullable=False),
    sa.Column("body_sha256", sa.Text, nullable=False),
)


class Row(msgspec.Struct, frozen=True):
    """An endpoint as it is kept: its address is sealed."""

    endpoint: Endpoint  # whose `url` is ""
    sealed_url: bytes


# --- Endpoints, in the records --------------------------------------------------------------------


def put(conn: sa.Connection, endpoint: Endpoint, sealed_url: bytes) -> None:
    row = {
        "tenant": endpoint.tenant,
        "owner": endpoint.owner,
        "url": sealed_url,
        "events": _json(endpoint.events),
        "accounts": None if endpoint.accounts is None else _json(endpoint.accounts),
        "scopes": _json(sorted(endpoint.scopes)),
        "description": endpoint.description,
        "state": endpoint.state,
        "reason": endpoint.reason,
        "since": endpoint.since,
        "created_at": endpoint.created_at,
        "changed_at": endpoint.changed_at,
    }
    mine = endpoints.c.webhook_id == endpoint.webhook_id
    if not conn.execute(endpoints.update().where(mine).values(**row)).rowcount:
        conn.execute(endpoints.insert().values(webhook_id=endpoint.webhook_id, **row))


def drop(conn: sa.Connection, webhook_id: str) -> None:
    conn.execute(endpoints.delete().where(endpoints.c.webhook_id == webhook_id))


def rows(conn: sa.Connection, tenant: str = "") -> Sequence[Row]:
    """All, or a tenant's, the oldest first."""
    asked = sa.select(endpoints).order_by(endpoints.c.created_at, endpoints.c.webhook_id)
    if tenant:
        asked = asked.where(endpoints.c.tenant == tenant)
    return [_row(found) for found in conn.execute(asked).mappings()]


def row(conn: sa.Connection, tenant: str, webhook_id: str) -> Row:
    """Raises `NotFound`."""
    found = [each for each in rows(conn, tenant) if each.endpoint.webhook_id == webhook_id]
    if not found:
        raise NotFound(f"there is no webhook {webhook_id}")
    return found[0]


def tell(conn: sa.Connection, tenant: str, event: WebhookEvent, at: Instant) -> None:
    publish(conn, stream_of(tenant), event, at)


def _row(found: sa.RowMapping) -> Row:
    accounts = found["accounts"]
    endpoint = Endpoint(
        webhook_id=found["webhook_id"],
        tenant=found["tenant"],
        owner=found["owner"],
        url="",
        events=_names(found["events"]),
        accounts=None if accounts is None else _names(accounts),
        scopes=frozenset(_names(found["scopes"])),
        description=found["description"],
        state=found["state"],
        reason=found["reason"],
        since=found["since"],
        created_at=Instant(found["created_at"]),
        changed_at=Instant(found["changed_at"]),
    )
    return Row(endpoint, bytes(found["url"]))


# --- The queue ------------------------------------------------------------------------------------


def stands(conn: sa.Connection) -> dict[str, Any]:
    """Each endpoint's row of `places`."""
    return {row.webhook_id: row for row in conn.execute(sa.select(places))}


def stand(conn: sa.Connection, webhook_id: str, position: int) -> None:
    mine = places.c.webhook_id == webhook_id
    if not conn.execute(places.update().where(mine).values(position=position)).rowcount:
        conn.execute(
            places.insert().values(
                webhook_id=webhook_id, position=position, streak=0, failing_since=0, held_until=0
            )
        )


def judge(
    conn: sa.Connection, webhook_id: str, streak: int, failing_since: int, held_until: int
) -> None:
    mine = places.c.webhook_id == webhook_id
    new = {"streak": streak, "failing_since": failing_since, "held_until": held_until}
    conn.execute(places.update().where(mine).values(**new))


def waiting_count(conn: sa.Connection, webhook_id: str) -> int:
    asked = sa.select(sa.func.count()).where(
        messages.c.webhook_id == webhook_id, messages.c.state == "waiting"
    )
    return int(conn.execute(asked).scalar_one())


def queue(conn: sa.Connection, found: Sequence[Mapping[str, Any]], now: Instant) -> None:
    """Messages behind those that wait. Each has the columns that are not filled in here."""
    if not found:
        return
    usual = {
        "state": "waiting", "queued_at": now, "attempts": 0, "due_at": now, "finished_at": 0,
        "last_status": 0, "last_error": "",
    }  # fmt: skip
    conn.execute(messages.insert(), [{**usual, **each} for each in found])
    for webhook_id, resource in dict.fromkeys(
        (each["webhook_id"], each["resource"]) for each in found
    ):
        if not _has_lane(conn, webhook_id, resource):
            conn.execute(
                lanes.insert().values(webhook_id=webhook_id, resource=resource, due_at=now)
            )


def _has_lane(conn: sa.Connection, webhook_id: str, resource: str) -> bool:
    asked = sa.select(lanes.c.due_at).where(*_lane(webhook_id, resource))
    return conn.execute(asked).first() is not None


def _lane(webhook_id: str, resource: str) -> tuple[sa.ColumnElement[bool], ...]:
    return lanes.c.webhook_id == webhook_id, lanes.c.resource == resource


def due(
    conn: sa.Connection, webhook_ids: Sequence[str], now: Instant, limit: int
) -> Sequence[tuple[str, str]]:
    """Lanes whose head may be sent, the longest due first."""
    asked = (
        sa.select(lanes.c.webhook_id, lanes.c.resource)
        .where(lanes.c.due_at <= now, lanes.c.webhook_id.in_(webhook_ids))
        .order_by(lanes.c.due_at)
        .limit(limit)
    )
    return [(row.webhook_id, row.resource) for row in conn.execute(asked)]


def head(conn: sa.Connection, webhook_id: str, resource: str) -> Any:
    """The first message of a lane; None where nothing waits."""
    m = messages.c
    mine = (m.webhook_id == webhook_id, m.resource == resource, m.state == "waiting")
    return conn.execute(sa.select(messages).where(*mine).order_by(m.number).limit(1)).first()


def note(conn: sa.Connection, attempt: Mapping[str, Any]) -> None:
    conn.execute(attempts.insert().values(**attempt))


def again(conn: sa.Connection, message: Any, status: int, error: str, due_at: Instant) -> None:
    """A message that has failed waits for its next attempt, and its lane with it."""
    new = {
        "attempts": message.attempts + 1, "last_status": status, "last_error": error,
        "due_at": due_at,
    }  # fmt: skip
    conn.execute(messages.update().where(messages.c.number == message.number).values(**new))
    mine = _lane(message.webhook_id, message.resource)
    conn.execute(lanes.update().where(*mine).values(due_at=due_at))


def postpone(conn: sa.Connection, message: Any, due_at: Instant) -> None:
    """Nothing was tried: the message and its lane wait."""
    mine = messages.c.number == message.number
    conn.execute(messages.update().where(mine).values(due_at=due_at))
    lane = _lane(message.webhook_id, message.resource)
    conn.execute(lanes.update().where(*lane).values(due_at=due_at))


def finish(
    conn: sa.Connection, message: Any, state: str, status: int, error: str, at: Instant
) -> None:
    """A message has been delivered, given up or withheld; the next of its lane is due."""
    tried = 0 if state == "withheld" else 1
    new = {
        "state": state, "attempts": message.attempts + tried, "last_status": status,
        "last_error": error, "finished_at": at,
    }  # fmt: skip
    conn.execute(messages.update().where(messages.c.number == message.number).values(**new))
    mine = _lane(message.webhook_id, message.resource)
    if head(conn, message.webhook_id, message.resource) is None:
        conn.execute(lanes.delete().where(*mine))
    else:
        conn.execute(lanes.update().where(*mine).values(due_at=at))


def skip(conn: sa.Connection, webhook_id: str, until: int, at: Instant) -> None:
    """What waits for an endpoint and stands before a position is not sent."""
    m = messages.c
    mine = (m.webhook_id == webhook_id, m.state == "waiting", m.position <= until)
    new = {"state": "withheld", "last_error": "skipped", "finished_at": at}
    conn.execute(messages.update().where(*mine).values(**new))


def forget(conn: sa.Connection, before: Instant) -> int:
    """Drop what was finished before; how many messages."""
    old = sa.select(messages.c.number).where(
        messages.c.finished_at > 0, messages.c.finished_at < before
    )
    conn.execute(attempts.delete().where(attempts.c.number.in_(old)))
    gone = conn.execute(
        messages.delete().where(messages.c.finished_at > 0, messages.c.finished_at < before)
    )
    return gone.rowcount


def forget_endpoint(conn: sa.Connection, webhook_id: str) -> None:
    mine = sa.select(messages.c.number).where(messages.c.webhook_id == webhook_id)
    conn.execute(attempts.delete().where(attempts.c.number.in_(mine)))
    for table in (messages, lanes, places):
        conn.execute(table.delete().where(table.c.webhook_id == webhook_id))


# --- What is asked about deliveries --------------------------------------------------------------


def counts(conn: sa.Connection, webhook_id: str) -> dict[str, int]:
    asked = (
        sa.select(messages.c.state, sa.func.count())
        .where(messages.c.webhook_id == webhook_id)
        .group_by(messages.c.state)
    )
    return {state: int(count) for state, count in conn.execute(asked)}


def log(
    conn: sa.Connection, webhook_id: str, state: str, resource: str, before: int, limit: int
) -> Sequence[Any]:
    """Newest first."""
    m = messages.c
    chosen: list[sa.ColumnElement[bool]] = [m.webhook_id == webhook_id]
    if state:
        chosen.append(m.state == state)
    if resource:
        chosen.append(m.resource == resource)
    if before:
        chosen.append(m.number < before)
    asked = sa.select(messages).where(*chosen).order_by(m.number.desc()).limit(limit)
    return conn.execute(asked).all()


def message(conn: sa.Connection, webhook_id: str, number: int) -> Any:
    """Raises `NotFound`."""
    m = messages.c
    asked = sa.select(messages).where(m.webhook_id == webhook_id, m.number == number)
    found = conn.execute(asked).first()
    if found is None:
        raise NotFound(f"the webhook {webhook_id} has no delivery {number}")
    return found


def attempts_of(conn: sa.Connection, numbers: Iterable[int]) -> Sequence[Any]:
    asked = sa.select(attempts).where(attempts.c.number.in_(list(numbers)))
    return conn.execute(asked.order_by(attempts.c.number, attempts.c.nth)).all()


def _json(names: Iterable[str]) -> str:
    return msgspec.json.encode(list(names)).decode()


def _names(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])
