"""The part of a house that looks after tiers: what is on the shelf, and how it gets there."""

import asyncio
import tomllib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, get_args
from zoneinfo import ZoneInfo

import msgspec

from fondaco.app.house import Kernel
from fondaco.domain.evaluation.lint import LintFinding, is_wrong, lint
from fondaco.domain.evaluation.model import NEVER, Tier
from fondaco.domain.evaluation.model import fingerprint as terms_sha256
from fondaco.domain.evaluation.offering import api
from fondaco.domain.evaluation.offering.events import (
    AttachSimulation,
    OfferTier,
    PublishTier,
    TierCommand,
    TierEvent,
    TierRefused,
)
from fondaco.domain.evaluation.offering.model import PREFIX, Offered, Offers, stream_of
from fondaco.domain.evaluation.offering.showing import state_of, tier_shown, version_shown
from fondaco.domain.evaluation.reading import TIERS, text_of, tier_of
from fondaco.domain.evaluation.shelf import Shelf
from fondaco.domain.evaluation.simulation.attached import TraderOdds, kept, written
from fondaco.domain.evaluation.simulation.traders import trader_of
from fondaco.domain.evaluation.wording import wording
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import DEMO, Scope
from fondaco.kernel.errors import NotFound, Refused
from fondaco.kernel.event import Entry, Instant, request_id
from fondaco.kernel.operation import Stamp

_KINDS: Final[tuple[type[Any], ...]] = get_args(TierEvent)
_EPOCH: Final = date(1970, 1, 1)
_DAYS_MAX: Final = 100_000  # since 1970: beyond it there is no instant
_SECOND_NS: Final = 1_000_000_000
_INTERNAL: Final = frozenset({"draft", "waiting"})


class BuiltInOdds(msgspec.Struct, frozen=True, kw_only=True):
    """Of a tier that comes with the house, which is simulated when it is built."""

    fingerprint: str
    seed: int
    paths: int
    days: int
    funded_days: int
    sales: int
    capital: str
    traders: tuple[str, ...]
    odds: list[TraderOdds]


