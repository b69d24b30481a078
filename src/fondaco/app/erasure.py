"""Forgets a person: rows, messages and kept replies go, then their key, then the old master.

In this order, so that dying in between forgets too little and is gone on with at the next start.
What the journal had still to be told of them is told first, under the key that is then destroyed.
"""

import mmap
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from fondaco.app.files import Files
from fondaco.app.say import say
from fondaco.app.secrets import SubjectSealing
from fondaco.domain.evaluation.leaderboard import store as leaderboard
from fondaco.domain.identity import store as identity
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.erasure import store
from fondaco.domain.identity.erasure.model import (
    FIX_KEPT,
    ORDERS_KEPT,
    YEAR_NS,
    ErasurePlan,
    Place,
    State,
)
from fondaco.domain.identity.model import IDENTITY_STREAM, TenantId, UserId
from fondaco.domain.identity.people import store as people
from fondaco.domain.identity.subjects.keys import named, person
from fondaco.domain.notify.notices import store as notices
from fondaco.domain.payments.payouts import store as destinations
from fondaco.domain.reports.certificates import store as certificates
from fondaco.gateway.idempotency import Replies
from fondaco.kernel.errors import NotFound, Taken, Unavailable
from fondaco.kernel.event import Instant
from fondaco.ports.journal import Journal
from fondaco.ports.store import Store
from fondaco.settings import Settings

TOLD_WAIT_S: Final = 5.0
POLL_S: Final = 0.05
ON_ITS_WAY_S: Final = 15.0  # how long a mail may be in the hand of what carries it
ROWS: Final = (
    *store.ROWS,
    (certificates.certificates, "certificates that they had made"),
    (leaderboard.profiles, "the name under which they wanted to be seen"),
    (destinations.destinations, "where they are paid"),
    (destinations.begun, "where they were paid"),
    (notices.preferences, "which news they want, and by which way"),
    (notices.subscriptions, "browsers that news is pushed to"),
)
LEAST: Final = 4  # characters of a name that is looked for in files


