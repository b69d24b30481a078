"""Payments as a part of a running house."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, closing
from typing import Any, Final, Protocol

from fondaco.app.assessments.desk import AssessmentsDesk
from fondaco.app.files import Files
from fondaco.app.house import Kernel
from fondaco.app.payments.desk import NO_PROVIDER, SECOND_NS, Catalogue
from fondaco.app.payments.destinations import Destinations
from fondaco.app.payments.disputes import DisputesDesk
from fondaco.app.payments.effects import Effects
from fondaco.app.payments.intake import Hearing
from fondaco.app.referred import referred
from fondaco.app.tiers import TiersDesk
from fondaco.domain.evaluation.shelf import Shelf
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import Action
from fondaco.domain.payments import api
from fondaco.domain.payments.model import Product
from fondaco.gateway.metrics import Metric
from fondaco.kernel.errors import Denied, FondacoError, Invalid, Refused, Unavailable
from fondaco.kernel.event import Instant
from fondaco.kernel.operation import Stamp
from fondaco.ports.outbound import Outbound
from fondaco.ports.payments import PaymentsProvider
from fondaco.ports.payments.sandbox import Books, Sandbox
from fondaco.ports.store import Store
from fondaco.ports.tape.segments import SegmentTape
from fondaco.settings import REFERENCE, Settings

Died = Callable[["asyncio.Task[None]"], None]
_NAME_BYTES: Final = 12


class House(Protocol):
    """What of a house is needed here."""

    @property
    def kernel(self) -> Kernel: ...

    @property
    def assessments(self) -> AssessmentsDesk: ...

    @property
    def directory(self) -> Directory: ...

    @property
    def tiers(self) -> TiersDesk: ...

    @property
    def people(self) -> Any: ...

    @property
    def outbound(self) -> Outbound: ...

    @property
    def applications(self) -> Any: ...

    def reading(self) -> AbstractContextManager[Any]: ...

    def denied(self, caller: Any, action: Action, error: FondacoError, door: str) -> None: ...


class PaymentsPart(DisputesDesk):
    """What operations and doors are answered from. Without a provider nothing is sold."""

    intake: Hearing | None = None
    effects: Effects | None = None
    sandbox: Sandbox | None = None
    destinations: Destinations

    async def destination(self, stamp: Stamp) -> api.DestinationShown:
        caller = self._caller(stamp)
        return await asyncio.to_thread(self.destinations.shown, caller.tenant, caller.user)

    async def put_destination(
        self, ask: api.DestinationRequest, stamp: Stamp
    ) -> api.DestinationShown:
        """Raises `Invalid` for what the provider cannot pay into."""
        caller = self._caller(stamp)
        if self.provider is None:
            raise Unavailable(NO_PROVIDER, code="no_provider")
        return await asyncio.to_thread(
            self.destinations.put, caller.tenant, caller.user, self.provider.name,
            ask.destination, caller.name,
        )  # fmt: skip

    async def reconciliation(
        self, ask: api.ReconciliationRequest, stamp: Stamp
    ) -> api.ReconciliationShown:
        if self.effects is None:
            raise Unavailable(NO_PROVIDER, code="no_provider")
        return await self.effects.books.reconciliation(ask.day, stamp.tenant)

    def numbers(self) -> Iterator[Metric]:
        """What `/metrics` shows of it."""
        found = self.intake
        if found is None:
            return
        for name, value, text in (
            ("heard", found.heard, "Messages of the payment provider whose signature was right."),
            ("refused", found.refused, "Messages to its address that nobody of ours has signed."),
            ("strange", found.strange, "Signed messages of nothing that was bought here."),
            ("mismatched", found.mismatched, "Payments that were not what was to be paid."),
        ):
            yield Metric(f"fondaco_payments_{name}_total", text, "counter", value)

    def checks(self) -> dict[str, tuple[bool, str]]:
        """Nothing that a house must have to trade, so it is ready without."""
        if self.provider is None or self.intake is None:
            return {}
        text = f"{self.provider.name} takes payments"
        if self.intake.mismatched:
            text += f"; {self.intake.mismatched} DIFFERED from what was to be paid: see the log"
        if self.intake.refused:
            text += f"; {self.intake.refused} messages were not signed"
        if self.effects and self.effects.books.wrong:
            text += f"; its books DIFFER from ours: {self.effects.books.wrong}"
        return {"payments": (True, text)}


def catalogue_of(shelf: Shelf, currency: Callable[[], str]) -> Catalogue:
    """What the shelf sells, as something that can be paid. Raises `Refused` for what no account of
    this house could be opened for."""

    def find(tenant: str, code: str, at: Instant) -> Product | None:
        offered = shelf.offers(tenant).on_sale(code, at)
        if offered is None:
            return None
        tier = shelf.tier_of(offered)
        if tier.currency != currency():
            raise Refused(
                f"{code} is in {tier.currency}, accounts here are in {currency()}",
                code="other_currency",
            )
        return Product(
            tier.name, tier.version, offered.fingerprint, tier.title, tier.fee, tier.currency,
            terms=offered.terms.encode(),
        )  # fmt: skip

    return find


@asynccontextmanager
async def payments(
    house: House, settings: Settings, files: Files, records: Store, died: Died
) -> AsyncIterator[PaymentsPart]:
    """Until the block ends. Raises `Invalid` for a provider that cannot be."""

    def base() -> str:
        return str(house.applications.issuer.url)

    kernel, reading = house.kernel, house.reading
    catalogue = catalogue_of(house.tiers.shelf, lambda: kernel.refs.currency)
    part = PaymentsPart(kernel, house.directory, reading, catalogue, base)
    part.judge = house.assessments.judge
    part.destinations = Destinations(records, house.people.sealing, kernel.now)
    provider = provider_of(settings, files, house.outbound, base, lambda: kernel.now() / SECOND_NS)
    if provider is None:
        yield part
        return
    part.provider = provider
    part.sandbox = provider if isinstance(provider, Sandbox) else None
    quota = settings.payments_tape_quota_bytes
    with closing(SegmentTape(files.payments, quota_bytes=quota)) as tape:
        intake = part.intake = Hearing(kernel, reading, tape, provider, house.denied)
        where = part.destinations.of_payout
        effects = part.effects = Effects(kernel, part, intake, provider, reading, died, where)
        parts: list[Any] = [effects.run()]
        if part.sandbox:
            parts.append(part.sandbox.run(to_ourselves(intake)))
        tasks = [asyncio.create_task(each, name="payments") for each in parts]
        for task in tasks:
            task.add_done_callback(died)
        try:
            yield part
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await effects.close()
            await provider.close()


def to_ourselves(intake: Hearing) -> Callable[[dict[str, str], bytes], Any]:
    """What the webhook's door does with a message, without a network between: status."""

    async def deliver(headers: dict[str, str], body: bytes) -> int:
        try:
            await intake.take("sandbox", headers, body)
        except (Denied, Invalid):
            return 400
        except FondacoError:
            return 503
        return 200

    return deliver


