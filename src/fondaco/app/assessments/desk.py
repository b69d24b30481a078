"""What doors ask of assessments. Belongs to the loop's thread."""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

import msgspec

from fondaco.app.assessments.exposure import risk_book
from fondaco.app.assessments.looking import look_at
from fondaco.app.assessments.news import next_news
from fondaco.app.assessments.pack import pack
from fondaco.app.house import Kernel
from fondaco.app.tiers import TiersDesk
from fondaco.domain.evaluation.assessments import api, store
from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.ending import own_standing
from fondaco.domain.evaluation.assessments.lifecycle import why_no_payout
from fondaco.domain.evaluation.assessments.model import (
    ENDED,
    Assessment,
    AssessmentRefs,
    Look,
    assessment_id_of,
    assessment_stream,
    measured,
    standing_of,
)
from fondaco.domain.evaluation.assessments.rules import seen_as
from fondaco.domain.evaluation.model import MONEY_DECIMALS
from fondaco.domain.evaluation.rules import (
    NO_LIMIT,
    WARNS_AT_PPM,
    Condition,
    Standing,
    conditions,
    distances,
    mark,
)
from fondaco.domain.evaluation.wording import wording
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import DEMO, Caller, Scope
from fondaco.domain.payments.model import Product
from fondaco.domain.trading.model import account_stream
from fondaco.kernel.errors import NotFound, Refused
from fondaco.kernel.event import Command, Entry, Instant, fingerprint, request_id
from fondaco.kernel.money import format_scaled
from fondaco.kernel.operation import Stamp
from fondaco.runtime.proofs.proving import Proofs

# Entries are hashed, and views written, behind their commits: who asks at once waits so long.
HASHED_TRIES: Final = 100
VIEWS_TRIES: Final = 40
POLL_S: Final = 0.05

TITLES: Final = {"daily_loss": "Daily loss", "overall_loss": "Overall loss"}


