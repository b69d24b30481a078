"""Records of what people have chosen, and the queue of what is to be carried, which has a store of
its own. The queue holds no text: what a notice says is worked out of its journal entry. Text that
is in no entry, such as a code, lies there sealed until it was carried.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from fondaco.domain.notify.notices.model import Preferences
from fondaco.kernel.event import Instant

records_metadata: Final = sa.MetaData()
queue_metadata: Final = sa.MetaData()

preferences: Final = sa.Table(
    "notices_preferences",
    records_metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("chosen", sa.Text, nullable=False),  # JSON
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)

subscriptions: Final = sa.Table(
    "notices_subscriptions",
    records_metadata,
    sa.Column("subscription_id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # where a browser listens, and its keys
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

places: Final = sa.Table(
    "notices_places",
    queue_metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
)

messages: Final = sa.Table(
    "notices_messages",
    queue_metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("notice_id", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("way", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),  # of a push: which subscription
    sa.Column("stream", sa.Text, nullable=False),  # "" of what is in no entry
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("sealed", sa.LargeBinary),  # of what is in no entry, until it was carried
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("queued_at", sa.BigInteger, nullable=False),
    sa.Column("due_at", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("finished_at", sa.BigInteger, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.UniqueConstraint("notice_id", "tenant", "user", "way", "target"),
    sa.Index("notices_messages_due", "state", "due_at"),
    sa.Index("notices_messages_whose", "tenant", "user", "way", "number"),
    sa.Index("notices_messages_finished", "finished_at"),
    sqlite_autoincrement=True,
)

seen: Final = sa.Table(
    "notices_seen",
    queue_metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
)


# --- What people have chosen ----------------------------------------------------------------------


def chosen(conn: sa.Connection) -> dict[tuple[str, str], Preferences]:
    """Of everybody who has chosen."""
    return {
        (row.tenant, row.user): msgspec.json.decode(row.chosen, type=Preferences)
        for row in conn.execute(sa.select(preferences))
    }


def chosen_by(conn: sa.Connection, tenant: str, user: str) -> Preferences | None:
    there = (preferences.c.tenant == tenant, preferences.c.user == user)
    found = conn.scalar(sa.select(preferences.c.chosen).where(*there))
    return None if found is None else msgspec.json.decode(found, type=Preferences)


def choose(conn: sa.Connection, tenant: str, user: str, asked: Preferences, at: Instant) -> None:
    there = (preferences.c.tenant == tenant, preferences.c.user == user)
    row = {"chosen": msgspec.json.encode(asked).decode(), "changed_at": at}
    if not conn.execute(preferences.update().where(*there).values(**row)).rowcount:
        conn.execute(preferences.insert().values(tenant=tenant, user=user, **row))


def subscribed(conn: sa.Connection, tenant: str = "", user: str = "") -> Sequence[Any]:
    """Oldest first; of everybody where nobody is named."""
    asked = sa.select(subscriptions).order_by(subscriptions.c.created_at)
    if tenant:
        asked = asked.where(subscriptions.c.tenant == tenant, subscriptions.c.user == user)
    return conn.execute(asked).all()


def subscribe(conn: sa.Connection, **row: Any) -> None:
    """Instead of what was there under the same id."""
    there = subscriptions.c.subscription_id == row["subscription_id"]
    conn.execute(subscriptions.delete().where(there))
    conn.execute(subscriptions.insert().values(**row))


def unsubscribe(conn: sa.Connection, subscription_id: str) -> int:
    there = subscriptions.c.subscription_id == subscription_id
    return conn.execute(subscriptions.delete().where(there)).rowcount


# --- The queue ------------------------------------------------------------------------------------


def place(conn: sa.Connection, name: str) -> int | None:
    return conn.scalar(sa.select(places.c.position).where(places.c.name == name))


def stand(conn: sa.Connection, name: str, position: int) -> None:
    there = places.c.name == name
    if not conn.execute(places.update().where(there).values(position=position)).rowcount:
        conn.execute(places.insert().values(name=name, position=position))


def queue(conn: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """What is there already stays as it is. Each row has the columns that are not filled in."""
    usual = {
        "target": "", "stream": "", "version": 0, "position": 0, "sealed": None,
        "state": "waiting", "attempts": 0, "finished_at": 0, "detail": "",
    }  # fmt: skip
    m = messages.c
    for row in rows:
        same = [m[name] == row.get(name, "") for name in ("notice_id", "tenant", "user", "way")]
        same.append(m.target == row.get("target", ""))
        if conn.execute(sa.select(m.number).where(*same)).first() is None:
            conn.execute(messages.insert().values(**{**usual, **row}))


def due(conn: sa.Connection, now: Instant, limit: int, but: Sequence[int]) -> Sequence[Any]:
    m = messages.c
    asked = sa.select(messages).where(m.state == "waiting", m.due_at <= now, m.number.not_in(but))
    return conn.execute(asked.order_by(m.due_at, m.number).limit(limit)).all()


def sent_since(conn: sa.Connection, row: Any, since: Instant) -> int:
    """How many by this way the same person has had since."""
    m = messages.c
    mine = (m.tenant == row.tenant, m.user == row.user, m.way == row.way)
    asked = sa.select(sa.func.count()).where(
        *mine, m.state.in_(("delivered", "kept")), m.finished_at > since
    )
    return int(conn.execute(asked).scalar_one())


def finish(conn: sa.Connection, number: int, state: str, detail: str, at: Instant) -> None:
    tried = messages.c.attempts + int(state not in ("withheld",))
    new = {"state": state, "detail": detail[:200], "finished_at": at, "sealed": None}
    there = messages.c.number == number
    conn.execute(messages.update().where(there).values(**new, attempts=tried))


def again(conn: sa.Connection, number: int, detail: str, due_at: Instant, *, tried: bool) -> None:
    new = {"detail": detail[:200], "due_at": due_at, "attempts": messages.c.attempts + int(tried)}
    conn.execute(messages.update().where(messages.c.number == number).values(**new))


def forget(conn: sa.Connection, before: Instant) -> int:
    """Drop what was finished before; how many."""
    m = messages.c
    old = messages.delete().where(m.finished_at > 0, m.finished_at < before)
    return conn.execute(old).rowcount


def log(
    conn: sa.Connection,
    tenant: str,
    *,
    user: str = "",
    way: str = "",
    state: str = "",
    before: int = 0,
    limit: int = 100,
) -> Sequence[Any]:
    """Newest first; of everybody in a tenant where nobody is named."""
    m = messages.c
    asked: list[sa.ColumnElement[bool]] = [m.tenant == tenant]
    for column, value in ((m.user, user), (m.way, way), (m.state, state)):
        if value:
            asked.append(column == value)
    if before:
        asked.append(m.number < before)
    found = sa.select(messages).where(*asked).order_by(m.number.desc()).limit(limit)
    return conn.execute(found).all()


def message(conn: sa.Connection, number: int) -> Any:
    """None where there is none."""
    return conn.execute(sa.select(messages).where(messages.c.number == number)).first()


def seen_up_to(conn: sa.Connection, tenant: str, user: str) -> int:
    there = (seen.c.tenant == tenant, seen.c.user == user)
    return conn.scalar(sa.select(seen.c.number).where(*there)) or 0


def see(conn: sa.Connection, tenant: str, user: str, number: int) -> None:
    there = (seen.c.tenant == tenant, seen.c.user == user)
    if not conn.execute(seen.update().where(*there).values(number=number)).rowcount:
        conn.execute(seen.insert().values(tenant=tenant, user=user, number=number))


def unseen_count(conn: sa.Connection, tenant: str, user: str, after: int) -> int:
    m = messages.c
    mine = (m.tenant == tenant, m.user == user, m.way == "inbox", m.number > after)
    return int(conn.execute(sa.select(sa.func.count()).where(*mine)).scalar_one())
