"""The sandbox as the port sees it, the buttons of its page, and how it tells what happened."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Literal, TypeAlias, TypeVar

from fondaco.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from fondaco.ports.payments import (
    Checkout,
    CheckoutAsk,
    EvidenceAsk,
    Headers,
    Made,
    Moved,
    PayoutAsk,
    RefundAsk,
    Said,
    messages,
    signatures,
)
from fondaco.ports.payments.sandbox.books import Books, Due

NAME: Final = "sandbox"
RETRIES_S: Final = (1, 2, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200)  # after the first attempt
DISPUTE_FEE: Final = 1_500  # minor units, as Stripe has charged since 2024 in USD and EUR
ANSWER_S: Final = 7 * 86_400  # until when a dispute may be answered; a bank gives 7 to 21 days
_OPEN: Final = ("needs_response", "under_review")
_SETTLE_S: Final = 0.005
_IDLE_S: Final = 0.5

Button: TypeAlias = Literal[
    "pay", "decline", "later", "arrive", "bounce", "dispute", "win", "lose", "expire"
]
# Takes a body and its signature; the status that our endpoint answered with.
Deliver: TypeAlias = Callable[[dict[str, str], bytes], Awaitable[int]]
_T = TypeVar("_T")


class Sandbox:
    """`fondaco.ports.payments.PaymentsProvider`. `clock` is in seconds; `draw` makes random names;
    `page` is the address under which its checkouts are shown."""

    name: Final = NAME

    def __init__(
        self,
        books: Books,
        *,
        clock: Callable[[], float],
        draw: Callable[[], str],
        page: Callable[[], str],
    ) -> None:
        self._books, self._clock, self._draw, self._page = books, clock, draw, page
        self.is_doubling = False  # each message is sent twice, the later ones first
        self._news = asyncio.Event()
        if not books.secrets():
            self.rotate()

    def rotate(self) -> None:
        """Sign with a new secret, too."""
        self._books.add_secret(f"whsec_{self._draw()}{self._draw()}")

    @property
    def secrets(self) -> list[str]:
        """The two newest sign."""
        return self._books.secrets()[:2]

    # --- The port -------------------------------------------------------------------------------

    async def open_checkout(self, ask: CheckoutAsk) -> Checkout:
        def make() -> dict[str, Any]:
            if ask.total <= 0:
                raise _refused("a checkout must cost something")
            name = f"cs_test_{self._draw()}"
            session = {
                "id": name,
                "object": "checkout.session",
                "amount_total": ask.total,
                "currency": ask.currency.lower(),
                "client_reference_id": ask.purchase_id,
                "metadata": {"purchase_id": ask.purchase_id},
                "status": "open",
                "payment_status": "unpaid",
                "payment_intent": None,
                "expires_at": ask.expires_at_s,
                "success_url": ask.success_url,
                "cancel_url": ask.cancel_url,
                "title": ask.title,
                "lines": [list(each) for each in ask.lines],
                "digits": ask.digits,
                "url": f"{self._page()}/sandbox/checkout/{name}",
            }
            self._keep(session)
            return session

        made = await self._once(ask.key, ask, make)
        return self._checkout(made["id"])

    async def checkout(self, session: str) -> Checkout:
        return self._checkout(session)

    async def expire_checkout(self, session: str) -> Checkout:
        self._checkout(session)
        await self._run(lambda: self._expire(session))
        return self._checkout(session)

    async def refund(self, ask: RefundAsk) -> Made:
        def make() -> dict[str, Any]:
            return self._make_refund(ask)

        made = await self._once(f"refund/{ask.refund_id}", ask, make)
        return Made(made["id"], "done")

    async def pay_out(self, ask: PayoutAsk) -> Made:
        """A destination "acct_closed" is refused, as a closed account would be."""

        def make() -> dict[str, Any]:
            if ask.destination == "acct_closed":
                raise _refused("the account is closed")
            at_s = int(self._clock())
            transfer: dict[str, Any] = {
                "id": f"tr_{self._draw()}", "object": "transfer", "amount": ask.amount,
                "currency": ask.currency.lower(), "destination": ask.destination,
                "metadata": {"payout_id": ask.payout_id}, "created": at_s,
            }  # fmt: skip
            self._books.put("transfer", transfer)
            self._books.move(
                transfer["id"], "payout", -ask.amount, ask.currency, at_s, ask.payout_id
            )
            return transfer

        made = await self._once(f"payout/{ask.payout_id}", ask, make)
        return Made(made["id"], "done")

    async def submit_evidence(self, ask: EvidenceAsk) -> None:
        await self._once(f"evidence/{ask.evidence_id}", ask, lambda: self._answer(ask))

    async def moved(self, since_s: int, until_s: int) -> Sequence[Moved]:
        rows = await self._run(lambda: self._books.moves(since_s, until_s))
        return [Moved(*row) for row in rows]

    async def purchase_of(self, payment: str) -> str:
        found = self._books.get(payment)
        return found["metadata"]["purchase_id"] if found else ""

    def said(self, headers: Headers, raw: bytes, now_s: float) -> Said | None:
        signatures.verify(self.secrets, headers.get(signatures.HEADER), raw, now_s)
        return messages.read(raw)

    async def close(self) -> None:
        self._books.close()

    # --- Its page ---------------------------------------------------------------------------------

    def shown(self, session: str) -> dict[str, Any]:
        """A checkout as its page shows it: where it stands, what may happen next. Raises
        `NotFound`."""
        found = self._session(session)
        payment = self._books.get(found["payment_intent"] or "")
        dispute = self._books.get(payment["dispute"]) if payment and payment["dispute"] else None
        says, buttons = _stands(found, payment, dispute)
        return {**found, "says": says, "buttons": buttons}

    async def press(self, session: str, button: Button) -> str:
        """What a buyer, or their bank, does next. Where the page leads then. Raises `Conflict` for
        a button that is not there any more."""
        acts: dict[str, Callable[[str], None]] = {
            "pay": lambda name: self._pay(name, "paid"),
            "later": lambda name: self._pay(name, "unpaid"),
            "decline": self._decline, "arrive": self._arrive, "bounce": self._bounce,
            "dispute": self._dispute, "win": lambda name: self._decide(name, "won"),
            "lose": lambda name: self._decide(name, "lost"), "expire": self._expire,
        }  # fmt: skip
        act = acts[button]

        def run() -> None:
            with self._books.change():
                act(session)

        await self._run(run)
        self._news.set()
        if button in ("pay", "later"):
            return str(self._session(session)["success_url"])
        return ""

    def _pay(self, name: str, status: str) -> None:
        session = self._must(name, "open")
        payment = self._payment(session, "succeeded" if status == "paid" else "processing")
        session |= {"status": "complete", "payment_status": status, "payment_intent": payment["id"]}
        self._keep(session)
        if status == "paid":
            self._take(session, payment)
            self._tell("payment_intent.succeeded", payment)
            self._tell("charge.succeeded", {**payment, "id": f"ch_{self._draw()}"})
        self._tell("checkout.session.completed", session)

    def _decline(self, name: str) -> None:
        session = self._must(name, "open")
        payment = self._payment(session, "requires_payment_method")
        payment["last_payment_error"] = {"code": "card_declined", "decline_code": "do_not_honor"}
        self._books.put("payment", payment)
        self._tell("payment_intent.payment_failed", payment)

    def _arrive(self, name: str) -> None:
        session, payment = self._waiting(name)
        session["payment_status"], payment["status"] = "paid", "succeeded"
        self._keep(session)
        self._books.put("payment", payment)
        self._take(session, payment)
        self._tell("checkout.session.async_payment_succeeded", session)

    def _bounce(self, name: str) -> None:
        session, payment = self._waiting(name)
        session["payment_status"], payment["status"] = "failed", "canceled"
        self._keep(session)
        self._books.put("payment", payment)
        self._tell("checkout.session.async_payment_failed", {**session, "payment_status": "unpaid"})

    def _dispute(self, name: str) -> None:
        if self._session(name)["status"] == "open":
            self._pay(name, "paid")
        session = self._session(name)
        payment = self._books.get(session["payment_intent"] or "")
        if payment is None or payment["status"] != "succeeded" or payment["dispute"]:
            raise Conflict("there is nothing to dispute")
        at_s = int(self._clock())
        amount = payment["amount"] - payment["refunded"]
        dispute = {
            "id": f"dp_{self._draw()}", "object": "dispute", "amount": amount,
            "currency": session["currency"], "payment_intent": payment["id"],
            "reason": "product_not_received", "status": "needs_response", "created": at_s,
            "balance_transactions": [{"amount": -amount, "fee": DISPUTE_FEE}],
            "evidence_details": {"due_by": at_s + ANSWER_S},
        }  # fmt: skip
        payment["dispute"] = dispute["id"]
        self._books.put("dispute", dispute)
        self._books.put("payment", payment)
        self._move(dispute["id"], "dispute", -amount, session)
        self._tell("charge.dispute.created", dispute)

    def _decide(self, name: str, outcome: str) -> None:
        session = self._session(name)
        payment = self._books.get(session["payment_intent"] or "")
        dispute = self._books.get(payment["dispute"]) if payment and payment["dispute"] else None
        if dispute is None or dispute["status"] not in _OPEN:
            raise Conflict("there is no dispute to decide")
        dispute["status"] = outcome
        self._books.put("dispute", dispute)
        if outcome == "won":
            self._move(dispute["id"], "dispute_won", dispute["amount"], session)
        self._tell("charge.dispute.closed", dispute)

    def _answer(self, ask: EvidenceAsk) -> dict[str, Any]:
        dispute = self._books.get(ask.dispute)
        if dispute is None or dispute.get("object") != "dispute":
            raise _refused(f"there is no dispute {ask.dispute[:40]}")
        if dispute["status"] != "needs_response":
            raise _refused(f"the dispute is {dispute['status'].replace('_', ' ')}")
        due_s = (dispute.get("evidence_details") or {}).get("due_by")
        if due_s is not None and due_s <= self._clock():
            raise _refused("the time to answer the dispute is over")
        dispute["status"] = "under_review"
        dispute["evidence"] = {
            "product_description": ask.product, "access_activity_log": ask.activity,
            "uncategorized_text": ask.text,
        }  # fmt: skip
        self._books.put("dispute", dispute)
        self._tell("charge.dispute.updated", dispute)
        return {"id": dispute["id"]}

    def _expire(self, name: str) -> None:
        session = self._session(name)
        if session["status"] == "open":
            session["status"] = "expired"
            self._keep(session)
            self._tell("checkout.session.expired", session)

    def _make_refund(self, ask: RefundAsk) -> dict[str, Any]:
        payment = self._books.get(ask.payment)
        if payment is None:
            raise _refused(f"there is no payment {ask.payment[:40]}")
        left = payment["amount"] - payment["refunded"]
        if payment["status"] != "succeeded" or ask.amount > left or ask.amount <= 0:
            raise _refused(f"refund amount is {ask.amount}, and {left} are left of the payment")
        if payment["dispute"]:
            raise _refused("the payment is disputed")
        refund = {
            "id": f"re_{self._draw()}", "object": "refund", "amount": ask.amount,
            "currency": payment["currency"], "payment_intent": ask.payment, "status": "succeeded",
            "metadata": {"purchase_id": ask.purchase_id, "refund_id": ask.refund_id},
        }  # fmt: skip
        payment["refunded"] += ask.amount
        self._books.put("payment", payment)
        self._books.put("refund", refund)
        self._move(refund["id"], "refund", -ask.amount, payment)
        self._tell("refund.created", refund)
        return refund

    # --- What it keeps ----------------------------------------------------------------------------

    def _payment(self, session: dict[str, Any], status: str) -> dict[str, Any]:
        payment = {
            "id": f"pi_{self._draw()}", "object": "payment_intent", "status": status,
            "amount": session["amount_total"], "currency": session["currency"],
            "metadata": session["metadata"], "session": session["id"], "refunded": 0,
            "dispute": "",
        }  # fmt: skip
        self._books.put("payment", payment)
        return payment

    def _keep(self, session: dict[str, Any]) -> None:
        """Open ones apart, since these are looked at for their age."""
        self._books.put("session" if session["status"] == "open" else "session_done", session)

    def _take(self, session: dict[str, Any], payment: dict[str, Any]) -> None:
        self._move(payment["id"], "sale", payment["amount"], session)

    def _move(self, reference: str, kind: str, amount: int, about: dict[str, Any]) -> None:
        purchase_id = about["metadata"]["purchase_id"]
        currency = about["currency"].upper()
        self._books.move(reference, kind, amount, currency, int(self._clock()), purchase_id)

    def _session(self, name: str) -> dict[str, Any]:
        found = self._books.get(name)
        if found is None or found.get("object") != "checkout.session":
            raise NotFound(f"there is no checkout {name[:80]}")
        return found

    def _must(self, name: str, status: str) -> dict[str, Any]:
        session = self._session(name)
        if session["status"] == "open" and session["expires_at"] <= self._clock():
            raise Conflict("the checkout has expired")
        if session["status"] != status:
            raise Conflict(f"the checkout is {session['status']}")
        return session

    def _waiting(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        session = self._must(name, "complete")
        payment = self._books.get(session["payment_intent"] or "")
        if payment is None or payment["status"] != "processing":
            raise Conflict("no payment is on its way")
        return session, payment

    def _checkout(self, name: str) -> Checkout:
        found = self._session(name)
        return Checkout(
            name,
            found["url"] if found["status"] == "open" else "",
            found["expires_at"],
            found["status"],
            found["payment_status"] == "paid",
            found["payment_intent"] or "",
            found["amount_total"],
            found["currency"].upper(),
            found["metadata"]["purchase_id"],
        )

    async def _once(self, key: str, ask: Any, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        def run() -> dict[str, Any]:
            with self._books.change():
                is_same, found = self._books.answered(key, ask)
                if not is_same:
                    raise Conflict(f"{key} was asked before, with other content", code="key_reused")
                if found is None:
                    found = make()
                    self._books.answer(key, ask, found)
                return dict(found)

        made = await self._run(run)
        self._news.set()
        return made

    async def _run(self, act: Callable[[], _T]) -> _T:
        return await asyncio.to_thread(act)

    # --- What it tells ----------------------------------------------------------------------------

    def _tell(self, kind: str, about: dict[str, Any]) -> None:
        now_s = self._clock()
        event = {
            "id": f"evt_{self._draw()}", "object": "event", "api_version": messages.API_VERSION,
            "created": int(now_s), "type": kind, "livemode": False, "data": {"object": about},
        }  # fmt: skip
        self._books.tell(event, now_s)
        if self.is_doubling:
            self._books.tell(event, now_s)

    async def run(self, deliver: Deliver) -> None:
        """Tell what there is to tell, and close what nobody has paid in time, until canceled."""
        while True:
            await self.step(deliver)
            self._news.clear()
            due_s = self._books.next_due_s()
            wait_s = _IDLE_S if due_s is None else min(max(due_s - self._clock(), 0.0), _IDLE_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), max(wait_s, 0.005))

    async def settle(self) -> None:
        """Wait until everything that is to be told now has been told, once; while `run` runs."""
        while await self._run(lambda: self._books.due(self._clock(), 1)):
            self._news.set()
            await asyncio.sleep(_SETTLE_S)

    async def step(self, deliver: Deliver) -> int:
        """One attempt of each message that is due; how many were taken."""
        await self._run(self._age)
        due = await self._run(lambda: self._books.due(self._clock()))
        if self.is_doubling:
            due.reverse()
        taken = 0
        for each in due:
            taken += await self._deliver(each, deliver)
        return taken

    def _age(self) -> None:
        now_s = self._clock()
        with self._books.change():
            for session in self._books.of_kind("session"):
                if session["status"] == "open" and session["expires_at"] <= now_s:
                    self._expire(session["id"])

    async def _deliver(self, each: Due, deliver: Deliver) -> int:
        now_s = self._clock()
        signature = signatures.header_of(self.secrets, int(now_s), each.body)
        headers = {signatures.HEADER: signature, "content-type": "application/json"}
        try:
            status = await deliver(headers, each.body)
        except Unavailable:
            status = 503
        if 200 <= status < 300:
            self._books.settle(each.number, "taken", each.attempts + 1, now_s)
            return 1
        if each.attempts >= len(RETRIES_S):
            self._books.settle(each.number, "given_up", each.attempts + 1, now_s)
        else:
            again_s = now_s + RETRIES_S[each.attempts]
            self._books.settle(each.number, "waiting", each.attempts + 1, again_s)
        return 0


def _stands(
    session: dict[str, Any], payment: dict[str, Any] | None, dispute: dict[str, Any] | None
) -> tuple[str, list[Button]]:
    if session["status"] == "open":
        return "not paid yet", ["pay", "later", "decline", "dispute"]
    if session["status"] == "expired" or payment is None:
        return "expired", []
    if payment["status"] == "processing":
        return "waiting for the bank", ["arrive", "bounce"]
    if payment["status"] == "canceled":
        return "the bank did not pay", []
    if dispute is not None:
        if dispute["status"] in _OPEN:
            return "disputed", ["win", "lose"]
        return f"dispute {dispute['status']}", []
    return "paid", ["dispute"] if payment["refunded"] < payment["amount"] else []


def _refused(text: str) -> Invalid:
    return Invalid(f"the payment provider refuses: {text}", code="provider_refused")
