"""Promises of a payment provider. The one in the house keeps all of them by itself. Stripe's are
asked of Stripe's own mock through its SDK: it judges every request by the description of Stripe's
API and remembers nothing, so what needs a memory is asked of the one in the house alone."""

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

import stripe_mock
from fondaco.kernel.errors import Conflict, Denied, Invalid, NotFound
from fondaco.ports.outbound.addresses import LOOPBACK
from fondaco.ports.outbound.courier import Courier
from fondaco.ports.outbound.http import HttpWire
from fondaco.ports.payments import CheckoutAsk, EvidenceAsk, PayoutAsk, RefundAsk, signatures
from fondaco.ports.payments.sandbox import Books, Sandbox
from fondaco.ports.payments.stripe_api import Stripe

SECRETS: Final = ["whsec_new", "whsec_old"]
PAID: Final = "pu_" + "1" * 24


def asked(**other: Any) -> CheckoutAsk:
    said: dict[str, Any] = {
        "purchase_id": PAID, "title": "Two steps",
        "lines": (("Two steps", 11_000), ("Off", -1_100)),
        "total": 9_900, "currency": "EUR", "digits": 2, "success_url": "https://house.example/done",
        "cancel_url": "https://house.example/back", "expires_at_s": int(time.time()) + 3_600,
    }  # fmt: skip
    return CheckoutAsk(**{**said, **other})


class Clock:
    now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@contextmanager
def sandbox(path: Path) -> Iterator[tuple[Sandbox, Clock]]:
    clock, names = Clock(), itertools.count()
    books = Books(path / "sandbox.db")
    yield Sandbox(books, clock=clock, draw=lambda: f"{next(names):024x}", page=str), clock
    books.close()


def run(act: Callable[[], Awaitable[Any]]) -> Any:
    async def inner() -> Any:
        return await act()

    return asyncio.run(inner())


def test_what_is_asked_under_one_key_is_done_once_also_after_a_crash(tmp_path: Path) -> None:
    ask = asked(expires_at_s=int(Clock.now_s) + 3_600)
    with sandbox(tmp_path) as (first, _):
        made = run(lambda: first.open_checkout(ask))
        run(lambda: first.press(made.session, "pay"))
        payment = run(lambda: first.checkout(made.session)).payment
        back = RefundAsk("rf_1", PAID, payment, 1_000, "EUR")
        refunded = run(lambda: first.refund(back))
        paid_out = run(lambda: first.pay_out(PayoutAsk("po_1", 70_000, "EUR", "acct_1")))
    with sandbox(tmp_path) as (second, _):
        assert run(lambda: second.open_checkout(ask)).session == made.session
        assert run(lambda: second.refund(back)) == refunded
        assert run(lambda: second.pay_out(PayoutAsk("po_1", 70_000, "EUR", "acct_1"))) == paid_out
        elsewhere = ask._replace(success_url="https://elsewhere.example/", again="elsewhere")
        found = run(lambda: second.open_checkout(elsewhere))
        assert found.session != made.session
        assert run(lambda: second.open_checkout(elsewhere)) == found
        others: list[Callable[[], Awaitable[Any]]] = [
            lambda: second.open_checkout(ask._replace(total=9_901)),
            lambda: second.refund(back._replace(amount=1_001)),
            lambda: second.pay_out(PayoutAsk("po_1", 70_001, "EUR", "acct_1")),
        ]
        for other in others:
            with pytest.raises(Conflict):
                run(other)
        moved = run(lambda: second.moved(0, 2**40))
        assert [(each.kind, each.amount, each.reference) for each in moved] == [
            ("sale", 9_900, payment), ("refund", -1_000, refunded.reference),
            ("payout", -70_000, paid_out.reference),
        ]  # fmt: skip


