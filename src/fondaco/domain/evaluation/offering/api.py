"""What may be asked about tiers: what is sold, under which rules, with which odds."""

from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.evaluation.reading import TEXT_MAX
from fondaco.domain.identity.model import Scope
from fondaco.domain.reference.model import Importance
from fondaco.kernel.errors import NotFound, Refused
from fondaco.kernel.operation import Do, Operation, Stamp

TierName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}$", examples=["two-step-100k"])]
VersionNumber = Annotated[int, Meta(ge=0, le=1_000_000)]
Published = Annotated[int, Meta(ge=1, le=1_000_000)]
TraderText = Annotated[str, Meta(min_length=1, max_length=200, examples=["skilled:risk=1%"])]
Nanos = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Note = Annotated[str, Meta(min_length=3, max_length=200, examples=["the autumn sale"])]
OfferState = Literal["draft", "waiting", "published", "past", "retired"]


class TiersRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`published` is what is on sale now. Only who may write tiers sees drafts, and what waits."""

    state: Literal["published", "draft", "waiting", "past", "retired", "all"] = "published"


class TierRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`version` 0: the one on sale, or else the newest that you may see."""

    tier: TierName
    version: VersionNumber = 0


class DefineTierRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`text` is TOML, as docs/tiers.md has it. Without a `version` in it, it is the next one.
    `dry_run`: only say what is wrong, and what traders would read."""

    text: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]
    dry_run: bool = False


class JournalText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody has traded, as CSV that docs/tiers.md tells of."""

    name: Annotated[str, Meta(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$", examples=["days.csv"])]
    text: Annotated[str, Meta(min_length=1, max_length=500_000)]


class SimulateTierRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`traders` as `fondaco tier simulate` takes them, "skilled:risk=1%"; none: the usual five.
    "account:ID" draws days from what an account has traded, "journal:NAME" from one of `journals`.
    `days`: how long a phase is watched. `sensitivity`: with what each rule does to the odds.
    `crowd`: the part of their trades that buyers take together, for the firm's ruin."""

    tier: TierName
    version: Published
    traders: Annotated[tuple[TraderText, ...], Meta(max_length=10)] = ()
    paths: Annotated[int, Meta(ge=100, le=200_000)] = 20_000
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 1
    days: Annotated[int, Meta(ge=1, le=3_660)] = 60
    funded_days: Annotated[int, Meta(ge=1, le=3_660)] = 180
    sales: Annotated[int, Meta(ge=1, le=1_000)] = 100
    sales_a_day: Annotated[int, Meta(ge=1, le=1_000)] = 10
    crowd: Annotated[float, Meta(ge=0, le=1)] = 0.5
    sensitivity: bool = False
    journals: Annotated[tuple[JournalText, ...], Meta(max_length=5)] = ()


class TierVersionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tier: TierName
    version: Published


class PublishTierRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """On sale from `effective_from` on, in nanoseconds since 1970, UTC; 0: as soon as somebody has
    agreed, though not before the day that the text says."""

    tier: TierName
    version: Published
    effective_from: Nanos = 0
    note: Note = "no note"


class RetireTierRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Not on sale from `ends_at` on, in nanoseconds since 1970, UTC; 0: at once."""

    tier: TierName
    version: Published
    ends_at: Nanos = 0
    note: Note = "no note"


class ReplayTierRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Over the newest `limit` assessments of the tenant."""

    tier: TierName
    version: Published
    limit: Annotated[int, Meta(ge=1, le=2_000)] = 500


class DailyLossShown(msgspec.Struct, frozen=True, kw_only=True):
    """`amount`, or else `part`, a percentage of where the day began. `counted_from`: initial,
    balance, equity, or the higher of the two."""

    amount: str | None
    part: str | None
    counted_from: str


class OverallLossShown(msgspec.Struct, frozen=True, kw_only=True):
    """`limit` is where it begins. `follows`: static, trailing, end_of_day."""

    amount: str
    limit: str
    follows: str
    locks_at: str | None


class NewsShown(msgspec.Struct, frozen=True, kw_only=True):
    """Around announcements that are at least so important: low, medium, high."""

    before_minutes: int
    after_minutes: int
    importance: Importance


class StageShown(msgspec.Struct, frozen=True, kw_only=True):
    """null and 0 are no rule. `consistency` is the best day's share of all profit, at most."""

    name: str
    target: str | None
    daily_loss: DailyLossShown | None
    overall_loss: OverallLossShown | None
    min_trading_days: int
    min_trades: int
    time_limit_days: int
    inactivity_days: int
    max_risk_per_trade: str | None
    max_positions: int
    max_lots: str | None
    consistency: str | None
    news: NewsShown | None
    weekend: str


class PayoutShown(msgspec.Struct, frozen=True, kw_only=True):
    """`split` is what a trader is paid of the profit, in percent."""

    split: str
    first_after_days: int
    every_days: int
    minimum: str
    refunds_fee: bool


class ScalingShown(msgspec.Struct, frozen=True, kw_only=True):
    """From `profit` in all on."""

    profit: str
    account: str
    split: str


class RuleEffectShown(msgspec.Struct, frozen=True, kw_only=True):
    """The same traders with the same dice, had one rule been another: what it costs whom.
    `pass_change_se` is the standard error of the difference, of the same dice; null in odds of
    before it was worked out."""

    rule: str
    change: str
    pass_probability: float
    pass_change: float
    pass_change_se: float | None
    payout_mean: float
    payout_change: float
    firm_profit_mean: float
    firm_profit_change: float


class OddsOfTrader(msgspec.Struct, frozen=True, kw_only=True):
    """Of one kind of trader. `ruin_probability` is of breaking a limit before passing; money is a
    mean over all of them, what the firm has of a sale among it. Of those who pass, half take no
    more than `median_days`."""

    trader: str
    title: str
    pass_probability: float
    pass_se: float
    ruin_probability: float
    ruin_se: float
    median_days: float | None
    paid_probability: float
    payout_mean: float
    firm_profit_mean: float
    firm_profit_se: float
    firm_ruin_probability: float | None
    firm_ruin_se: float | None
    firm_capital_99: float | None
    abandoned_probability: float
    effects: list[RuleEffectShown]


class OddsShown(msgspec.Struct, frozen=True, kw_only=True):
    """Worked out by simulation, of `paths` traders of each kind; the same seed gives the same.
    `firm_ruin_probability` is of having lost more than `capital` on some day of a book of `sales`
    sales, `sales_a_day` of them a day, whose buyers take the part `crowd` of their trades
    together; 0 of `sales_a_day`: one sale after the other, each alone."""

    paths: int
    seed: str
    days: int
    funded_days: int
    sales: int
    sales_a_day: int
    crowd: float
    capital: str
    simulated_at: str
    traders: list[OddsOfTrader]


class TierShown(msgspec.Struct, frozen=True, kw_only=True):
    """`effective_from` and `effective_until` are when it is on sale: nanoseconds since 1970, UTC;
    "" is not at all, and without an end. `wording` is made of the terms that are enforced."""

    tier: str
    version: int
    title: str
    state: OfferState
    currency: str
    account: str
    fee: str
    effective_from: str
    effective_until: str
    fingerprint: str
    time_zone: str
    reset_at: str
    broken_at: str
    leverage: int
    instruments: list[str]
    phases: list[StageShown]
    funded: StageShown | None
    payout: PayoutShown | None
    scaling: list[ScalingShown]
    wording: list[str]
    odds: OddsShown | None


class TiersReply(msgspec.Struct, frozen=True):
    """In the order in which the tiers were first defined, versions newest first. Only tiers in
    `account_currency` can be bought: accounts are in no other."""

    items: list[TierShown]
    account_currency: str


class RulesShown(msgspec.Struct, frozen=True):
    heading: str
    sentences: list[str]


class TierVersionShown(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    state: OfferState
    fingerprint: str
    effective_from: str
    effective_until: str
    defined_at: str
    defined_by: str
    published_by: str
    contradictions: list[str]
    simulated: bool


class TierReply(msgspec.Struct, frozen=True, kw_only=True):
    """`terms` is the JSON whose SHA-256 is `terms_sha256`, the tier's fingerprint: what a buyer
    has, byte by byte. `text` is what it was made of."""

    item: TierShown
    rules: list[RulesShown]
    text: str
    terms: str
    terms_sha256: str
    versions: list[TierVersionShown]


class FindingShown(msgspec.Struct, frozen=True):
    """`weight` is "contradiction", which keeps it from being published, or "unusual". `line` is
    that of the text."""

    weight: str
    code: str
    where: str
    text: str
    line: int


class DefinedReply(msgspec.Struct, frozen=True, kw_only=True):
    """`position` 0: nothing was written, as it was only tried."""

    tier: str
    version: int
    title: str
    fingerprint: str
    findings: list[FindingShown]
    wording: list[str]
    publishable: bool
    position: int


class SimulationReply(msgspec.Struct, frozen=True, kw_only=True):
    """`simulation_id` is the newest since the house began, GET /simulations lists all of them.
    `state`: none, running, attached, failed or canceled. `done` of `total` paths, of all traders
    together. `odds` are what is attached, from this simulation or an earlier one."""

    tier: str
    version: int
    fingerprint: str
    simulation_id: str
    state: str
    done: int
    total: int
    error: str
    odds: OddsShown | None


class TierChanged(msgspec.Struct, frozen=True, kw_only=True):
    item: TierShown
    position: int


class ReplayedAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One account in one stage that would have gone otherwise. `was` and `would`: active (as far as
    it was traded), passed, failed, abandoned, expired; with the rule, where one is broken."""

    assessment_id: str
    account_id: str
    stage: int
    was: str
    was_rule: str
    would: str
    rule: str
    at: str


class ReplayTierReply(msgspec.Struct, frozen=True, kw_only=True):
    """`compared` of `attempts`: the others are of another size, or of a stage that this version
    does not have. What was traded is taken as it is, though who knows another rule trades
    otherwise."""

    assessments: int
    attempts: int
    compared: int
    same: int
    would_pass: int  # and did not
    would_fail: int  # and did not
    changes: list[ReplayedAttempt]


class TierDesk(Protocol):
    """The part of a house that looks after tiers."""

    async def tiers(self, stamp: Stamp, ask: TiersRequest) -> TiersReply: ...
    async def tier(self, stamp: Stamp, ask: TierRequest) -> TierReply: ...
    async def define(self, stamp: Stamp, ask: DefineTierRequest) -> DefinedReply: ...
    async def simulate(self, stamp: Stamp, ask: SimulateTierRequest) -> SimulationReply: ...
    async def simulation(self, stamp: Stamp, ask: TierVersionRequest) -> SimulationReply: ...
    async def cancel(self, stamp: Stamp, ask: TierVersionRequest) -> SimulationReply: ...
    async def publish(self, stamp: Stamp, ask: PublishTierRequest) -> TierChanged: ...
    async def must_publish(self, stamp: Stamp, ask: PublishTierRequest) -> None: ...
    async def replay(self, stamp: Stamp, ask: ReplayTierRequest) -> ReplayTierReply: ...
    async def retire(self, stamp: Stamp, ask: RetireTierRequest) -> TierChanged: ...


async def _tiers(ask: TiersRequest, stamp: Stamp, desk: TierDesk) -> TiersReply:
    return await desk.tiers(stamp, ask)


async def _tier(ask: TierRequest, stamp: Stamp, desk: TierDesk) -> TierReply:
    return await desk.tier(stamp, ask)


async def _define(ask: DefineTierRequest, stamp: Stamp, desk: TierDesk) -> DefinedReply:
    return await desk.define(stamp, ask)


async def _simulate(ask: SimulateTierRequest, stamp: Stamp, desk: TierDesk) -> SimulationReply:
    return await desk.simulate(stamp, ask)


async def _simulation(ask: TierVersionRequest, stamp: Stamp, desk: TierDesk) -> SimulationReply:
    return await desk.simulation(stamp, ask)


async def _cancel(ask: TierVersionRequest, stamp: Stamp, desk: TierDesk) -> SimulationReply:
    return await desk.cancel(stamp, ask)


async def _publish(ask: PublishTierRequest, stamp: Stamp, desk: TierDesk) -> TierChanged:
    return await desk.publish(stamp, ask)


async def _must_publish(ask: PublishTierRequest, stamp: Stamp, desk: TierDesk) -> None:
    await desk.must_publish(stamp, ask)


async def _replay(ask: ReplayTierRequest, stamp: Stamp, desk: TierDesk) -> ReplayTierReply:
    return await desk.replay(stamp, ask)


async def _retire(ask: RetireTierRequest, stamp: Stamp, desk: TierDesk) -> TierChanged:
    return await desk.retire(stamp, ask)


A_TEXT: Final = (
    'name = "mine"\ntitle = "Mine, 10,000"\neffective_from = 2026-01-01\naccount = "10000"\n'
    'fee = "99"\n[[phases]]\nname = "Challenge"\ntarget = "8%"\n'
    'overall_loss = { limit = "10%" }\n'
)

OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="tiers.list",
        summary="The tiers of the prop firm: account, fee, rules in words, and simulated odds.",
        method="GET",
        path="/tiers",
        request=TiersRequest,
        reply=TiersReply,
        scope=Scope.TIERS_READ,
        source="tiers",
        answer=_tiers,
    ),
    Do(
        name="tiers.one",
        summary="One tier with its text, its terms byte by byte, its odds and its versions.",
        method="GET",
        path="/tiers/{tier}",
        request=TierRequest,
        reply=TierReply,
        scope=Scope.TIERS_READ,
        errors=(NotFound,),
        source="tiers",
        answer=_tier,
    ),
    Do(
        name="tiers.define",
        summary="Keep a version of a tier, as a draft; or only say what is wrong with its text.",
        method="POST",
        path="/tiers",
        request=DefineTierRequest,
        reply=DefinedReply,
        scope=Scope.TIERS_WRITE,
        errors=(Refused,),
        source="tiers",
        answer=_define,
        example={"text": A_TEXT, "dry_run": True},
    ),
    Do(
        name="tiers.simulate",
        summary="Begin to work out the odds of a version; they are attached to it in the journal.",
        method="POST",
        path="/tiers/{tier}/versions/{version}/simulate",
        request=SimulateTierRequest,
        reply=SimulationReply,
        scope=Scope.TIERS_WRITE,
        errors=(NotFound, Refused),
        source="tiers",
        answer=_simulate,
    ),
    Do(
        name="tiers.simulation",
        summary="How far the simulation of a version is, and the odds that are attached to it.",
        method="GET",
        path="/tiers/{tier}/versions/{version}/simulation",
        request=TierVersionRequest,
        reply=SimulationReply,
        scope=Scope.TIERS_WRITE,
        errors=(NotFound,),
        source="tiers",
        answer=_simulation,
    ),
    Do(
        name="tiers.cancel_simulation",
        summary="Stop the simulation of a version that is under way.",
        method="DELETE",
        path="/tiers/{tier}/versions/{version}/simulation",
        request=TierVersionRequest,
        reply=SimulationReply,
        scope=Scope.TIERS_WRITE,
        errors=(NotFound,),
        source="tiers",
        answer=_cancel,
    ),
    Do(
        name="tiers.publish",
        summary="Sell a version of a tier, with the odds that are attached to it, from a time on.",
        method="POST",
        path="/tiers/{tier}/versions/{version}/publish",
        request=PublishTierRequest,
        reply=TierChanged,
        scope=Scope.TIERS_WRITE,
        errors=(NotFound, Refused),
        needs_second=True,
        source="tiers",
        answer=_publish,
        check=_must_publish,
    ),
    Do(
        name="tiers.retire",
        summary="Sell a version of a tier no more; whoever has bought it keeps it.",
        method="POST",
        path="/tiers/{tier}/versions/{version}/retire",
        request=RetireTierRequest,
        reply=TierChanged,
        scope=Scope.TIERS_WRITE,
        errors=(NotFound, Refused),
        source="tiers",
        answer=_retire,
        example={"tier": "no-such-tier"},
    ),
    Do(
        name="tiers.replay",
        summary="Who would have passed or failed, had a version's rules judged what was traded.",
        method="POST",
        path="/tiers/{tier}/versions/{version}/replay",
        request=ReplayTierRequest,
        reply=ReplayTierReply,
        scope=Scope.TIERS_WRITE,
        errors=(NotFound,),
        source="tiers",
        answer=_replay,
    ),
)
