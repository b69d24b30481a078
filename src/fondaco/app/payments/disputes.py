"""What is answered about disputes, and how evidence reaches the provider."""

import asyncio
from typing import Any

from fondaco.app.payments.desk import NO_PROVIDER, PaymentsDesk, id_of
from fondaco.domain.evaluation.assessments.model import assessment_id_of
from fondaco.domain.payments.disputes import api, store
from fondaco.domain.payments.events import AskEvidence, PurchaseRefused
from fondaco.domain.payments.model import Evidence, Purchase, amount_text, purchase_stream
from fondaco.domain.payments.rules import evidence_is_wrong
from fondaco.domain.payments.store import purchase_in
from fondaco.kernel.errors import Invalid, NotFound, Refused, Unavailable
from fondaco.kernel.event import fingerprint, request_id
from fondaco.kernel.operation import Stamp


class DisputesDesk(PaymentsDesk):
    """Belongs to the loop's thread, as what it adds to."""

    async def disputes(self, ask: api.DisputesRequest, stamp: Stamp) -> api.DisputesReply:
        tenant = self._caller(stamp).tenant

        def look() -> list[api.DisputeShown]:
            with self._reading() as conn:
                return [
                    _shown(row) for row in store.listed(conn, tenant, ask.state or "", ask.limit)
                ]

        return api.DisputesReply(await asyncio.to_thread(look))

    async def _row(self, dispute: str, stamp: Stamp) -> Any:
        """Raises `NotFound`."""
        tenant = self._caller(stamp).tenant

        def look() -> Any:
            with self._reading() as conn:
                return store.one(conn, tenant, dispute)

        found = await asyncio.to_thread(look)
        if found is None:
            raise NotFound(f"there is no dispute {dispute}; GET /disputes lists them")
        return found

    async def may_submit(self, ask: api.EvidenceRequest, stamp: Stamp) -> None:
        """Raises what is wrong before a second person is asked."""
        if not (ask.product or ask.activity or ask.text):
            raise Invalid("evidence is empty: write product, activity or text")
        row = await self._row(ask.dispute, stamp)
        wrong = evidence_is_wrong(await self.state(row.purchase_id), ask.dispute)
        if wrong:
            raise Refused(wrong[1], code=wrong[0])
        if row.due_at and row.due_at <= stamp.at:
            raise Refused("the time to answer the dispute is over", code="too_late")
        if self.provider is None or self.provider.name != row.provider:
            raise Unavailable(NO_PROVIDER, code="no_provider")

    async def submit_evidence(self, ask: api.EvidenceRequest, stamp: Stamp) -> api.DisputeShown:
        """The second person has agreed; the provider is asked by who looks after effects."""
        await self.may_submit(ask, stamp)
        row = await self._row(ask.dispute, stamp)
        key = stamp.cause or stamp.idempotency_key or stamp.request_id
        by = str(self._caller(stamp).user)
        evidence_id = id_of("ev", f"{ask.dispute}/{by}/{key}")
        command = AskEvidence(
            request_id(f"!evidence/{evidence_id}", fingerprint(ask)),
            stamp.at,
            evidence_id,
            ask.dispute,
            Evidence(ask.product, ask.activity, ask.text),
            by,
        )
        told = await self._kernel.submit(purchase_stream(row.purchase_id), command)
        event = told[0].event
        if isinstance(event, PurchaseRefused):
            raise Refused(event.text, code=event.reason)
        state = await self.state(row.purchase_id)
        return _shown(row, state, by=by, at=told[0].at)


def _shown(row: Any, now: Purchase | None = None, *, by: str = "", at: int = 0) -> api.DisputeShown:
    """As the views have it; or, where `now` is given, with the evidence that was just asked for."""
    state = now or purchase_in(row.body)
    product, found = state.product, state.disputes.get(row.dispute)
    is_fresh = now is not None and found is not None and found.said is not None
    said = found.said if is_fresh and found else None
    is_new = product.purpose == "assessment"
    made = assessment_id_of(state.purchase_id) if is_new and state.completed_at else None
    return api.DisputeShown(
        dispute=row.dispute,
        state=row.state,
        amount=amount_text(int(row.amount), row.currency),
        fee=amount_text(int(row.fee), row.currency),
        currency=row.currency,
        reason=row.reason,
        provider=row.provider,
        opened_at=str(row.opened_at),
        due_at=str(row.due_at or ""),
        closed_at=str(row.closed_at or ""),
        evidence=api.EvidenceShown(
            state=found.evidence if said and found else row.evidence,
            by=by or row.evidence_by,
            at=str(at or row.evidence_at or ""),
            reason="" if said else row.evidence_reason,
            product=said.product if said else row.product,
            activity=said.activity if said else row.activity,
            text=said.text if said else row.text,
        ),
        purchase_id=state.purchase_id,
        purchase_state=state.shown,
        user=state.user,
        tier=product.code,
        version=product.version,
        title=product.title,
        purpose=product.purpose,
        assessment_id=made or product.assessment_id or None,
        total=amount_text(state.total, state.currency),
        bought_at=str(state.opened_at),
        completed_at=str(state.completed_at or ""),
    )