def test_no_more_goes_back_than_was_paid_and_nothing_of_what_is_disputed(tmp_path: Path) -> None:
    with sandbox(tmp_path) as (provider, clock):
        made = run(lambda: provider.open_checkout(asked(expires_at_s=int(clock()) + 60)))
        run(lambda: provider.press(made.session, "pay"))
        payment = run(lambda: provider.checkout(made.session)).payment
        run(lambda: provider.refund(RefundAsk("rf_1", PAID, payment, 9_000, "EUR")))
        for nth, amount in enumerate((901, 0, 10_000)):
            ask = RefundAsk(f"rf_no{nth}", PAID, payment, amount, "EUR")
            with pytest.raises(Invalid, match="900 are left"):
                run(partial(provider.refund, ask))
        run(lambda: provider.press(made.session, "dispute"))
        with pytest.raises(Invalid, match="disputed"):
            run(lambda: provider.refund(RefundAsk("rf_2", PAID, payment, 1, "EUR")))
        with pytest.raises(Invalid, match="closed"):
            run(lambda: provider.pay_out(PayoutAsk("po_1", 1, "EUR", "acct_closed")))


def test_a_dispute_is_answered_once_in_time_and_is_decided_after(tmp_path: Path) -> None:
    with sandbox(tmp_path) as (provider, clock):
        disputes: list[str] = []

        async def deliver(headers: dict[str, str], body: bytes) -> int:
            said = provider.said(headers, body, clock())
            if said is not None and said.kind == "dispute_opened":
                disputes.append(said.reference)
                assert said.due_s > clock()
            return 200

        def disputed() -> tuple[str, str]:
            until_s = int(clock()) + 60
            ask = asked(purchase_id=f"pu_{len(disputes):024x}", expires_at_s=until_s)
            made = run(lambda: provider.open_checkout(ask))
            run(lambda: provider.press(made.session, "dispute"))
            run(lambda: provider.step(deliver))
            return made.session, disputes[-1]

        session, dispute = disputed()
        first = EvidenceAsk("ev_1", dispute, "a challenge", "used", "")
        run(lambda: provider.submit_evidence(first))
        run(lambda: provider.submit_evidence(first))  # the same is the same
        with pytest.raises(Conflict):
            run(lambda: provider.submit_evidence(first._replace(text="more")))
        with pytest.raises(Invalid, match="under review"):
            run(lambda: provider.submit_evidence(first._replace(evidence_id="ev_2")))
        run(lambda: provider.press(session, "win"))
        with pytest.raises(Invalid, match="won"):
            run(lambda: provider.submit_evidence(first._replace(evidence_id="ev_3")))
        with pytest.raises(Invalid, match="no dispute"):
            run(lambda: provider.submit_evidence(EvidenceAsk("ev_4", "dp_none", "", "", "x")))
        _, late = disputed()
        clock.now_s += 8 * 86_400
        with pytest.raises(Invalid, match="over"):
            run(lambda: provider.submit_evidence(EvidenceAsk("ev_5", late, "", "", "x")))


def test_a_checkout_is_over_when_its_time_is_and_can_never_be_paid(tmp_path: Path) -> None:
    with sandbox(tmp_path) as (provider, clock):
        made = run(lambda: provider.open_checkout(asked(expires_at_s=int(clock()) + 60)))
        clock.now_s += 60
        with pytest.raises(Conflict, match="expired"):
            run(lambda: provider.press(made.session, "pay"))
        assert run(lambda: provider.expire_checkout(made.session)).state == "expired"
        with pytest.raises(NotFound):
            run(lambda: provider.checkout("cs_none"))


def test_messages_are_told_until_they_are_taken_twice_and_backwards_where_asked(
    tmp_path: Path,
) -> None:
    told: list[str] = []
    answers = itertools.chain([503, 400], itertools.repeat(200))

    async def deliver(headers: dict[str, str], body: bytes) -> int:
        signatures.verify(provider.secrets, headers[signatures.HEADER], body, clock())
        told.append(json.loads(body)["type"])
        return next(answers)

    with sandbox(tmp_path) as (provider, clock):
        made = run(lambda: provider.open_checkout(asked(expires_at_s=int(clock()) + 9_000)))
        provider.is_doubling = True
        run(lambda: provider.press(made.session, "pay"))
        run(lambda: provider.step(deliver))
        assert len(told) == 6
        assert told[0] == told[1] == "checkout.session.completed"  # the last goes first
        for _ in range(3):
            clock.now_s += 5
            run(lambda: provider.step(deliver))
        assert len(told) == 8  # the two that were not taken, once more


