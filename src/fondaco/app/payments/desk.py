"""What is answered about purchases. The price is worked out here, of what the shop says now; the
purchase's own stream decides everything that follows."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from copy import deepcopy
from hashlib import blake2b
from typing import Any, Final, TypeAlias

from msgspec.structs import replace

from fondaco.app.house import Kernel
from fondaco.domain.evaluation.assessments.model import assessment_id_of
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import Caller, Scope
from fondaco.domain.payments import api, store
from fondaco.domain.payments.events import (
    AskRefund,
    ExpirePurchase,
    OpenPurchase,
    PurchaseRefused,
    RecordCheckout,
    ShopRefused,
    TakeCoupon,
)
from fondaco.domain.payments.model import (
    DECIMALS,
    Payout,
    Product,
    Purchase,
    amount_text,
    minor_digits,
    minor_of,
    purchase_stream,
    shop_stream,
)
from fondaco.domain.payments.prices import Price, priced
from fondaco.domain.payments.rules import initial, refund_is_wrong
from fondaco.domain.payments.shop.model import Shop
from fondaco.domain.payments.shop.rules import coupon_is_wrong
from fondaco.kernel.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from fondaco.kernel.event import CommandId, Instant, StreamId, fingerprint, request_id
from fondaco.kernel.money import parse_scaled
from fondaco.kernel.operation import Stamp
from fondaco.ports.payments import Checkout, CheckoutAsk, PaymentsProvider
from fondaco.runtime.committer import Answer, Lease, Turn

SECOND_NS: Final = 1_000_000_000
CHECKOUT_NS: Final = 3_600 * SECOND_NS  # how long a checkout is open
NO_PROVIDER: Final = "this house takes no payments: see the setting payments"

# What a tenant sells under a code at an instant; None: nothing.
Catalogue: TypeAlias = Callable[[str, str, Instant], Product | None]
# Whether a user may buy a purpose other than a new assessment, of an assessment and a product:
# raises where not.
Judge: TypeAlias = Callable[[str, str, Product], None]
Reading: TypeAlias = Callable[[], AbstractContextManager[Any]]


def nothing_to_change(_: str, __: str, product: Product) -> None:
    raise Invalid(f"there is no assessment {product.assessment_id[:40]!r} to {product.purpose}")


class PaymentsDesk:
    """Belongs to the loop's thread. `provider` None: nothing can be bought that costs something.
    `judge` says who may have an assessment reset, extended or upgraded."""

    def __init__(
        self,
        kernel: Kernel,
        directory: Directory,
        reading: Reading,
        catalogue: Catalogue,
        base: Callable[[], str],
    ) -> None:
        """`base` is where this house is reached by its buyers."""
        self._kernel, self._directory, self._reading = kernel, directory, reading
        self.catalogue = catalogue
        self.provider: PaymentsProvider | None = None
        self.judge: Judge = nothing_to_change
        self._base = base

    # --- Buying -----------------------------------------------------------------------------------

    async def offer(self, ask: api.OfferRequest, stamp: Stamp) -> api.OfferShown:
        caller = self._caller(stamp)
        product = self._product(ask, caller, stamp)
        price = await self._priced(ask, product, caller, stamp.at)
        return api.OfferShown(
            tier=product.code,
            version=product.version,
            fingerprint=product.fingerprint,
            title=product.title,
            purpose=product.purpose,
            lines=api.lines_shown(price.lines, product.currency),
            total=amount_text(price.total, product.currency),
            tax=amount_text(price.tax, product.currency),
            currency=product.currency,
        )

    async def buy(self, ask: api.OfferRequest, stamp: Stamp) -> api.PurchaseShown:
        caller = self._caller(stamp)
        key = stamp.idempotency_key or stamp.request_id
        purchase_id = id_of("pu", f"{stamp.tenant}/{caller.user}/{key}")
        state = await self.state(purchase_id)
        if state.stage == "new":
            await self._open(purchase_id, ask, caller, stamp)
        await self.open_checkout(purchase_id)
        return _shown(await self.state(purchase_id))

    async def _open(
        self, purchase_id: str, ask: api.OfferRequest, caller: Caller, stamp: Stamp
    ) -> None:
        product = self._product(ask, caller, stamp)
        price = await self._priced(ask, product, caller, stamp.at)
        if price.total and self.provider is None:
            raise Unavailable(NO_PROVIDER, code="no_provider")
        until = Instant(stamp.at + CHECKOUT_NS)
        if ask.coupon:
            await self._take(ask.coupon, purchase_id, caller, product, until, stamp.at)
        command = OpenPurchase(
            request_id(f"!buy/{purchase_id}", fingerprint(ask)),
            stamp.at,
            caller.tenant,
            caller.user,
            product,
            price.lines,
            price.total,
            price.tax,
            ask.country or "",
            ask.coupon or "",
            ask.affiliate or "",
            price.commission,
            self.provider.name if self.provider else "",
            until,
        )
        await self._kernel.submit(purchase_stream(purchase_id), command)

    async def _take(
        self,
        code: str,
        purchase_id: str,
        caller: Caller,
        product: Product,
        until: Instant,
        at: Instant,
    ) -> None:
        """Hold one use of the coupon until nobody can pay any more."""
        command = TakeCoupon(
            CommandId(f"take/{purchase_id}"), at, code, purchase_id, caller.user, product.code,
            product.currency, until,
        )  # fmt: skip
        told = await self._kernel.submit(shop_stream(caller.tenant), command)
        event = told[0].event
        if isinstance(event, ShopRefused):
            raise Refused(event.text, code=event.reason)

    async def open_checkout(self, purchase_id: str) -> None:
        """Where it has none yet and costs something. The purchase's id is the provider's key: asked
        again after a crash, it is the same checkout."""
        state = await self.state(purchase_id)
        if state.stage != "opened":
            return
        if self.provider is None or self.provider.name != state.provider:
            raise Unavailable(NO_PROVIDER, code="no_provider")
        now, stream = self._kernel.now(), purchase_stream(purchase_id)
        try:
            made = await self._made(self.provider, self._asked(state))
        except (Invalid, Conflict) as error:  # it will never be otherwise
            command = ExpirePurchase(CommandId(f"refused/{now}"), now, error.message[:200])
            await self._kernel.submit(stream, command)
            raise Refused(error.message, code="provider_refused") from error
        expires_at = Instant(made.expires_at_s * SECOND_NS)
        found = RecordCheckout(
            CommandId(f"checkout/{now}"), now, made.session, made.url, expires_at
        )
        await self._kernel.submit(stream, found)

    @staticmethod
    async def _made(provider: PaymentsProvider, ask: CheckoutAsk) -> Checkout:
        """Where the house has died before it could note the first, and is reached at another
        address by now, that leads nowhere; nobody was told of it, and it ends unseen."""
        try:
            return await provider.open_checkout(ask)
        except Conflict as error:
            if error.code != "key_reused":
                raise
        return await provider.open_checkout(ask._replace(again=id_of("at", ask.success_url)))

    def _asked(self, state: Purchase) -> CheckoutAsk:
        base, currency = self._base(), state.currency
        return CheckoutAsk(
            state.purchase_id,
            state.product.title,
            tuple((each.text, minor_of(each.amount, currency)) for each in state.lines),
            minor_of(state.total, currency),
            currency,
            minor_digits(currency),
            f"{base}/#/prop/bought/{state.purchase_id}",
            f"{base}/#/prop/bought/{state.purchase_id}?left=1",
            state.expires_at // SECOND_NS,
        )

    def _product(self, ask: api.OfferRequest, caller: Caller, stamp: Stamp) -> Product:
        found = self.catalogue(caller.tenant, ask.tier, stamp.at)
        if found is None:
            raise NotFound(f"no tier {ask.tier} is sold here now; GET /api/tiers lists what is")
        product = replace(found, purpose=ask.purpose, assessment_id=ask.assessment_id)
        if ask.purpose != "assessment":
            self.judge(caller.tenant, caller.user, product)
        elif ask.assessment_id:
            raise Invalid(
                "assessment_id is of a reset, an extension or an upgrade; say the purpose"
            )
        return product

    async def _priced(
        self, ask: api.OfferRequest, product: Product, caller: Caller, at: Instant
    ) -> Price:
        shop = await self.shop(caller.tenant)
        if ask.coupon:
            wrong = coupon_is_wrong(
                shop, ask.coupon, caller.user, product.code, product.currency, at
            )
            if wrong:
                raise Refused(wrong[1], code=wrong[0])
        if ask.affiliate and ask.affiliate not in shop.affiliates:
            raise NotFound(f"there is no affiliate {ask.affiliate}")
        return priced(
            product,
            shop.coupons.get(ask.coupon or ""),
            shop.taxes.get(ask.country or ""),
            shop.affiliates.get(ask.affiliate or ""),
        )

    # --- Looking ----------------------------------------------------------------------------------

    async def listed(self, ask: api.PurchasesRequest, stamp: Stamp) -> api.PurchasesReply:
        caller = self._caller(stamp)
        user: str | None = caller.user
        if caller.may(Scope.PAYMENTS_READ):
            user = ask.user or None
        elif ask.user not in ("", caller.user):
            return api.PurchasesReply([], 0)

        def look() -> list[store.Row]:
            with self._reading() as conn:
                return store.listed(
                    conn, caller.tenant, user, ask.state or "", ask.limit + 1, ask.before
                )

        found = await asyncio.to_thread(look)
        page = [each.state for each in found[: ask.limit]]
        rest = page[-1].opened_at if len(found) > ask.limit else 0
        return api.PurchasesReply([_shown(each) for each in page], rest)

    async def shown(self, ask: api.NamedPurchase, stamp: Stamp) -> api.PurchaseShown:
        return _shown(await self._seen(ask.purchase_id, self._caller(stamp)))

    async def _seen(self, purchase_id: str, caller: Caller) -> Purchase:
        state = await self.state(purchase_id)
        is_theirs = state.user == caller.user or caller.may(Scope.PAYMENTS_READ)
        if state.stage == "new" or state.tenant != caller.tenant or not is_theirs:
            raise NotFound(f"there is no purchase {purchase_id}")
        return state

    async def payouts(self, ask: api.PayoutsRequest, stamp: Stamp) -> api.PayoutsReply:
        caller = self._caller(stamp)
        user: str | None = caller.user
        if caller.may(Scope.PAYMENTS_READ):
            user = ask.user or None
        elif ask.user not in ("", caller.user):
            return api.PayoutsReply([])

        def look() -> list[Payout]:
            with self._reading() as conn:
                return store.paid_out(conn, caller.tenant, user, ask.state or "", ask.limit)

        return api.PayoutsReply([_payout(each) for each in await asyncio.to_thread(look)])

    # --- Giving back ------------------------------------------------------------------------------

    async def may_refund(self, ask: api.RefundRequest, stamp: Stamp) -> None:
        """Raises what is wrong before a second person is asked."""
        state = await self._seen(ask.purchase_id, self._caller(stamp))
        wrong = refund_is_wrong(state, _amount(ask))
        if wrong:
            raise Refused(wrong[1], code=wrong[0])

    async def refund(self, ask: api.RefundRequest, stamp: Stamp) -> api.PurchaseShown:
        """The second person has agreed; the provider is asked by who looks after effects."""
        caller = self._caller(stamp)
        await self._seen(ask.purchase_id, caller)
        key = stamp.cause or stamp.idempotency_key or stamp.request_id
        refund_id = id_of("rf", f"{ask.purchase_id}/{caller.user}/{key}")
        command = AskRefund(
            request_id(f"!refund/{refund_id}", fingerprint(ask)),
            stamp.at,
            refund_id,
            _amount(ask),
            ask.reason,
            caller.user,
        )
        told = await self._kernel.submit(purchase_stream(ask.purchase_id), command)
        event = told[0].event
        if isinstance(event, PurchaseRefused):
            raise Refused(event.text, code=event.reason)
        return _shown(await self.state(ask.purchase_id))

    # --- What it stands on ------------------------------------------------------------------------

    def _caller(self, stamp: Stamp) -> Caller:
        return self._directory.still(stamp.tenant, stamp.caller)

    async def state(self, purchase_id: str) -> Purchase:
        """As it is durable: its owner is ahead of the disk, and nobody is told what a crash would
        take back."""
        stream = purchase_stream(purchase_id)
        memory = await self.memory(stream)
        state: Purchase = deepcopy(memory.state) if memory else initial(stream)
        answer = Answer()
        self._kernel.committer.enqueue(Turn(stream, None, answer, Lease()))  # behind what is queued
        await answer
        return state

    async def shop(self, tenant: str) -> Shop:
        memory = await self.memory(shop_stream(tenant))
        return memory.state if memory else Shop()

    async def memory(self, stream: StreamId) -> Any:
        await self._kernel.wake(stream)
        return self._kernel.peek(stream)


def id_of(prefix: str, key: str) -> str:
    return f"{prefix}_{blake2b(key.encode(), digest_size=12).hexdigest()}"


def _payout(each: Payout) -> api.PayoutShown:
    return api.PayoutShown(
        payout_id=each.payout_id,
        user=each.user,
        assessment_id=each.assessment_id,
        amount=amount_text(each.amount, each.currency),
        currency=each.currency,
        state=each.state,
        reference=each.reference,
        reason=each.reason,
    )


def _amount(ask: api.RefundRequest) -> int:
    if ask.amount is None:
        return 0
    amount = parse_scaled(ask.amount, DECIMALS, "amount")
    if not amount:
        raise Invalid("amount is 0: leave it out to give all of it back")
    return amount


def _shown(state: Purchase) -> api.PurchaseShown:
    """Whose assessment it made is known here, where both rooms are."""
    shown = api.purchase_shown(state)
    if state.completed_at and state.product.purpose == "assessment":
        return replace(shown, assessment_id=assessment_id_of(state.purchase_id))
    return shown
