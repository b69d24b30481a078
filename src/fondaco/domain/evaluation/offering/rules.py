"""The law of a tenant's tiers: a version never changes, and what was on sale stays so. Pure.

A version is published with the odds of exactly its terms, without contradictions, from now on or
later, and never before one that was published: what is on sale at an instant is one version of a
tier or none, and nothing that is asked later changes it for an instant that is over.
"""

from hashlib import sha256
from typing import Final

from fondaco.domain.evaluation.offering.events import (
    AttachSimulation,
    OfferTier,
    PublishTier,
    RetireTier,
    SimulationAttached,
    TierCommand,
    TierDefined,
    TierEvent,
    TierPublished,
    TierRefused,
    TierRetired,
    TierUnchanged,
)
from fondaco.domain.evaluation.offering.model import (
    VERSIONS_MAX,
    AttachedOdds,
    Offered,
    Offers,
)
from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.event import StreamId


def initial(_: StreamId) -> Offers:
    return Offers()


def decide(state: Offers, command: TierCommand, _: Refs) -> tuple[TierEvent, ...]:
    match command:
        case OfferTier():
            return (_offer(state, command),)
        case AttachSimulation():
            return (_attach(state, command),)
        case PublishTier():
            return (_publish(state, command),)
        case RetireTier():
            return (_retire(state, command),)


def _offer(state: Offers, ask: OfferTier) -> TierEvent:
    known = state.versions(ask.name)
    made = sha256(ask.terms.encode()).hexdigest()
    same = state.of(ask.name, ask.version)
    if same is not None and same.fingerprint == made:
        return TierUnchanged(ask.name, ask.version)
    if same is not None or (known and ask.version < known[-1].version):
        newest = known[-1].version
        text = (
            f"version {ask.version} of {ask.name} is there, or one after it is, and a version "
            f"never changes: call it {newest + 1}, or leave the version out"
        )
        return TierRefused(ask.name, ask.version, "version_fixed", text)
    if state.count >= VERSIONS_MAX:
        text = f"there are {state.count} versions of tiers, at most {VERSIONS_MAX} are kept"
        return TierRefused(ask.name, ask.version, "too_many_versions", text)
    return TierDefined(
        ask.name, ask.version, ask.text, ask.terms, made, ask.opens_at, ask.closes_at,
        ask.contradictions, ask.at, ask.by,
    )  # fmt: skip


def _attach(state: Offers, ask: AttachSimulation) -> TierEvent:
    known = state.of(ask.name, ask.version)
    if known is None:
        return _unknown(ask.name, ask.version)
    if known.fingerprint != ask.fingerprint:
        text = f"what was simulated is not version {ask.version} of {ask.name}: other terms"
        return TierRefused(ask.name, ask.version, "other_terms", text)
    if known.is_published:  # what buyers were shown stays what they were shown
        text = f"version {ask.version} of {ask.name} is published: its odds are those it has"
        return TierRefused(ask.name, ask.version, "already_published", text)
    return SimulationAttached(
        ask.name, ask.version, ask.fingerprint, ask.odds, ask.traders, ask.seed, ask.paths,
        ask.days, ask.funded_days, ask.sales, ask.capital, ask.at, ask.by,
    )  # fmt: skip


def wrong_publication(state: Offers, ask: PublishTier) -> TierRefused | None:
    """Why a version cannot be published as is asked; None where it can."""
    known = state.of(ask.name, ask.version)
    if known is None:
        return _unknown(ask.name, ask.version)
    reason = text = ""
    what = f"version {ask.version} of {ask.name}"
    before = [each for each in state.versions(ask.name) if each.is_ever_sold]
    starts = max(ask.effective_at or ask.at, known.opens_at)
    if known.is_published:
        reason, text = "already_published", f"{what} was published already"
    elif known.contradictions:
        reason = "contradictory"
        text = f"{what} contradicts itself: {', '.join(known.contradictions)}; define another one"
    elif known.simulation is None:
        reason = "no_simulation"
        text = f"{what} has no simulation attached: simulate it, so that buyers see their odds"
    elif ask.effective_at and ask.effective_at < ask.at:
        reason, text = "backwards", f"{what} cannot be sold from a time on that is over"
    elif before and before[-1].version > ask.version:
        reason = "backwards"
        text = f"version {before[-1].version} was published after it: define it as a newer one"
    elif before and starts < before[-1].effective_at:
        reason = "backwards"
        text = f"version {before[-1].version} begins later than {what} would: begin after it"
    elif starts >= known.closes_at:
        reason, text = "never_sold", f"{what} is sold no more when it would begin, says its text"
    return TierRefused(ask.name, ask.version, reason, text) if reason else None


def _publish(state: Offers, ask: PublishTier) -> TierEvent:
    wrong = wrong_publication(state, ask)
    known = state.of(ask.name, ask.version)
    if wrong is not None or known is None:
        return wrong or _unknown(ask.name, ask.version)
    starts = max(ask.effective_at, ask.at, known.opens_at)
    return TierPublished(ask.name, ask.version, known.fingerprint, starts, ask.at, ask.by, ask.note)


def _retire(state: Offers, ask: RetireTier) -> TierEvent:
    known = state.of(ask.name, ask.version)
    if known is None:
        return _unknown(ask.name, ask.version)
    reason = text = ""
    what = f"version {ask.version} of {ask.name}"
    if not known.is_published:
        reason, text = "not_published", f"{what} was never published: nobody can buy it"
    elif ask.ends_at and ask.ends_at < ask.at:
        reason, text = "backwards", f"{what} cannot be retired from a time on that is over"
    elif state.ends_at(known) <= ask.at:
        reason, text = "not_on_sale", f"{what} is not sold any more"
    if reason:
        return TierRefused(ask.name, ask.version, reason, text)
    ends_at = max(ask.ends_at, ask.at)
    if ends_at >= state.ends_at(known):
        return TierUnchanged(ask.name, ask.version)
    return TierRetired(ask.name, ask.version, ends_at, ask.at, ask.by, ask.note)


def _unknown(name: str, version: int) -> TierRefused:
    text = f"there is no version {version} of a tier {name}"
    return TierRefused(name, version, "unknown_version", text)


def evolve(state: Offers, event: TierEvent) -> Offers:
    match event:
        case TierDefined():
            made = Offered(
                name=event.name,
                version=event.version,
                fingerprint=event.fingerprint,
                text=event.text,
                terms=event.terms,
                opens_at=event.opens_at,
                closes_at=event.closes_at,
                contradictions=event.contradictions,
                defined_at=event.at,
                defined_by=event.by,
                ends_at=event.closes_at,
            )
            state.tiers.setdefault(event.name, []).append(made)
            state.count += 1
        case SimulationAttached() | TierPublished() | TierRetired():
            known = state.of(event.name, event.version)
            if known is not None:
                _change(known, event)
        case _:
            pass
    return state


def _change(known: Offered, event: SimulationAttached | TierPublished | TierRetired) -> None:
    if isinstance(event, SimulationAttached):
        known.simulation = AttachedOdds(
            odds=event.odds,
            traders=event.traders,
            seed=event.seed,
            paths=event.paths,
            days=event.days,
            funded_days=event.funded_days,
            sales=event.sales,
            capital=event.capital,
            at=event.at,
            by=event.by,
        )
    elif isinstance(event, TierPublished):
        known.effective_at, known.published_by = event.effective_at, event.by
    else:
        known.ends_at, known.is_retired = min(event.ends_at, known.ends_at), True


decider: Final = Decider(initial, decide, evolve, Offers)