class ErasureDesk:
    """What operations on forgetting are answered from."""

    def __init__(
        self,
        settings: Settings,
        files: Files,
        records: Store,
        directory: Directory,
        sealing: SubjectSealing,
        journal: Journal,
        replies: Replies,
    ) -> None:
        self._settings, self._files = settings, files
        self._records, self._directory, self._sealing = records, directory, sealing
        self._journal, self._replies = journal, replies
        # Raises what keeps somebody from being forgotten: tenant, user, and who asks.
        self.before: Callable[[str, str, str], None] = lambda tenant, user, by: None
        self._wrote_to: list[tuple[float, list[bytes]]] = []
        self._taking = threading.Lock()
        records.create(store.metadata)

    def plan(self, tenant: str, user: str) -> ErasurePlan:
        """What would be done, and nothing of it. Raises `NotFound`."""
        at = self._directory.clock()
        with self._records.reading() as conn:
            identity.user(conn, TenantId(tenant), UserId(user))
            found = store.counts(conn, ROWS, tenant, user)
            hold = store.hold_of(conn, tenant, user)
        places = [Place("records", what, n, "destroyed") for _, what, n in found if n]
        texts = self._texts(tenant, user)
        mail = list(self._mail(texts))
        if mail:
            places.append(Place("mail", "messages to their address", len(mail), "destroyed"))
        if said := self._said(tenant, user):
            why = "their key is destroyed; hashes and proofs are over what is kept, and hold"
            places.append(
                Place("journal and its backups", "what it says of them", said, "unreadable", why)
            )
        settings = self._settings
        until = str(at + settings.retention_orders_years * YEAR_NS)
        places.append(Place("journal", "what they did as a user", 1, "kept", ORDERS_KEPT, until))
        for path in found_in(self._elsewhere(), texts):
            until = str(at + self._settings.retention_fix_archive_days * YEAR_NS // 365)
            name = str(path.relative_to(self._files.root))
            places.append(
                Place(name, "their name or address, in clear", 1, "kept", FIX_KEPT, until)
            )
        return ErasurePlan(
            user=user, state=self._state(tenant, user, at), hold=_held(hold, at), places=places
        )

    def erase(self, tenant: str, user: str, by: str) -> ErasurePlan:
        """Raises `Conflict` "held" under a legal hold, which goes before whoever asks."""
        at = self._directory.clock()
        plan = self.plan(tenant, user)
        if plan.hold:
            raise Taken(f"nothing of {user} is destroyed: {plan.hold}", code="held")
        self.before(tenant, user, by)
        texts = self._texts(tenant, user)
        with self._taking:
            self._wrote_to.append((time.monotonic() + ON_ITS_WAY_S, texts))
        self._take_mail()
        self._replies.forget_texts(texts)
        with self._records.writing() as conn:
            store.take_rows(conn, ROWS, tenant, user, named(person(tenant, user)), by, at)
        self._directory.refresh()
        with suppress(Unavailable):  # what is not finished now is finished by `tick`
            self._finish(tenant, user, TOLD_WAIT_S)
        self._take_mail()
        return self.plan(tenant, user)

    def hold(self, tenant: str, user: str, reason: str, until: Instant, by: str) -> None:
        at = self._directory.clock()
        with self._records.writing() as conn:
            identity.user(conn, TenantId(tenant), UserId(user))
            store.put_hold(conn, tenant, user, reason, until, by, at)

    def lift(self, tenant: str, user: str, by: str) -> None:
        with self._records.writing() as conn:
            if not store.lift_hold(conn, tenant, user, by, self._directory.clock()):
                raise NotFound(f"there is no legal hold on {user}")

    def tick(self) -> None:
        """Called every second: what was begun is finished."""
        with self._records.reading() as conn:
            rows = store.unfinished(conn)
        for row in rows:
            self._finish(row.tenant, row.user, 0.0)
        self._take_mail()

    def _take_mail(self) -> None:
        """Mail to who was forgotten. What carries it may have had one in hand: it is looked for
        until that has come to its end."""
        with self._taking:
            for until, texts in tuple(self._wrote_to):
                for path in self._mail(texts):
                    path.unlink(missing_ok=True)
                if until < time.monotonic():
                    self._wrote_to.remove((until, texts))

    def _finish(self, tenant: str, user: str, wait_s: float) -> None:
        """Raises `Unavailable` while the journal has not been told everything."""
        deadline = time.monotonic() + wait_s
        while self._waits():
            if time.monotonic() >= deadline:
                raise Unavailable("the journal is still to be told of them")
            time.sleep(POLL_S)
        self._sealing.keys.destroy(person(tenant, user))
        self._sealing.new_master()
        with self._records.writing() as conn:
            store.finish(conn, tenant, user, self._directory.clock())
        self._records.scrub()
        say("somebody was forgotten: their key is destroyed, and the master that had wrapped it")

    def _waits(self) -> bool:
        with self._records.reading() as conn:
            return store.waits_to_be_told(conn)

    def _state(self, tenant: str, user: str, at: Instant) -> State:
        with self._records.reading() as conn:
            pending = {(row.tenant, row.user) for row in store.unfinished(conn)}
            hold = store.hold_of(conn, tenant, user)
        if (tenant, user) in pending:
            return "unfinished"
        if self._sealing.keys.forgotten_at(person(tenant, user)) and not self._has_rows(
            tenant, user
        ):
            return "done"
        return "held" if _held(hold, at) else "possible"

    def _has_rows(self, tenant: str, user: str) -> bool:
        with self._records.reading() as conn:
            return any(count for _, _, count in store.counts(conn, ROWS, tenant, user))

    def _texts(self, tenant: str, user: str) -> list[bytes]:
        """Their name and address, which are looked for."""
        with self._records.reading() as conn:
            row = people.person(conn, tenant, user)
        if row is None:
            return []
        about = f"{tenant}/{user}"
        found = [self._sealing.unseal(each, about) for each in (row.email, row.name)]
        return [each for each in found if len(each) >= LEAST]

    def _mail(self, texts: list[bytes]) -> Iterator[Path]:
        folder = self._files.root / "mail"
        return found_in(folder.glob("*.eml") if folder.is_dir() else (), texts)

    def _said(self, tenant: str, user: str) -> int:
        """Entries of the journal that name them, and can be read."""
        entries = self._journal.read(IDENTITY_STREAM)
        who = (tenant, user)
        return sum(
            (getattr(each.event, "tenant", ""), getattr(each.event, "user", "")) == who
            for each in entries
        )

    def _elsewhere(self) -> Iterator[Path]:
        """Files in which somebody else may have written of them."""
        mine = (self._files.root / "mail", self._files.records, self._files.journal)
        for path in sorted(self._files.root.rglob("*")):
            if path.is_file() and not any(str(path).startswith(str(each)) for each in mine):
                yield path


def _held(hold: object, at: Instant) -> str:
    until = getattr(hold, "until", 0)
    if hold is None or until <= at:
        return ""
    reason, by = getattr(hold, "reason", ""), getattr(hold, "placed_by", "")
    return f"a legal hold of {by} wins until {until}: {reason}"


def found_in(paths: Iterable[Path], texts: list[bytes]) -> Iterator[Path]:
    """Files in which one of `texts` stands, byte for byte."""
    for path in paths if texts else ():
        with (
            suppress(OSError, ValueError),  # gone meanwhile; empty
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            if any(content.find(text) >= 0 for text in texts):
                yield path