class AssessmentsDesk:
    """`tiers` has what a tenant sells."""

    def __init__(
        self,
        kernel: Kernel,
        directory: Directory,
        reading: Callable[[], Any],
        tiers: TiersDesk,
        proofs: Proofs,
    ) -> None:
        self._kernel, self._directory, self._reading = kernel, directory, reading
        self._tiers, self._proofs = tiers, proofs

    # --- Whose it is ------------------------------------------------------------------------------

    def _caller(self, stamp: Stamp) -> Caller:
        return self._directory.still(stamp.tenant, stamp.caller)

    def _sees_all(self, caller: Caller) -> bool:
        """Who may give assessments away, or oversees the house, sees everybody's."""
        return caller.may(Scope.EVALUATION_WRITE) or caller.may(Scope.HOUSE_READ)

    async def state_of(self, assessment_id: str, stamp: Stamp) -> Assessment:
        """Raises `NotFound` for one that is not there, or that the caller may not see."""
        caller = await asyncio.to_thread(self._caller, stamp)
        stream = assessment_stream(assessment_id)
        await self._kernel.wake(stream)
        memory = self._kernel.peek(stream)
        state: Assessment | None = None if memory is None else memory.state
        if state is not None and state.assessment_id and state.tenant == stamp.tenant:
            is_own = state.user == caller.user and caller.may_use(state.account)
            if is_own or self._sees_all(caller):
                return state
        raise NotFound(f"there is no assessment {assessment_id}; GET /assessments lists yours")

    # --- Looks ------------------------------------------------------------------------------------

    async def listed(self, ask: api.AssessmentsRequest, stamp: Stamp) -> api.AssessmentsReply:
        caller = await asyncio.to_thread(self._caller, stamp)
        user = ask.user if self._sees_all(caller) else str(caller.user)

        def look() -> Any:
            with self._reading() as conn:
                return store.listed(conn, stamp.tenant, user, ask.state, ask.limit)

        return api.AssessmentsReply([_line(row) for row in await asyncio.to_thread(look)])

    async def payouts_asked(
        self, ask: api.PayoutsAskedRequest, stamp: Stamp
    ) -> api.PayoutsAskedReply:
        caller = await asyncio.to_thread(self._caller, stamp)
        user = None if self._sees_all(caller) else str(caller.user)

        def look() -> Any:
            with self._reading() as conn:
                return store.payouts_listed(conn, stamp.tenant, user, ask.state, ask.limit)

        return api.PayoutsAskedReply([_asked_payout(row) for row in await asyncio.to_thread(look)])

    async def violations(self, ask: api.ViolationsRequest, stamp: Stamp) -> api.ViolationsReply:
        caller = await asyncio.to_thread(self._caller, stamp)
        user = None if self._sees_all(caller) else str(caller.user)

        def look() -> Any:
            with self._reading() as conn:
                return store.violations_listed(
                    conn, stamp.tenant, user, ask.rule, ask.cursor, ask.limit + 1
                )

        found = await asyncio.to_thread(look)
        items = [_listed_violation(row) for row in found[: ask.limit]]
        return api.ViolationsReply(items, items[-1].position if len(found) > ask.limit else None)

    async def one(self, assessment_id: str, stamp: Stamp) -> api.AssessmentReply:
        state = await self.state_of(assessment_id, stamp)
        if state.account and not state.is_ended:
            await self._kernel.wake(account_stream(state.account))

        return self._shown(state, await self._violations_of(state), stamp.at)

    async def _violations_of(self, state: Assessment) -> Any:
        """As the views have them, which come a moment behind what the assessment knows."""

        def look() -> Any:
            with self._reading() as conn:
                return store.violations_of(conn, state.assessment_id)

        last = state.violation
        for _ in range(VIEWS_TRIES):
            rows = await asyncio.to_thread(look)
            if last is None or any((row.rule, row.at) == (last.rule, last.at) for row in rows):
                break
            await asyncio.sleep(POLL_S)
        return rows

    def look(self, state: Assessment, at: Instant) -> Look | None:
        """At the account of its stage, as it is now."""
        memory = self._kernel.peek(account_stream(state.account)) if state.account else None
        return None if memory is None else look_at(memory.state, self._kernel.refs, at)

    def _next_news(self, state: Assessment, at: Instant) -> api.NextNewsLine | None:
        memory = self._kernel.peek(account_stream(state.account)) if state.account else None
        if memory is None or state.is_ended:
            return None
        return next_news(memory.state, self._kernel.refs, at)

    def _shown(self, state: Assessment, violations: Any, at: Instant) -> api.AssessmentReply:
        tier = state.tier
        assert tier is not None  # noqa: S101  # it was created
        seen = self.look(state, at)
        standing = as_of(state, seen)
        code, why = why_no_payout(state, at, AssessmentRefs(0, seen))
        return api.AssessmentReply(
            assessment_id=state.assessment_id,
            user=state.user,
            tier=tier.name,
            version=tier.version,
            fingerprint=state.fingerprint,
            account_id=state.account,
            currency=tier.currency,
            size=_money(tier.account),
            state=state.state,
            frozen=state.frozen,
            stage=state.stage,
            stage_name=tier.stages[state.stage].name,
            stages=[each.name for each in tier.stages],
            created_at=str(state.created_at),
            began_at=str(standing.began_at if standing else 0),
            ended_at=str(state.ended_at),
            balance=_money(standing.balance if standing else tier.account),
            equity=_money(standing.equity if standing else tier.account),
            open_positions=standing.open_positions if standing else 0,
            day_from=_money(standing.day_from if standing else tier.account),
            time_zone=tier.time_zone,
            resets_at=str(standing.resets_at if standing else 0),
            trades=standing.trades if standing else 0,
            days_traded=standing.days_traded if standing else 0,
            headroom=headroom_lines(standing) if standing else [],
            next_news=self._next_news(state, at),
            conditions=[condition_line(each) for each in conditions(standing)] if standing else [],
            violations=[violation_line(row) for row in violations],
            payouts=[payout_line(each, tier.currency) for each in state.payouts],
            may_ask_payout=not code,
            why_no_payout=why,
            wording=[api.WordingPart(heading, each) for heading, each in wording(tier)],
        )

    async def equity(self, ask: api.EquityRequest, stamp: Stamp) -> api.EquityReply:
        await self.state_of(ask.assessment_id, stamp)

        def look() -> Any:
            with self._reading() as conn:
                return store.points_of(conn, ask.assessment_id, ask.limit)

        rows = await asyncio.to_thread(look)
        return api.EquityReply(
            [
                api.PointLine(
                    str(row.at), _money(row.equity), _money(row.balance), _limit(row.day_limit),
                    _limit(row.overall_limit), row.account_id,
                )
                for row in rows
                if not row.is_reset
            ],
            [api.ResetLine(str(row.at), _money(row.equity)) for row in rows if row.is_reset],
        )  # fmt: skip

    async def pack(self, assessment_id: str, stamp: Stamp) -> api.PackReply:
        state = await self.state_of(assessment_id, stamp)
        head = self._kernel.journal.head()
        for _ in range(HASHED_TRIES):  # somebody who has just failed asks at once
            if self._proofs.size >= head:
                break
            await asyncio.sleep(POLL_S)
        made = await asyncio.to_thread(pack, state, self._kernel.journal, self._proofs)
        name = f"{assessment_id}.zip"
        return api.PackReply(
            assessment_id, name, sha256(made).hexdigest(), b64encode(made).decode()
        )

    def risk_book(self, stamp: Stamp) -> api.RiskBookReply:
        return risk_book(self._kernel, stamp.tenant, stamp.at)

    def judge(self, tenant: str, user: str, product: Product) -> None:
        """Who may buy a reset, an extension or an upgrade, as far as the views know. Raises
        `NotFound` and `Refused`."""
        name = product.assessment_id
        with self._reading() as conn:
            row = store.row_of(conn, name)
        if row is None or (row.tenant, row.user) != (tenant, user):
            raise NotFound(f"there is no assessment {name[:40]!r} to {product.purpose}")
        is_over = row.state in ENDED
        fits = {
            "reset": row.state != "passed" and not row.is_funded,
            "extension": not is_over,
            "upgrade": not is_over and not row.is_funded,
        }
        if row.frozen or not fits[product.purpose]:
            why = f"frozen: {row.frozen}" if row.frozen else row.state
            raise Refused(f"{name} is {why}: it has no {product.purpose}", code="not_for_sale")
        # A reset at another tier's price would be one too cheap.
        if (product.code == row.tier) is (product.purpose == "upgrade"):
            wanted = "another tier" if product.purpose == "upgrade" else row.tier
            raise Refused(
                f"{name} is of {row.tier}: its {product.purpose} is bought as {wanted}, not as "
                f"{product.code}",
                code="other_tier",
            )
        if product.purpose == "extension" and not self._is_timed(tenant, row.fingerprint):
            raise Refused(f"{name} has no time limit to extend", code="no_time_limit")

    def _is_timed(self, tenant: str, fingerprint: str) -> bool:
        tier = self._tiers.shelf.by_fingerprint(tenant, fingerprint)
        return tier is None or any(each.time_limit_days for each in tier.stages)

    # --- What is done -----------------------------------------------------------------------------

    async def give(self, ask: api.GiveRequest, stamp: Stamp) -> api.GivenReply:
        shelf = self._tiers.shelf
        offered = shelf.offers(stamp.tenant).on_sale(ask.tier, stamp.at)
        if offered is None:
            raise NotFound(f"there is no tier {ask.tier}; GET /tiers lists those that are sold")
        tier = shelf.tier_of(offered)
        if tier.currency != self._kernel.refs.currency:
            raise Refused(
                f"{ask.tier} is in {tier.currency}, accounts here are in "
                f"{self._kernel.refs.currency}",
                code="other_currency",
            )
        users = await asyncio.to_thread(self._directory.users, stamp.tenant)
        if ask.user not in {each.user for each in users}:
            raise NotFound(f"there is no user {ask.user}; GET /users lists them")
        source = f"given:{stamp.tenant}/{ask.reference}"
        assessment_id = assessment_id_of(source)
        command = ev.CreateAssessment(
            request_id(f"!give/{assessment_id}", fingerprint(ask)), stamp.at, assessment_id,
            stamp.tenant, ask.user, source, offered.terms,
        )  # fmt: skip
        entries = await self._ask(assessment_id, command)
        for entry in entries:
            if isinstance(entry.event, ev.StageBegun):
                return api.GivenReply(assessment_id, entry.event.account, entry.position)
        raise Refused(
            f"{ask.reference} gave {assessment_id} away before, on other terms",
            code="reference_used",
        )

    async def abandon(self, ask: api.AbandonRequest, stamp: Stamp) -> api.AssessmentDone:
        await self.state_of(ask.assessment_id, stamp)
        command = ev.AbandonAssessment(
            _own_id(stamp, ask), stamp.at, stamp.caller.partition("/")[0], ask.reason
        )
        return await self._done(ask.assessment_id, command)

    async def ask_payout(self, ask: api.AssessmentRequest, stamp: Stamp) -> api.AssessmentDone:
        state = await self.state_of(ask.assessment_id, stamp)
        await self._kernel.wake(account_stream(state.account))
        command = ev.AskPayout(_own_id(stamp, ask), stamp.at, stamp.caller.partition("/")[0])
        return await self._done(ask.assessment_id, command)

    async def decide_payout(self, ask: api.DecideRequest, stamp: Stamp) -> api.AssessmentDone:
        """Raises `Refused` for who has asked for it, or is to be paid."""
        state = await self.state_of(ask.assessment_id, stamp)
        by = stamp.caller.partition("/")[0]
        asked = [each.asked_by for each in state.payouts if each.number == ask.number]
        if by in (state.user, *asked) and not self._is_alone(stamp.tenant):
            raise Refused("somebody else must decide on one's own payout", code="own_payout")
        await self._kernel.wake(account_stream(state.account))
        command = ev.DecidePayout(
            _own_id(stamp, ask), stamp.at, ask.number, ask.agrees, by, ask.reason
        )
        return await self._done(ask.assessment_id, command)

    def _is_alone(self, tenant: str) -> bool:
        """A house for trying out has one person, who does both halves."""
        settings = self._kernel.settings
        return settings.demo and tenant == DEMO and settings.four_eyes != "strict"

    async def _done(self, assessment_id: str, command: Command) -> api.AssessmentDone:
        entries = await self._ask(assessment_id, command)
        return api.AssessmentDone(assessment_id, entries[-1].position)

    async def _ask(self, assessment_id: str, command: Command) -> tuple[Entry, ...]:
        entries = await self._kernel.submit(assessment_stream(assessment_id), command)
        for entry in entries:
            if isinstance(entry.event, ev.AssessmentDenied):
                raise Refused(entry.event.text, code=entry.event.code, position=entry.position)
        return entries


