"""The part of a house that looks after tiers: what is on the shelf, and how it gets there."""

import asyncio
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, get_args
from zoneinfo import ZoneInfo

import msgspec

from fondaco.app.house import Kernel
from fondaco.app.simulation_jobs import Ended
from fondaco.app.simulation_traders import Traders
from fondaco.app.simulation_work import tier_of as _terms
from fondaco.app.simulations import SimulationsDesk
from fondaco.app.tier_fit import misfits
from fondaco.domain.evaluation.assessments.model import PREFIX as ASSESSMENTS
from fondaco.domain.evaluation.assessments.store import listed as assessments
from fondaco.domain.evaluation.lines import line_of
from fondaco.domain.evaluation.lint import LintFinding, is_wrong, lint
from fondaco.domain.evaluation.model import MONEY_DECIMALS, NEVER, Tier
from fondaco.domain.evaluation.model import fingerprint as terms_sha256
from fondaco.domain.evaluation.offering import api
from fondaco.domain.evaluation.offering.events import (
    AttachSimulation,
    OfferTier,
    PublishTier,
    RetireTier,
    TierCommand,
    TierEvent,
    TierRefused,
)
from fondaco.domain.evaluation.offering.model import PREFIX, Offered, Offers, stream_of
from fondaco.domain.evaluation.offering.rules import wrong_publication
from fondaco.domain.evaluation.offering.showing import (
    money,
    odds_shown,
    state_of,
    tier_shown,
    version_shown,
)
from fondaco.domain.evaluation.reading import TIERS, text_of, tier_of
from fondaco.domain.evaluation.replaying import attempts, judged, stage_of
from fondaco.domain.evaluation.shelf import Shelf
from fondaco.domain.evaluation.simulation.attached import USUAL, TraderOdds, kept, written
from fondaco.domain.evaluation.simulation.traders import trader_of
from fondaco.domain.evaluation.simulations.model import (
    OddsInputs,
    Question,
    SimulationKind,
    question,
)
from fondaco.domain.evaluation.wording import wording
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import DEMO, Scope
from fondaco.kernel.errors import FondacoError, NotFound, Refused
from fondaco.kernel.event import Entry, Instant, StreamId, request_id
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


class Attaching:
    """A simulation whose odds are for a version. `state`: running, attached, failed, canceled."""

    def __init__(self, asked: Question) -> None:
        self.asked = asked
        self.state = "running"
        self.error = ""
        self.done = self.total = 0  # when it ended


