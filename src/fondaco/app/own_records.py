"""What somebody asks about themselves: everything that is kept of them, and to be forgotten.

What is shown is read by the same list of tables that forgetting goes by, so that whatever goes was
shown. Forgetting is the operation that a second person agrees to anyhow, asked by whom it is about.
"""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from typing import Any, Final

import msgspec

from fondaco.app.approvals import ApprovalsDesk
from fondaco.app.erasure import ROWS, ErasureDesk
from fondaco.app.people import PeoplePart
from fondaco.domain.evaluation.assessments import store as assessments
from fondaco.domain.identity.approvals.model import id_of
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.erasure import store
from fondaco.domain.identity.erasure.api import EraseRequest
from fondaco.domain.identity.erasure.own_api import (
    Blocker,
    LeftWorking,
    OwnDeletion,
    OwnRecords,
    WorkingOrder,
)
from fondaco.domain.identity.events import DeletionAsked, PersonExported
from fondaco.domain.identity.model import DEMO, IDENTITY_STREAM, Caller, Scope
from fondaco.domain.identity.people import store as people
from fondaco.domain.payments import store as payments
from fondaco.domain.payments.model import amount_text
from fondaco.domain.trading.model import OrdStatus
from fondaco.domain.trading.store.left_open import LeftOpen, left_open
from fondaco.domain.trading.store.queries import LIMIT_MAX, OrderFilter, orders
from fondaco.domain.trading.store.tables import DONE
from fondaco.kernel.errors import Conflict, Denied, Invalid, NotFound, Taken, Unavailable
from fondaco.kernel.operation import Answered, Held, Stamp
from fondaco.ports.journal import Journal
from fondaco.ports.store import Store
from fondaco.runtime.history import kind_of

SAID_MAX: Final = 5
PAYOUTS_MAX: Final = 100
ASSESSMENTS_MAX: Final = 100_000
ERASE: Final = "identity.erase_person"
REASON: Final = "asked for it themselves"
_WORDS: Final = {
    "order": "the order {0} works in {1}, and nobody else may cancel it: cancel it first",
    "position": "{1} holds {0}, and nobody else may close it: close it, or have somebody else "
    "made a trader",
    "transfer": "{0} is on its way out of {1}: wait until it has arrived, or was sent back",
}
# What lets somebody in, or is the hash of it: shown to nobody, whoever asks.
_SECRET: Final = frozenset({"password", "verify_digest", "digest", "totp"})

Leaving = Callable[[str, str], Iterable[Blocker]]