def built_in_odds() -> dict[str, BuiltInOdds]:
    """By the name of the tier. `coin` has none: it is a yardstick, and not for sale."""
    text = (TIERS / "odds.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, BuiltInOdds])


class TiersDesk:
    """Belongs to the loop's thread."""

    def __init__(self, kernel: Kernel, directory: Directory) -> None:
        self._kernel, self._directory = kernel, directory
        self.shelf = Shelf()

    async def open(self) -> None:
        """What was published before is on sale from the first request on."""
        for tenant in await asyncio.to_thread(self._directory.tenants):
            stream = stream_of(tenant)
            await self._kernel.wake(stream)
            memory = self._kernel.peek(stream)
            if memory is not None and memory.version:
                self.shelf.load(tenant, memory.state)
        self._kernel.listeners.append(self._note)
        if self._kernel.settings.demo:
            await self._seed()

    def _note(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry.event, _KINDS):
                self.shelf.note(entry.stream.removeprefix(PREFIX), entry.event)

    async def _seed(self) -> None:
        """The tiers that come with the house, for sale; once per data directory."""
        now = self._kernel.now()
        asks = [
            ask for name, found in built_in_odds().items() for ask in _built_in(name, found, now)
        ]
        # All turns are taken before the first commit is awaited: one commit.
        told = [self._kernel.submit(stream_of(DEMO), ask) for ask in asks]
        for each in told:
            await each

    # --- What is asked ----------------------------------------------------------------------------

    async def tiers(self, stamp: Stamp, ask: api.TiersRequest) -> api.TiersReply:
        offers, now = self.shelf.offers(stamp.tenant), self._kernel.now()
        return api.TiersReply(
            [
                tier_shown(offers, each, self.shelf.tier_of(each), now)
                for versions in offers.tiers.values()
                for each in self._visible(stamp, offers, versions, now)
                if ask.state in ("all", state_of(offers, each, now))
            ]
        )

    async def tier(self, stamp: Stamp, ask: api.TierRequest) -> api.TierReply:
        offers, now = self.shelf.offers(stamp.tenant), self._kernel.now()
        versions = list(self._visible(stamp, offers, offers.versions(ask.tier), now))
        on_sale = offers.on_sale(ask.tier, now)
        numbers = [each.version for each in versions]
        wanted = ask.version or (on_sale.version if on_sale else max(numbers, default=0))
        found = next((each for each in versions if each.version == wanted), None)
        if found is None:
            named = f"version {ask.version} of " if ask.version else ""
            known = ", ".join(offers.tiers) or "none"
            raise NotFound(f"there is no {named}a tier {ask.tier}; there are {known}")
        tier = self.shelf.tier_of(found)
        return api.TierReply(
            item=tier_shown(offers, found, tier, now),
            rules=[api.RulesShown(*each) for each in wording(tier)],
            text=found.text,
            terms=found.terms,
            terms_sha256=found.fingerprint,
            versions=[version_shown(offers, each, now) for each in versions],
        )

    async def define(self, stamp: Stamp, ask: api.DefineTierRequest) -> api.DefinedReply:
        text, tier = self._numbered(stamp.tenant, ask.text)
        found, position = lint(tier), 0
        if not ask.dry_run:
            command = offer_of(text, tier, _asked(stamp), stamp.at, stamp.caller)
            position = (await self._submit(stamp.tenant, command)).position
        return api.DefinedReply(
            tier=tier.name,
            version=tier.version,
            title=tier.title,
            fingerprint=terms_sha256(tier),
            findings=[
                api.FindingShown(each.weight, each.code, each.where, each.text) for each in found
            ],
            wording=[each for _, sentences in wording(tier) for each in sentences],
            publishable=not is_wrong(found),
            position=position,
        )

    def _numbered(self, tenant: str, text: str) -> tuple[str, Tier]:
        """A text that does not say which version it is becomes the next one, and says so."""
        tier = tier_of(text)
        if "version" in tomllib.loads(text):
            return text, tier
        known = self.shelf.offers(tenant).versions(tier.name)
        same = [each for each in known if each.text.partition("\n")[2] == text]
        number = same[-1].version if same else known[-1].version + 1 if known else 1
        text = f"version = {number}\n{text}"
        return text, tier_of(text)

    async def _submit(self, tenant: str, command: TierCommand) -> Entry:
        """The entry that it left. Raises `Refused` with what the law says."""
        entry = (await self._kernel.submit(stream_of(tenant), command))[-1]
        if isinstance(entry.event, TierRefused):
            raise Refused(entry.event.text, code=entry.event.reason)
        return entry

    def _visible(
        self, stamp: Stamp, offers: Offers, versions: Sequence[Offered], now: Instant
    ) -> Iterator[Offered]:
        """Newest first. What is not published yet concerns those who write tiers."""
        caller = self._directory.caller_named(stamp.tenant, stamp.caller)
        sees_all = caller.may(Scope.TIERS_WRITE)
        for each in reversed(versions):
            if sees_all or state_of(offers, each, now) not in _INTERNAL:
                yield each


def offer_of(text: str, tier: Tier, asked: str, now: Instant, by: str) -> OfferTier:
    """The command that defines a version; `asked` names the request."""
    terms = msgspec.json.encode(tier).decode()
    return OfferTier(
        request_id(f"!tiers/{asked}/define", terms_sha256(tier)),
        now,
        tier.name,
        tier.version,
        text,
        terms,
        _midnight(tier, tier.effective_from),
        _midnight(tier, tier.effective_until),
        tuple(f"{each.code} at {each.where}" for each in wrong(tier)),
        by,
    )


def _asked(stamp: Stamp) -> str:
    """Of what has agreed to it, or of the request: done again, it is done once."""
    key = stamp.idempotency_key or stamp.request_id
    return blake2b(f"{stamp.tenant}/{stamp.caller}/{key}".encode(), digest_size=12).hexdigest()


def wrong(tier: Tier) -> Iterator[LintFinding]:
    """What keeps it from being published."""
    return (each for each in lint(tier) if each.weight == "contradiction")


def _midnight(tier: Tier, day: int) -> Instant:
    """When a day begins where the tier's clocks are."""
    if day >= _DAYS_MAX:
        return Instant(NEVER)
    local = datetime.combine(
        _EPOCH + timedelta(days=day), datetime.min.time(), ZoneInfo(tier.time_zone)
    )
    return Instant(max(int(local.timestamp()), 0) * _SECOND_NS)


def _built_in(name: str, found: BuiltInOdds, now: Instant) -> Iterator[TierCommand]:
    """Names of requests hold the terms: another build's, if they differ, are another request."""
    text = text_of(name)
    tier = tier_of(text)
    key = f"!demo/tiers/{name}/{tier.version}/{found.fingerprint[:16]}"
    yield offer_of(text, tier, f"demo/{terms_sha256(tier)[:16]}/{name}", now, DEMO)
    yield AttachSimulation(
        request_id(f"{key}/simulate", found.fingerprint),
        now,
        name,
        tier.version,
        found.fingerprint,
        written(found.odds),
        tuple(kept(trader_of(each)) for each in found.traders),
        found.seed,
        found.paths,
        found.days,
        found.funded_days,
        found.sales,
        found.capital,
        DEMO,
    )
    yield PublishTier(
        request_id(f"{key}/publish", found.fingerprint), now, name, tier.version, Instant(0),
        "comes with the house", DEMO,
    )  # fmt: skip