class TiersDesk:
    """Belongs to the loop's thread."""

    def __init__(
        self,
        kernel: Kernel,
        directory: Directory,
        reading: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        """`reading` is of the views."""
        self._kernel, self._directory, self._reading = kernel, directory, reading
        self.shelf = Shelf()
        self._traders = Traders(kernel, directory, reading)
        self.simulations = SimulationsDesk(kernel, self._traders, self.shelf, reading)
        self._attaching: dict[tuple[str, str, int], Attaching] = {}

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

    async def close(self) -> None:
        await self.simulations.close()

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
            ],
            self._kernel.refs.currency,
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
        found, position = [*lint(tier), *misfits(tier, self._kernel.refs)], 0
        if not ask.dry_run:
            command = offer_of(text, tier, _asked(stamp), stamp.at, stamp.caller)
            position = (await self._submit(stamp.tenant, command)).position
        return api.DefinedReply(
            tier=tier.name,
            version=tier.version,
            title=tier.title,
            fingerprint=terms_sha256(tier),
            findings=[
                api.FindingShown(
                    each.weight, each.code, each.where, each.text, line_of(ask.text, each.where)
                )
                for each in found
            ],
            wording=[each for _, sentences in wording(tier) for each in sentences],
            publishable=not is_wrong(found),
            position=position,
        )

    # --- Odds -------------------------------------------------------------------------------------

    async def simulate(self, stamp: Stamp, ask: api.SimulateTierRequest) -> api.SimulationReply:
        offered = self._offered(stamp.tenant, ask.tier, ask.version)
        if offered.is_published:
            text = f"version {ask.version} of {ask.tier} is published: its odds are those it has"
            raise Refused(text, code="already_published")
        names = ask.traders or USUAL
        traders = await asyncio.to_thread(
            lambda: tuple((n, self._traders.trader(stamp, n, ask.journals)) for n in names)
        )
        kind = SimulationKind.SENSITIVITY if ask.sensitivity else SimulationKind.TIER_ODDS
        asked = question(kind, self._inputs(offered, traders, ask))
        key = (stamp.tenant, ask.tier, ask.version)
        known = self._attaching.get(key)
        if known is not None and known.state == "running":
            if known.asked == asked:
                return self._progress(stamp.tenant, offered)
            raise Refused("it is being simulated already: cancel that first", code="simulating")
        attaching = self._attaching[key] = Attaching(asked)

        async def tell(ended: Ended) -> None:
            job = self.simulations.progress(stamp.tenant, asked.simulation_id)
            attaching.done, attaching.total = (job.done, job.total) if job else (0, 0)
            await self._attach(stamp, offered, attaching, ended)

        try:
            await self.simulations.begin(stamp, asked, tell)
        except FondacoError:
            self._attaching.pop(key, None)
            raise
        return self._progress(stamp.tenant, offered)

    def _inputs(
        self, offered: Offered, traders: tuple[Any, ...], ask: api.SimulateTierRequest
    ) -> OddsInputs:
        tier = self.shelf.tier_of(offered)
        return OddsInputs(
            tier=offered.name,
            version=offered.version,
            terms=offered.terms,
            traders=traders,
            paths=ask.paths,
            seed=ask.seed,
            days=ask.days,
            funded_days=ask.funded_days,
            sales=ask.sales,
            sales_a_day=ask.sales_a_day,
            crowd=ask.crowd,
            capital=tier.account / 10**MONEY_DECIMALS,
        )

    async def _attach(
        self, stamp: Stamp, offered: Offered, attaching: Attaching, ended: Ended
    ) -> None:
        if ended.state != "done":
            attaching.state = "canceled" if ended.state == "interrupted" else ended.state
            attaching.error = ended.error
            return
        command = attach_of(offered, ended.result, attaching.asked, _asked(stamp), stamp.caller)
        try:
            now = msgspec.structs.replace(command, at=self._kernel.now())
            await self._submit(stamp.tenant, now)
            attaching.state = "attached"
        except FondacoError as error:
            attaching.state, attaching.error = "failed", error.message

    async def simulation(self, stamp: Stamp, ask: api.TierVersionRequest) -> api.SimulationReply:
        return self._progress(stamp.tenant, self._offered(stamp.tenant, ask.tier, ask.version))

    async def cancel(self, stamp: Stamp, ask: api.TierVersionRequest) -> api.SimulationReply:
        offered = self._offered(stamp.tenant, ask.tier, ask.version)
        known = self._attaching.get((stamp.tenant, ask.tier, ask.version))
        if known is not None and known.state == "running":
            await self.simulations.stop(stamp, known.asked.simulation_id)
        return self._progress(stamp.tenant, offered)

    def _progress(self, tenant: str, offered: Offered) -> api.SimulationReply:
        found = self._attaching.get((tenant, offered.name, offered.version))
        asked = found.asked.simulation_id if found else ""
        job = self.simulations.progress(tenant, asked) if found else None
        known = self._offered(tenant, offered.name, offered.version).simulation
        return api.SimulationReply(
            tier=offered.name,
            version=offered.version,
            fingerprint=offered.fingerprint,
            simulation_id=asked,
            state=found.state if found else "attached" if known else "none",
            done=job.done if job else found.done if found else 0,
            total=job.total if job else found.total if found else 0,
            error=found.error if found else "",
            odds=odds_shown(known) if known else None,
        )

    def _offered(self, tenant: str, name: str, version: int) -> Offered:
        found = self.shelf.offers(tenant).of(name, version)
        if found is None:
            raise NotFound(f"there is no version {version} of a tier {name}")
        return found

    # --- What is sold -----------------------------------------------------------------------------

    async def must_publish(self, stamp: Stamp, ask: api.PublishTierRequest) -> None:
        self._must_fit(stamp.tenant, ask)
        refused = wrong_publication(self.shelf.offers(stamp.tenant), publish_of(stamp, ask))
        if refused is not None:
            raise Refused(refused.text, code=refused.reason)

    def _must_fit(self, tenant: str, ask: api.PublishTierRequest) -> None:
        """Raises `Refused` where this house cannot keep what the tier says: it may have changed
        since the version was defined."""
        tier = self.shelf.tier_of(self._offered(tenant, ask.tier, ask.version))
        for each in misfits(tier, self._kernel.refs):
            if each.weight == "contradiction":
                text = f"version {ask.version} of {ask.tier} does not fit this house: {each.where}"
                raise Refused(f"{text}: {each.text}", code=each.code)

    async def publish(self, stamp: Stamp, ask: api.PublishTierRequest) -> api.TierChanged:
        self._must_fit(stamp.tenant, ask)
        entry = await self._submit(stamp.tenant, publish_of(stamp, ask))
        return self._changed(stamp.tenant, ask.tier, ask.version, entry.position)

    async def replay(self, stamp: Stamp, ask: api.ReplayTierRequest) -> api.ReplayTierReply:
        """In a thread: the journal is read, and none of it is changed."""
        tier = self.shelf.tier_of(self._offered(stamp.tenant, ask.tier, ask.version))
        return await asyncio.to_thread(self._replayed, stamp.tenant, tier, ask.limit)

    def _replayed(self, tenant: str, tier: Tier, limit: int) -> api.ReplayTierReply:
        with self._reading() as conn:
            names = [row.assessment_id for row in assessments(conn, tenant, None, None, limit)]
        tried = compared = 0
        changes: list[api.ReplayedAttempt] = []
        for name in names:
            entries = self._kernel.journal.read(StreamId(ASSESSMENTS + name))
            for each in attempts(entry.event for entry in entries):
                tried += 1
                stage = stage_of(tier, each)
                if stage is None:
                    continue
                compared += 1
                found = judged(tier, stage, each)
                if (found.would, found.rule) != (each.was, each.was_rule):
                    changes.append(
                        api.ReplayedAttempt(
                            assessment_id=name,
                            account_id=each.account,
                            stage=each.stage,
                            was=each.was,
                            was_rule=each.was_rule,
                            would=found.would,
                            rule=found.rule,
                            at=str(found.at),
                        )
                    )
        others = [each for each in changes if each.was != each.would]
        return api.ReplayTierReply(
            assessments=len(names),
            attempts=tried,
            compared=compared,
            same=compared - len(changes),
            would_pass=sum(each.would == "passed" for each in others),
            would_fail=sum(each.would == "failed" for each in others),
            changes=changes,
        )

    async def retire(self, stamp: Stamp, ask: api.RetireTierRequest) -> api.TierChanged:
        self._offered(stamp.tenant, ask.tier, ask.version)
        what = f"{ask.tier}/{ask.version}/{ask.ends_at}"
        command = RetireTier(
            request_id(f"!tiers/{_asked(stamp)}/retire", what), stamp.at, ask.tier, ask.version,
            Instant(ask.ends_at), ask.note, stamp.caller,
        )  # fmt: skip
        entry = await self._submit(stamp.tenant, command)
        return self._changed(stamp.tenant, ask.tier, ask.version, entry.position)

    def _changed(self, tenant: str, name: str, version: int, position: int) -> api.TierChanged:
        offers, offered = self.shelf.offers(tenant), self._offered(tenant, name, version)
        shown = tier_shown(offers, offered, self.shelf.tier_of(offered), self._kernel.now())
        return api.TierChanged(item=shown, position=position)

    # --- How it is done ---------------------------------------------------------------------------

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


