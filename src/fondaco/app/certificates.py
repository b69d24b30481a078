"""The part of a house that makes certificates, and shows them to whoever has their link."""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from secrets import token_hex
from typing import Any

import msgspec
from msgspec.structs import replace

from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.model import assessment_stream
from fondaco.domain.evaluation.leaderboard import store as ranks
from fondaco.domain.evaluation.model import MONEY_DECIMALS, Tier
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import Scope
from fondaco.domain.reports.certificates import store
from fondaco.domain.reports.certificates.api import (
    CertificateDocument,
    CertificateReply,
    CertificatesReply,
    MakeCertificateRequest,
)
from fondaco.domain.reports.certificates.model import (
    ID_BYTES,
    PLAIN,
    Certificate,
    Kind,
    Standing,
    standing_of,
)
from fondaco.domain.reports.certificates.paper import drawn
from fondaco.kernel.errors import Conflict, Denied, Invalid, NotFound, Refused
from fondaco.kernel.event import Entry
from fondaco.kernel.instants import moment
from fondaco.kernel.money import format_scaled
from fondaco.kernel.operation import Stamp
from fondaco.ports.journal import Journal
from fondaco.ports.store import Store
from fondaco.runtime.proofs.proving import Inclusion, Proofs

WORDS: dict[Kind, str] = {
    "passed": "has passed every phase of an assessment",
    "funded": "trades a funded account",
    "payout": "was paid a part of the profit",
}