def provider_of(
    settings: Settings,
    files: Files,
    outbound: Outbound,
    page: Callable[[], str],
    clock: Callable[[], float] = time.time,
) -> PaymentsProvider | None:
    """Raises `Invalid` where its keys are not there, or not what they should be."""
    which = settings.payments
    if which == "auto":
        which = "sandbox" if settings.demo else "none"
    if which == "sandbox":
        return Sandbox(
            Books(files.payments_sandbox),
            clock=clock,
            draw=lambda: os.urandom(_NAME_BYTES).hex(),
            page=page,
        )
    return at_stripe(settings, files, outbound) if which == "stripe" else None


def at_stripe(settings: Settings, files: Files, outbound: Outbound) -> PaymentsProvider:
    """Its keys are in the key ring alone. Raises `Invalid`."""
    found = {
        "stripe_key": settings.stripe_key,
        "stripe_webhook_secrets": settings.stripe_webhook_secrets,
    }
    for name, value in found.items():
        if not value.startswith(REFERENCE):
            raise Invalid(f"{name} says where it is kept, and not what it is: {REFERENCE}stripe/…")
        found[name] = referred(files, name, value, settings)
    try:
        from fondaco.ports.payments.stripe_api import Stripe
    except ImportError as error:
        raise Invalid(
            f"this needs more than is installed: pip install 'fondaco[stripe]' ({error})"
        ) from error
    secrets = found["stripe_webhook_secrets"].split()
    return Stripe(outbound, found["stripe_key"], secrets, settings.stripe_address)