def attach_of(
    offered: Offered, odds: str, asked: Question, request: str, by: str
) -> AttachSimulation:
    found = asked.inputs
    if not isinstance(found, OddsInputs):
        raise LookupError(f"{asked.kind} has no odds")
    content = blake2b(odds.encode(), digest_size=8).hexdigest()
    return AttachSimulation(
        request_id(f"!tiers/{request}/simulate", content), Instant(0), offered.name,
        offered.version, offered.fingerprint, odds,
        tuple(kept(trader) for _, trader in found.traders), found.seed, found.paths, found.days,
        found.funded_days, found.sales, money(_terms(found).account), by,
    )  # fmt: skip


def publish_of(stamp: Stamp, ask: api.PublishTierRequest) -> PublishTier:
    what = f"{ask.tier}/{ask.version}/{ask.effective_from}"
    return PublishTier(
        request_id(f"!tiers/{_asked(stamp)}/publish", what), stamp.at, ask.tier, ask.version,
        Instant(ask.effective_from), ask.note, stamp.caller,
    )  # fmt: skip


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
        request_id(f"{key}/simulate", found.fingerprint), now, name, tier.version,
        found.fingerprint, written(found.odds),
        tuple(kept(trader_of(each)) for each in found.traders), found.seed, found.paths,
        found.days, found.funded_days, found.sales, found.capital, DEMO,
    )  # fmt: skip
    yield PublishTier(
        request_id(f"{key}/publish", found.fingerprint), now, name, tier.version, Instant(0),
        "comes with the house", DEMO,
    )  # fmt: skip