def _own_id(stamp: Stamp, ask: Any) -> Any:
    key = stamp.idempotency_key or stamp.request_id
    return request_id(f"!assessments/{stamp.tenant}/{stamp.caller}/{key}", fingerprint(ask))


def as_of(state: Assessment, seen: Look | None) -> Standing | None:
    """How it stands, marked at what is seen now where rules hold; else as it was last."""
    standing = own_standing(state)
    if standing is None:
        if state.numbers is None or state.tier is None:
            return None
        return standing_of(state.tier, state.stage, state.numbers)
    if seen is not None:
        mark(standing, seen_as(seen))
    return standing


def _money(units: int) -> str:
    return format_scaled(units, MONEY_DECIMALS)


def _limit(units: int) -> str | None:
    return None if units == NO_LIMIT else _money(units)


def _line(row: Any) -> api.AssessmentLine:
    return api.AssessmentLine(
        assessment_id=row.assessment_id,
        user=row.user,
        tier=row.tier,
        version=row.tier_version,
        fingerprint=row.fingerprint,
        account_id=row.account_id,
        state=row.state,
        stage=row.stage,
        stage_name=row.stage_name,
        size=_money(row.size),
        created_at=str(row.created_at),
        began_at=str(row.began_at),
        ended_at=str(row.ended_at),
        reason=row.reason,
        frozen=row.frozen,
    )