class OwnDesk:
    """`views` reads what accounts hold. Other rooms add to `leaving` what must be settled before
    somebody goes: called with tenant and user, off the loop."""

    def __init__(
        self,
        records: Store,
        directory: Directory,
        people_: PeoplePart,
        erasure: ErasureDesk,
        approvals: ApprovalsDesk,
        journal: Journal,
        views: Callable[[], Any],
    ) -> None:
        self._records, self._directory, self._people = records, directory, people_
        self._erasure, self._approvals, self._journal = erasure, approvals, journal
        self._views = views
        self.leaving: list[Leaving] = [self._unpaid]
        erasure.before = self.check

    def _caller(self, stamp: Stamp) -> Caller:
        """A person: what is one's own is not a key's. Raises `Denied`."""
        caller = self._people.caller(stamp)
        if not (caller.is_session or caller.name == DEMO):
            told = "what is kept of you is yours: sign in (page, or `fondaco user login`)"
            raise Denied(told, code="forbidden")
        return caller

    # --- What is kept ---------------------------------------------------------------------------

    def export(self, stamp: Stamp) -> OwnRecords:
        caller = self._caller(stamp)
        tenant, user = caller.tenant, caller.user
        records, left_out = self._rows(tenant, user)
        plan = self._erasure.plan(tenant, user)
        found = OwnRecords(
            tenant=tenant,
            user=user,
            at=str(stamp.at),
            roles=[str(each) for each in caller.roles],
            records=records,
            left_out=left_out,
            journal=list(self._said(tenant, user)),
            approvals=list(self._cases(tenant, user)),
            elsewhere=[each for each in plan.places if each.fate == "kept"],
        )
        digest = sha256(msgspec.json.encode(found)).hexdigest()
        with self._records.writing() as conn:
            people.tell(conn, PersonExported(tenant, user, digest, caller.name), stamp.at)
        return found

    def _rows(self, tenant: str, user: str) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
        """By table, and the columns that are left out."""
        found, left_out = {}, set()
        with self._records.reading() as conn:
            rows = {table: store.rows_of(conn, table, tenant, user) for table, _ in ROWS}
        for table, kept in rows.items():
            left_out |= {f"{table.name}.{c.name}" for c in table.c if kept and c.name in _SECRET}
            found[table.name] = [
                {
                    name: self._opened(value, f"{tenant}/{user}")
                    for name, value in row.items()
                    if name not in _SECRET
                }
                for row in kept
            ]
        return {name: each for name, each in found.items() if each}, sorted(left_out)

    def _opened(self, value: Any, about: str) -> Any:
        if not isinstance(value, bytes):
            return value
        with suppress(Unavailable):  # it was never sealed, such as a public key
            value = self._people.sealing.unseal(value, about)
        with suppress(UnicodeDecodeError):
            text = value.decode()
            if text.isprintable():
                return msgspec.json.decode(text) if text[:1] in ("{", "[") else text
        with suppress(msgspec.MsgspecError):
            said = msgspec.msgpack.decode(value)
            if isinstance(said, dict | list):
                return said
        return b64encode(value).decode()

    def _said(self, tenant: str, user: str) -> Iterator[dict[str, Any]]:
        for entry in self._journal.read(IDENTITY_STREAM):
            event = entry.event
            if (getattr(event, "tenant", ""), getattr(event, "user", "")) == (tenant, user):
                yield {
                    "position": entry.position,
                    "kind": kind_of(event),
                    "said": msgspec.to_builtins(event),
                }

    def _cases(self, tenant: str, user: str) -> Iterator[dict[str, Any]]:
        for case in list(self._approvals.state(tenant).cases.values()):
            if user in (case.user, case.decided_user):
                yield {
                    "approval_id": id_of(case.number),
                    "operation": case.operation,
                    "state": case.state,
                    "asked_by": case.by,
                    "asked_at": str(case.asked_at),
                    "decided_by": case.decided_by,
                    "reason": case.reason,
                    "request": msgspec.json.decode(case.request) if case.user == user else None,
                }

    # --- To be forgotten ------------------------------------------------------------------------

    def deletion(self, stamp: Stamp) -> OwnDeletion:
        return self._shown(self._caller(stamp))

    def _shown(self, caller: Caller) -> OwnDeletion:
        plan = self._erasure.plan(caller.tenant, caller.user)
        blockers = list(self.blockers(caller.tenant, caller.user))
        if plan.hold:
            blockers.append(Blocker("hold", "", plan.hold))
        return OwnDeletion(
            plan=plan,
            blockers=blockers,
            approval_id=self._waiting(caller.tenant, caller.user),
        )

    def _waiting(self, tenant: str, user: str) -> str:
        for case in list(self._approvals.state(tenant).cases.values()):
            mine = case.operation == ERASE and case.user == user and not case.is_closed
            if mine and msgspec.json.decode(case.request)["user"] == user:
                return id_of(case.number)
        return ""

    def blockers(self, tenant: str, user: str) -> Iterator[Blocker]:
        """What nobody would look after, or be paid, once `user` is gone."""
        try:
            self._check_admin(tenant, user)
        except Conflict as error:
            yield Blocker("last_admin", "", error.message)
        for left in self._left(tenant, user):
            words = _WORDS[left.kind].format(left.what, left.account_id)
            yield Blocker(left.kind, left.account_id, words)
        for each in self.leaving:
            yield from each(tenant, user)

    def _unpaid(self, tenant: str, user: str) -> Iterator[Blocker]:
        with self._views() as conn:
            yield from unpaid(conn, tenant, user)

    def _check_admin(self, tenant: str, user: str) -> None:
        with self._records.reading() as conn:
            people.check_not_last_admin(conn, tenant, user, "forgotten")

    def _left(self, tenant: str, user: str) -> list[LeftOpen]:
        users = self._people.users(tenant)
        trading = [each for each in users if Scope.ORDERS_WRITE in each.scopes]
        others = [
            each
            for each in trading
            if each.user != user
            and not each.is_machine
            and (each.state == "active" or (each.state == "no_password" and each.keys))
        ]
        if others or all(each.user != user for each in trading):
            return []
        with self._views() as conn:
            return list(left_open(conn, tenant))

    def left_working(self, tenant: str, user: str) -> LeftWorking:
        """Of who is locked out or forgotten: shutting somebody out cancels nothing."""
        if user not in {each.user for each in self._people.users(tenant)}:
            raise NotFound(f"there is no user {user}; GET /users lists them")
        working = OrderFilter(ord_status=tuple(sorted({*OrdStatus} - DONE)))
        with self._views() as conn:
            found = orders(conn, tenant, working, limit=LIMIT_MAX).items
            rows = assessments.listed(conn, tenant, None, None, ASSESSMENTS_MAX)
        own = {row.account_id for row in rows if row.user == user}
        others = {row.account_id for row in rows} - own
        return LeftWorking(
            user=user,
            theirs=[
                WorkingOrder(
                    order_id=each.order_id, account_id=each.account_id, symbol=each.symbol,
                    side=each.side, ord_type=each.ord_type, leaves_qty=each.leaves_qty,
                )
                for each in found
                if each.account_id in own
            ],
            shared=sum(each.account_id not in own | others for each in found),
        )  # fmt: skip

    def check(self, tenant: str, user: str, by: str) -> None:
        """Before anybody is forgotten. Who forgets another has looked at the plan; who asks for
        themselves is stopped by what is open, at the last moment, too. Raises `Conflict`."""
        self._check_admin(tenant, user)
        if by.partition("/")[0] == user:
            self._check_open(list(self.blockers(tenant, user)))

    def _check_open(self, blockers: list[Blocker]) -> None:
        if blockers:
            said = "; ".join(each.what for each in blockers[:SAID_MAX])
            raise Taken(said, code="still_open")

    async def delete(self, stamp: Stamp, user: str) -> Any:
        caller = self._caller(stamp)
        if user != caller.user:
            raise Invalid(f"type your own user name, {caller.user}, to say that you mean it")
        found = await asyncio.to_thread(self._shown, caller)
        self._check_open(found.blockers)
        if found.approval_id:
            return found
        reply = await self._approvals.ask_own(ERASE, EraseRequest(user, REASON), stamp)
        held = reply.reply if isinstance(reply, Answered) else reply
        if not isinstance(held, Held):  # one person may do both halves here: it is done
            return msgspec.structs.replace(found, plan=held)
        await asyncio.to_thread(self._told, caller, held.approval_id, stamp)
        return msgspec.structs.replace(found, approval_id=held.approval_id)

    def _told(self, caller: Caller, approval_id: str, stamp: Stamp) -> None:
        with self._records.writing() as conn:
            told = DeletionAsked(caller.tenant, caller.user, approval_id)
            people.tell(conn, told, stamp.at)


def unpaid(conn: Any, tenant: str, user: str) -> Iterator[Blocker]:
    """What they have asked to be paid, and are not yet. `conn` reads the views."""
    ordered = payments.paid_out(conn, tenant, user, "ordered", PAYOUTS_MAX)
    on_way = {each.payout_id for each in ordered}
    for each in ordered:
        money = f"{amount_text(each.amount, each.currency)} {each.currency}"
        what = f"the payout {each.payout_id} of {money} is on its way: wait until it is paid"
        yield Blocker("payout", "", what)
    for row in assessments.payouts_open(conn, tenant, user):
        if f"{row.assessment_id}-{row.number}" not in on_way:
            what = f"payout {row.number} of {row.assessment_id} is {row.state} and not yet paid"
            yield Blocker("payout", row.account_id, f"{what}: wait for it")