class CertificatesDesk:
    """`fondaco.domain.reports.certificates.api.CertificatesPart`, and what links lead to."""

    def __init__(
        self,
        directory: Directory,
        records: Store,
        reading: Callable[[], Any],
        journal: Journal,
        proofs: Proofs,
        tier_of: Callable[[str, str], Tier | None],
        here: Callable[[], str],
    ) -> None:
        self._directory, self._records, self._reading = directory, records, reading
        self._journal, self._proofs = journal, proofs
        self._tier_of, self._here = tier_of, here
        records.create(store.metadata)

    def _user(self, stamp: Stamp) -> str:
        return str(self._directory.still(stamp.tenant, stamp.caller).user)

    # --- Of their owners --------------------------------------------------------------------------

    async def make(self, ask: MakeCertificateRequest, by: Stamp) -> CertificateReply:
        return await asyncio.to_thread(self._make, ask, by)

    def _make(self, ask: MakeCertificateRequest, by: Stamp) -> CertificateReply:
        user = self._user(by)
        with self._reading() as conn:
            row = ranks.standing_of(conn, ask.assessment_id)
        if row is None or (row.tenant, row.user) != (by.tenant, user):
            raise NotFound(f"you have no assessment {ask.assessment_id}; GET /assessments")
        entries = self._journal.read(assessment_stream(ask.assessment_id))
        told, result = _said(entries, ask.kind, ask.number)
        standing, why = standing_of(ask.kind, row.state, row.frozen, row.voided)
        if standing != "valid":
            raise Refused(f"no certificate is made of it: {why}", code="not_certifiable")
        bought = [each.event for each in entries if each.position <= told.position]
        created = next(each for each in bought if isinstance(each, ev.AssessmentCreated))
        upgraded = [each for each in bought if isinstance(each, ev.AssessmentUpgraded)]
        terms = upgraded[-1] if upgraded else created
        tier = self._tier_of(by.tenant, terms.fingerprint)
        certificate_id = token_hex(ID_BYTES)
        made = Certificate(
            certificate_id=certificate_id,
            kind=ask.kind,
            tenant=by.tenant,
            assessment_id=ask.assessment_id,
            name=self._name(ask, by, user),
            tier=terms.tier,
            tier_title=tier.title if tier else terms.tier,
            tier_version=terms.tier_version,
            result=result,
            happened_at=told.at,
            made_at=by.at,
            position=told.position,
            link=f"{self._here()}/certificates/{certificate_id}",
        )
        return self._keep(made, ask, user)

    def _name(self, ask: MakeCertificateRequest, by: Stamp, user: str) -> str:
        """The one that its owner agrees to be shown, and no other."""
        if ask.shown_as == "name" and not ask.name:
            raise Invalid('name is "": write the name to be shown, or choose another shown_as')
        if ask.shown_as != "public_name":
            return ask.name if ask.shown_as == "name" else PLAIN
        with self._records.reading() as conn:
            found = ranks.names(conn, by.tenant).get(user, "")
        if not found:
            raise Refused(
                "you have no public name; choose one: PUT /leaderboard/profile", code="no_name"
            )
        return found

    def _keep(self, made: Certificate, ask: MakeCertificateRequest, user: str) -> CertificateReply:
        content = msgspec.json.encode(made)
        digest = sha256(content).hexdigest()
        row = {
            "certificate_id": made.certificate_id, "tenant": made.tenant, "user": user,
            "assessment_id": made.assessment_id, "kind": made.kind, "number": ask.number,
            "content": content, "sha256": digest, "is_public": int(ask.is_public),
            "withdrawn_at": 0, **drawn(made, digest),
        }  # fmt: skip
        with self._records.writing() as conn:
            there = store.there(conn, made.tenant, made.assessment_id, made.kind, ask.number)
            if there is not None:
                raise Conflict(
                    f"there is one of it, {there.certificate_id}; withdraw that one first",
                    code="certificate_exists",
                )
            store.keep(conn, row)
            return self._shown(store.one(conn, made.certificate_id), user=user)

    async def list(self, by: Stamp, *, of: str = "me") -> CertificatesReply:
        return await asyncio.to_thread(self._list, by, of=of)

    def _list(self, by: Stamp, *, of: str = "me") -> CertificatesReply:
        is_all, own = of == "everybody", self._user(by)
        if is_all and not self._looks_after(by):
            raise Denied(
                "everybody's certificates are for who has evaluation:write; leave `of` out to see "
                "your own",
                code="forbidden",
            )
        with self._records.reading() as conn:
            rows = store.listed(conn, by.tenant, None if is_all else own)
        items = []
        for row in rows:
            if not row.withdrawn_at:
                shown = self._shown(row, user=row.user)
                is_hidden = row.user != own and not row.is_public
                items.append(replace(shown, name="") if is_hidden else shown)
        return CertificatesReply(sorted(items, key=lambda each: each.made_at, reverse=True))

    async def share(self, certificate_id: str, by: Stamp, *, is_public: bool) -> CertificateReply:
        def act() -> CertificateReply:
            with self._records.writing() as conn:
                self._own(conn, certificate_id, by)
                store.show(conn, certificate_id, is_public=is_public)
                return self._shown(store.one(conn, certificate_id), user=self._user(by))

        return await asyncio.to_thread(act)

    async def document(self, certificate_id: str, by: Stamp) -> CertificateDocument:
        """Raises `Refused` for one that does not hold."""

        def act() -> CertificateDocument:
            with self._records.reading() as conn:
                row = self._own(conn, certificate_id, by)
                self._must_hold(row)
                pdf = store.drawn(conn, certificate_id, "pdf")
            name = f"certificate-{certificate_id}.pdf"
            return CertificateDocument(
                certificate_id, name, sha256(pdf).hexdigest(), b64encode(pdf).decode()
            )

        return await asyncio.to_thread(act)

    async def withdraw(self, certificate_id: str, by: Stamp) -> CertificatesReply:
        def act() -> CertificatesReply:
            with self._records.writing() as conn:
                self._own(conn, certificate_id, by)
                store.withdraw(conn, certificate_id, by.at)
            return self._list(by)

        return await asyncio.to_thread(act)

    def _own(self, conn: Any, certificate_id: str, by: Stamp) -> Any:
        row = store.one(conn, certificate_id)
        mine = (by.tenant, self._user(by))
        if row is None or (row.tenant, row.user) != mine or row.withdrawn_at:
            raise NotFound(f"you have no certificate {certificate_id}; GET /certificates")
        return row

    # --- Of the firm ------------------------------------------------------------------------------

    def _looks_after(self, by: Stamp) -> bool:
        return self._directory.still(by.tenant, by.caller).may(Scope.EVALUATION_WRITE)

    async def revoke(self, certificate_id: str, by: Stamp, *, reason: str) -> CertificateReply:
        def act() -> CertificateReply:
            with self._records.writing() as conn:
                row = store.one(conn, certificate_id)
                if row is None or row.tenant != by.tenant or row.withdrawn_at:
                    raise NotFound(
                        f"there is no certificate {certificate_id}; GET /certificates?of=everybody"
                    )
                if store.why_revoked(conn, certificate_id) is not None:
                    raise Refused("it is revoked already", code="revoked")
                store.revoke(conn, certificate_id, self._user(by), reason, by.at)
            return self._shown(row, user=row.user)

        return await asyncio.to_thread(act)

    # --- Of whoever has the link ------------------------------------------------------------------

    def public(self, certificate_id: str) -> tuple[CertificateReply, str]:
        """What it says, and the house's name of its firm; raises `NotFound` for what nobody agreed
        to show. One that was withdrawn says that, and nothing else."""
        row = self._public(certificate_id)
        return self._shown(row), str(row.tenant)

    def form(self, certificate_id: str, form: str) -> bytes:
        """As "pdf", "svg" or "png", while it holds. Raises `NotFound`, `Refused`."""
        self._must_hold(self._public(certificate_id))
        with self._records.reading() as conn:
            return store.drawn(conn, certificate_id, form)

    def proof(self, certificate_id: str) -> Inclusion:
        """That the entry which says so is in the log. Raises `Unavailable` until it is hashed."""
        found = store.content_of(self._public(certificate_id))
        if found is None:
            raise NotFound("it was withdrawn by its owner")
        return self._proofs.inclusion(found.position)

    def _public(self, certificate_id: str) -> Any:
        with self._records.reading() as conn:
            row = store.one(conn, certificate_id)
        if row is None or not row.is_public:
            raise NotFound("there is no such certificate, or nobody is to see it")
        return row

    def _must_hold(self, row: Any) -> None:
        standing, why = self._stands(row)
        if standing not in ("valid", "ended"):
            raise Refused(f"it is {standing}: {why}", code="not_certifiable")

    def _stands(self, row: Any) -> tuple[Standing, str]:
        if row.withdrawn_at:
            return "withdrawn", "by its owner"
        with self._records.reading() as conn:
            revoked = store.why_revoked(conn, row.certificate_id)
        if revoked is not None:
            return "revoked", revoked
        with self._reading() as conn:
            now = ranks.standing_of(conn, row.assessment_id)
        if now is None:
            return "suspended", "its assessment is not known here now"
        return standing_of(row.kind, now.state, now.frozen, now.voided)

    def _shown(self, row: Any, *, user: str = "") -> CertificateReply:
        standing, why = self._stands(row)
        found = store.content_of(row)
        says = found is not None
        return CertificateReply(
            certificate_id=row.certificate_id,
            user=user,
            kind=row.kind,
            assessment_id=row.assessment_id if says else "",
            name=found.name if found else "",
            tier=found.tier if found else "",
            tier_version=found.tier_version if found else 0,
            result=found.result if found else "",
            happened_at=moment(found.happened_at) if found else "",
            made_at=moment(found.made_at) if found else "",
            position=found.position if found else 0,
            sha256=row.sha256 if says else "",
            standing=standing,
            why=why,
            is_public=bool(row.is_public),
            url=f"/certificates/{row.certificate_id}",
        )


def _said(entries: list[Entry], kind: Kind, number: int) -> tuple[Entry, str]:
    """The entry that says so, and in words. Raises `Refused` where none does."""
    amounts: dict[int, str] = {}
    is_funded = False
    for entry in entries:
        event = entry.event
        match event:
            case ev.StageBegun():
                is_funded = event.is_funded
            case ev.AssessmentPassed() if kind == "passed":
                return entry, WORDS[kind]
            case ev.AssessmentStarted() if kind == "funded" and is_funded:
                return entry, WORDS[kind]
            case ev.PayoutAgreed():
                amount = format_scaled(event.amount, MONEY_DECIMALS)
                amounts[event.number] = f"{amount} {event.currency}"
            case ev.PayoutSettled() if kind == "payout" and event.number == number and event.paid:
                return entry, f"{WORDS[kind]}: {amounts[number]}"
            case _:
                pass
    what = f"payout {number} was not paid" if kind == "payout" else f"it was not {kind}"
    raise Refused(f"{what} yet", code="not_certifiable")