# --- Stripe itself --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    if stripe_mock.binary() is None:
        pytest.skip("stripe-mock is not here")
    with stripe_mock.serving() as url:
        yield url


async def at_stripe(address: str, act: Callable[[Stripe, list[Any]], Awaitable[Any]]) -> Any:
    """`act` on an adapter, with the requests that it makes."""
    seen: list[Any] = []
    courier = Courier(HttpWire(LOOPBACK), clock=time.monotonic_ns, between=lambda low, _: low)
    ask = courier.ask

    async def noting(request: Any) -> Any:
        seen.append(request)
        return await ask(request)

    courier.ask = noting  # type: ignore[method-assign]
    try:
        return await act(Stripe(courier, "sk_test_123", SECRETS, address), seen)
    finally:
        await courier.close()


def test_stripe_takes_each_request_with_its_key_and_its_version(address: str) -> None:
    async def act(provider: Stripe, seen: list[Any]) -> None:
        made = await provider.open_checkout(asked())
        assert made.session.startswith("cs_")
        refunded = await provider.refund(RefundAsk("rf_1", PAID, "pi_123", 1_000, "EUR"))
        assert refunded.reference.startswith("re_")
        moved = await provider.pay_out(PayoutAsk("po_1", 70_000, "EUR", "acct_123"))
        assert (moved.reference[:3], moved.state) == ("tr_", "done")
        await provider.submit_evidence(EvidenceAsk("ev_1", "dp_123", "a challenge", "used", ""))
        assert isinstance(await provider.moved(0, int(time.time())), list)
        assert isinstance(await provider.purchase_of("pi_123"), str)
        assert (await provider.checkout("cs_test_1")).session
        keys = [each.idempotency_key for each in seen if each.method == "POST"]
        assert keys == [f"checkout/{PAID}", "refund/rf_1", "payout/po_1", "evidence/ev_1"]
        versions = {dict(each.headers)["Stripe-Version"] for each in seen}
        assert versions == {"2026-10-28.endive"}
        sent = b" ".join(each.body for each in seen)
        assert b"card" not in sent
        assert b"customer_email" not in sent

    asyncio.run(at_stripe(address, act))


def test_what_stripe_refuses_is_refused_and_a_payout_needs_an_account(address: str) -> None:
    async def act(provider: Stripe, _: list[Any]) -> None:
        with pytest.raises(Invalid):
            await provider.open_checkout(asked(currency="no currency", expires_at_s="soon"))
        with pytest.raises(Invalid, match="acct_"):
            await provider.pay_out(PayoutAsk("po_1", 1, "EUR", ""))

    asyncio.run(at_stripe(address, act))


@pytest.mark.parametrize(
    ("key", "secrets"), [("pk_live_1", SECRETS), ("", SECRETS), ("sk_1", []), ("sk_1", ["x"])]
)
def test_what_is_no_key_is_refused_before_anything_is_asked(key: str, secrets: list[str]) -> None:
    with pytest.raises(Invalid):
        Stripe(None, key, secrets)  # type: ignore[arg-type]


def test_stripe_says_and_we_say_the_same_of_a_signature() -> None:
    from stripe import SignatureVerificationError, WebhookSignature

    body, now = json.dumps({"id": "evt_1", "object": "event"}).encode(), int(time.time())
    theirs = WebhookSignature.generate_signature_header(body.decode(), "whsec_old", now)
    assert signatures.verify(SECRETS, theirs, body, now) == now
    ours = signatures.header_of(SECRETS, now, body)
    for secret in SECRETS:
        assert WebhookSignature.verify_header(body, ours, secret, 300)
    for header in ("", "t=1", f"t={now},v1=00", f"t=x,v1={'0' * 64}", "v1=1", f"t={now},t=1,v1=a"):
        with pytest.raises(Denied):
            signatures.verify(SECRETS, header, body, now)
    with pytest.raises(SignatureVerificationError):
        WebhookSignature.verify_header(body + b" ", ours, "whsec_new", 300)
    with pytest.raises(Denied):
        signatures.verify(SECRETS, ours, body + b" ", now)
    for off_s in (-301, 301):
        with pytest.raises(Denied, match="301 s"):
            signatures.verify(SECRETS, ours, body, now + off_s)