def headroom_lines(standing: Standing) -> list[api.HeadroomLine]:
    found = []
    for each in distances(standing):
        base = standing.day_from if each.rule == "daily_loss" else standing.peak
        is_broken = each.headroom < 0 or (each.headroom == 0 and standing.tier.broken_at == "touch")
        is_warned = each.used_ppm >= WARNS_AT_PPM
        found.append(
            api.HeadroomLine(
                rule=each.rule,
                title=TITLES.get(each.rule, each.rule),
                level=_money(each.limit),
                base=_money(base),
                limit=_money(each.limit),
                headroom=_money(each.headroom),
                used_ppm=each.used_ppm,
                used=format_scaled(each.used_ppm, 6),
                state="broken" if is_broken else "warned" if is_warned else "well",
            )
        )
    return found


def condition_line(each: Condition) -> api.ConditionLine:
    """Amounts for the target, parts of one for consistency, counts for the others."""
    if each.name == "target":
        return api.ConditionLine(each.name, _money(each.needed), _money(each.reached), each.is_met)
    if each.name == "consistency":
        needed, reached = format_scaled(each.needed, 6), format_scaled(each.reached, 6)
        return api.ConditionLine(each.name, needed, reached, each.is_met)
    return api.ConditionLine(each.name, str(each.needed), str(each.reached), each.is_met)


def violation_line(row: Any) -> api.ViolationLine:
    return api.ViolationLine(
        rule=row.rule,
        at=str(row.at),
        value=measured(row.rule, row.value),
        limit=measured(row.rule, row.limit),
        balance=_money(row.balance),
        equity=_money(row.equity),
        day=str(row.day),
        day_from=_money(row.day_from),
        account_id=row.account_id,
        stage=row.stage,
        position=row.position,
    )


def _listed_violation(row: Any) -> api.ViolationsLine:
    whose = {name: getattr(row, name) for name in ("assessment_id", "user", "tier", "version")}
    return api.ViolationsLine(**whose, **msgspec.structs.asdict(violation_line(row)))


def _asked_payout(row: Any) -> api.AskedPayoutLine:
    whose = {name: getattr(row, name) for name in ("assessment_id", "user", "tier", "account_id")}
    return api.AskedPayoutLine(**whose, **msgspec.structs.asdict(payout_line(row, row.currency)))


def payout_line(row: Any, currency: str) -> api.AssessmentPayoutLine:
    return api.AssessmentPayoutLine(
        number=row.number,
        state=row.state,
        profit=_money(row.profit),
        amount=_money(row.amount),
        currency=currency,
        asked_by=row.asked_by,
        asked_at=str(row.asked_at),
        decided_by=row.decided_by,
        reason=row.reason,
    )
