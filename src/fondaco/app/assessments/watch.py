"""The rules of every assessment at the speed of ticks. An observation: the assessment decides.

Equity of all accounts is marked by a kernel at every tick; whoever may have left the corridor in
which the rules have nothing to say is looked at exactly, and `evaluation.rules` is asked, on a copy
of how the assessment stands. Only what that finds is said to the assessment, with what was seen.

A day begins in the tier's time zone whether or not the market moves. What its loss is counted from
is what was known before: the account at the marks before the first one of the new day.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Final

import msgspec

from fondaco.app.assessments.looking import look_at
from fondaco.app.assessments.news import NewsWatch
from fondaco.domain.evaluation import rules as law
from fondaco.domain.evaluation.assessments.corridor import corridor
from fondaco.domain.evaluation.assessments.ending import own_standing
from fondaco.domain.evaluation.assessments.events import CheckClosing, MarkAssessment
from fondaco.domain.evaluation.assessments.model import PREFIX, Assessment, Look
from fondaco.domain.evaluation.assessments.rules import seen_as
from fondaco.domain.evaluation.rules import Standing
from fondaco.domain.market.model import Mark
from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.corridors import CorridorWatch
from fondaco.domain.trading.events import CheckCover, PositionBared
from fondaco.domain.trading.margin_watch import STILL
from fondaco.domain.trading.model import (
    AccountId,
    AccountState,
    Rate,
    TradingRefs,
    account_of,
    account_stream,
)
from fondaco.domain.trading.rules.cover import bare
from fondaco.kernel.event import Command, CommandId, Entry, Instant, StreamId
from fondaco.runtime.deadlines import NEVER, Deadlines
from fondaco.runtime.loading import Memory

LOOKS_MAX: Final = 128  # at a time: a crash of the market must leave the loop to others too
PEAK_STEPS: Final = 200  # of what may be lost: a peak that rose by one is written down
SAMPLE_NS: Final = 900_000_000_000  # equity of who has positions is written down so often
SAMPLED: Final = 16  # accounts looked at for that, each time
CLOSE_AGAIN_NS: Final = 200_000_000  # doubled each time, to a minute
CLOSE_AGAIN_MAX: Final = 9
SLIPPED_BPS: Final = 1_000  # a market order goes no further than its protection, half of this
BPS: Final = 10_000

Submit = Callable[[StreamId, Command], None]


class _Watched:
    """`live` is how it stands with every tick that mattered; `high` is where its peak was seen,
    where that is not written down."""

    __slots__ = ("account", "before", "high", "kept_peak", "live", "sampled_at", "stream")

    def __init__(self, stream: StreamId, account: StreamId, live: Standing) -> None:
        self.stream, self.account, self.live = stream, account, live
        self.kept_peak = live.peak
        self.high: Look | None = None
        self.before: Look | None = None  # at the end of a day that the assessment must still hear
        self.sampled_at = Instant(0)


class AssessmentWatch:
    """Belongs to the loop's thread. `ask` brings a command to a stream, again until it arrives."""

    def __init__(
        self,
        refs: TradingRefs,
        peek: Callable[[StreamId], Memory[Any] | None],
        ask: Submit,
        now: Callable[[], Instant],
    ) -> None:
        self._refs, self._peek, self._ask, self._now = refs, peek, ask, now
        self._corridors = CorridorWatch(refs, self._account)
        self._watched: dict[StreamId, _Watched] = {}  # by account
        self._accounts: dict[StreamId, StreamId] = {}  # by assessment
        self._near: dict[StreamId, None] = {}  # accounts that may be outside
        self._resets = Deadlines()
        self._waiting: dict[StreamId, None] = {}  # accounts whose day must still begin
        self._seen: dict[Symbol, Mark] = {}
        self._bared: dict[tuple[StreamId, Symbol], tuple[int, Instant]] = {}  # asked so often
        self._closing: dict[StreamId, tuple[StreamId, int, Instant]] = {}  # by account
        self._closings = Deadlines()  # of theirs; those that were put off come too early
        self._news = NewsWatch(refs, self._account, ask, lambda each: self.missing(each))
        self._next_sampled = 0
        self._going_on, self._left = False, 0  # and at how many
        self.samples = True  # equity is written down as time goes by, though nothing has moved
        self.missing: Callable[[StreamId], None] = lambda _: None  # loads who is not in memory
        self.is_telling: Callable[[], bool] = lambda: False  # what was said waits to be heard

    def __len__(self) -> int:
        return len(self._watched)

    @property
    def is_behind(self) -> bool:
        """Whether there are more to look at than were looked at at once."""
        return self._going_on

    def _account(self, stream: StreamId) -> AccountState | None:
        memory = self._peek(stream)
        return None if memory is None else memory.state

    def _version(self, stream: StreamId) -> int:
        memory = self._peek(stream)
        return 0 if memory is None else memory.version

    def watched(self) -> list[tuple[StreamId, StreamId, Standing]]:
        """Assessment, account, and how it stands."""
        return [(each.stream, each.account, each.live) for each in self._watched.values()]

    # --- What was written -------------------------------------------------------------------------

    def note(self, entries: Sequence[Entry]) -> None:
        """Assessments, and accounts of theirs, among what was written."""
        moved: dict[StreamId, None] = {}
        for entry in entries:
            stream = entry.stream
            if stream.startswith(PREFIX):
                moved[stream] = None
            elif type(entry.event) is PositionBared:
                self._note_bared(stream, entry.event)
            elif (
                stream in self._watched
                and type(entry.event) not in STILL
                and self._corridors.moved(stream)
            ):
                self._near[stream] = None
        for stream in moved:
            memory = self._peek(stream)
            if memory is not None:
                self.load(stream, memory.state)

    def load(self, stream: StreamId, state: Assessment) -> None:
        """Watch it as it is now."""
        for name, asked in state.closing.items():
            account = account_stream(AccountId(name))
            known = self._closing.get(account)
            if known is None or known[1] != asked:
                wait = CLOSE_AGAIN_NS << min(asked - 1, CLOSE_AGAIN_MAX)
                self._put_off(account, stream, asked, Instant(self._now() + wait))
        if state.account not in state.closing and self._closing:
            self._closing.pop(account_stream(state.account), None)
        standing = own_standing(state)
        before = self._accounts.get(stream)
        account = account_stream(state.account)
        if before is not None and (standing is None or before != account):
            self._forget(before)
            del self._accounts[stream]
        if standing is None:
            return
        known_ = self._watched.get(account)
        watched = _Watched(stream, account, standing)
        if known_ is not None:
            watched.sampled_at, watched.before = known_.sampled_at, known_.before
            if known_.high is not None and known_.live.peak > standing.peak:
                watched.high = known_.high
                law.mark(standing, seen_as(known_.high))
        self._watched[account] = watched
        self._accounts[stream] = account
        self._resets.add(standing.resets_at, account)
        self._draw(watched)
        if known_ is None:
            self._still_bared(account)
        self._news.watch(account)

    def _forget(self, account: StreamId) -> None:
        self._corridors.forget(account)
        self._news.forget(account)
        self._watched.pop(account, None)
        self._near.pop(account, None)
        self._waiting.pop(account, None)

    def _draw(self, watched: _Watched) -> None:
        low, high = corridor(watched.live)
        if self._corridors.watch(watched.account, low, high):
            self._near[watched.account] = None

    def retune(self) -> None:
        """Instruments, or the calendar, have changed."""
        self._news.again()
        self._near.update(dict.fromkeys(self._corridors.retune()))

    # --- What the market does ---------------------------------------------------------------------

    def see(self, mark: Mark) -> None:
        """The instrument has another mark, and the rates have followed it."""
        before = self._seen.get(mark.symbol)
        self._seen[mark.symbol] = mark
        if not self._watched:
            return
        due = self._resets.pop_due(mark.at)
        if due:
            self._end_day(due, self._refs if before is None else _with(self._refs, before))
        self._near.update(dict.fromkeys(self._corridors.see(mark)))
        if len(self._near) > LOOKS_MAX:
            self._worst_first()
        if self._near:
            self._look_at_some(mark.at)

    def look(self, now: Instant) -> None:
        """Time has passed: days that begin, accounts that are closed, equity that is kept."""
        due = self._resets.pop_due(now)
        if due:
            self._end_day(due, self._refs)
        for account in list(self._waiting)[:LOOKS_MAX]:
            self._begin_day(self._watched[account], now)
        if self._near:
            self._look_at_some(now)
        if self._closings.nearest <= now:
            self._close(now)
        if self._bared:
            self._cover(now)
        self._news.look(now)
        if self.samples:
            self._sample(now)

    @property
    def nearest(self) -> Instant:
        """When time alone has something to do with it: a day begins, an account is looked at."""
        if self._waiting:
            return Instant(0)
        bared = min((due for _, due in self._bared.values()), default=NEVER)
        return min(self._resets.nearest, self._closings.nearest, bared, self._news.nearest)

    def upcoming(self, limit: int) -> list[tuple[Instant, StreamId]]:
        """Days that begin next, each with its assessment."""
        found = self._resets.upcoming(limit)
        return [(at, self._watched[each].stream) for at, each in found if each in self._watched]

    def _end_day(self, accounts: Sequence[StreamId], refs: TradingRefs) -> None:
        """What is known before a day begins is looked at for everybody at once; that it begins is
        said to a few at a time."""
        for account in accounts:
            watched = self._watched.get(account)
            if watched is None or watched.before is not None:
                continue
            state = self._account(account)
            at = Instant(watched.live.resets_at - 1)
            look = None if state is None else look_at(state, refs, at, self._version(account))
            if look is None:  # as it was last known
                live = watched.live
                look = Look(at, live.balance, live.equity, live.open_positions)
            watched.before = look
            self._waiting[account] = None

    def _begin_day(self, watched: _Watched, now: Instant) -> None:
        self._waiting.pop(watched.account, None)
        looks = [each for each in (watched.high, watched.before) if each is not None]
        last = looks[-1]
        now_seen = self._seen_now(watched.account, now)
        looks.append(now_seen or msgspec.structs.replace(last, at=now))
        live = _copy(watched.live)
        for each in looks:
            law.mark(live, seen_as(each))
        watched.live, watched.before = live, None
        self._say(watched, tuple(looks))
        if live.verdict == "active":
            self._draw(watched)

    def _seen_now(self, account: StreamId, at: Instant) -> Look | None:
        memory = self._peek(account)
        if memory is None:
            self.missing(account)
            return None
        look = look_at(memory.state, self._refs, at, memory.version)
        return None if look is None or look.bad else look

    def _look_at_some(self, at: Instant, count: int | None = None) -> None:
        """At the first `count` that may be outside; at all of them, where nothing is said."""
        left = len(self._near) if count is None else min(count, len(self._near))
        for account in list(islice(self._near, min(left, LOOKS_MAX))):
            watched = self._watched.get(account)
            if watched is not None:
                self._look(watched, at)
            self._near.pop(account, None)
            # Whoever has failed is not looked at again: their stream has been told. Who stays comes
            # behind those who were not looked at.
            if (
                watched is not None
                and watched.live.verdict == "active"
                and self._corridors.is_out(account)
            ):
                self._near[account] = None
        if left > LOOKS_MAX:
            self._go_on(at, left - LOOKS_MAX)

    def _worst_first(self) -> None:
        """Who has lost most, for the size of it: somebody must wait, and should be who can."""
        self._near = dict.fromkeys(sorted(self._near, key=self._corridors.room))

    def _go_on(self, at: Instant, left: int) -> None:
        """The others in a moment: whoever else waits for the loop comes first."""
        self._left = max(self._left, left)
        if self._going_on:
            return
        self._going_on = True

        def again() -> None:
            self._going_on, left, self._left = False, self._left, 0
            self._look_at_some(at, left)

        asyncio.get_running_loop().call_soon(again)

    def _look(self, watched: _Watched, at: Instant) -> None:
        """Ask the rules, on a copy. What they find is said to the assessment."""
        if watched.before is not None:
            self._begin_day(watched, at)
            return
        if watched.live.verdict != "active":
            return
        look = self._seen_now(watched.account, at)
        if look is None:
            return
        trial = _copy(watched.live)
        found = law.mark(trial, seen_as(look))
        rose = trial.peak > watched.live.peak
        watched.live = trial
        if found:
            looks = (look,) if watched.high is None else (watched.high, look)
            self._say(watched, looks)
        elif rose:
            watched.high = look
            if trial.peak - watched.kept_peak >= _step(trial):
                self._say(watched, (look,))
        if (found or rose) and trial.verdict == "active":
            self._draw(watched)

    def _say(self, watched: _Watched, looks: tuple[Look, ...]) -> None:
        now, account = self._now(), account_of(watched.account)
        watched.sampled_at = looks[-1].at
        command = MarkAssessment(CommandId(f"mark/{now}"), now, account, looks)
        self._ask(watched.stream, command)

    # --- What time does ---------------------------------------------------------------------------

    def _put_off(self, account: StreamId, stream: StreamId, asked: int, due: Instant) -> None:
        self._closing[account] = (stream, asked, due)
        self._closings.add(due, account)

    def _close(self, now: Instant) -> None:
        """Accounts whose stage has ended, until nothing is open on them. Mostly the assessment
        hears of the last trade; whoever had none, or is not filled, is asked for here."""
        if self.is_telling():  # who has not heard of it yet, need not be asked again
            return
        for account in self._closings.pop_due(now, LOOKS_MAX):
            stream, asked, at = self._closing.get(account, (StreamId(""), 0, NEVER))
            if at > now:
                continue
            memory, name = self._peek(stream), account_of(account)
            if memory is not None and name not in memory.state.closing:
                del self._closing[account]
                continue
            state = self._account(account)
            if state is None or memory is None:
                self.missing(account if state is None else stream)
                self._put_off(account, stream, asked, Instant(now + 1))
                continue
            count = sum(bool(each.lots) for each in state.positions.values())
            wait = CLOSE_AGAIN_NS << min(asked, CLOSE_AGAIN_MAX)
            self._put_off(account, stream, asked, Instant(now + wait))
            command = CheckClosing(
                CommandId(f"closing/{now}"), now, name, count, len(state.working)
            )
            self._ask(stream, command)

    def _note_bared(self, account: StreamId, event: PositionBared) -> None:
        """The account has tried to close it: look again in a while, and later each time."""
        asked = self._bared.get((account, event.symbol), (-1, Instant(0)))[0] + 1
        wait = CLOSE_AGAIN_NS << min(asked, CLOSE_AGAIN_MAX)
        self._bared[account, event.symbol] = asked, Instant(self._now() + wait)

    def _still_bared(self, account: StreamId) -> None:
        """Of a house that starts: positions beyond what the market may do to an order that was in
        order, and nobody has closed them."""
        state = self._account(account)
        if state is None or state.trade_rules is None:
            return
        for symbol in state.positions:
            found = bare(state, symbol, self._refs)
            if found is not None and found.risk * BPS > found.risk_max * (BPS + SLIPPED_BPS):
                self._bared.setdefault((account, symbol), (0, self._now()))

    def _cover(self, now: Instant) -> None:
        """Positions that had nobody to be closed with, until they are closed."""
        for (account, symbol), (asked, due) in list(self._bared.items()):
            state = self._account(account)
            if due > now:
                continue
            if state is None:
                self.missing(account)
            elif not (position := state.positions.get(symbol)) or not position.lots:
                del self._bared[account, symbol]
            else:
                again = Instant(now + (CLOSE_AGAIN_NS << min(asked, CLOSE_AGAIN_MAX)))
                self._bared[account, symbol] = asked, again
                if bare(state, symbol, self._refs) is not None:
                    command = CheckCover(CommandId(f"cover/{now}"), now, symbol)
                    self._ask(account, command)

    def _sample(self, now: Instant) -> None:
        accounts = list(self._watched) if self._watched else []
        for _ in range(min(SAMPLED, len(accounts))):
            self._next_sampled = (self._next_sampled + 1) % len(accounts)
            watched = self._watched[accounts[self._next_sampled]]
            if self._corridors.moved(watched.account):
                self._near[watched.account] = None
            if not watched.sampled_at:
                watched.sampled_at = now
            if now - watched.sampled_at < SAMPLE_NS or watched.before is not None:
                continue
            look = self._seen_now(watched.account, now)
            watched.sampled_at = now
            if look is not None and look.open_positions:
                looks = (look,) if watched.high is None else (watched.high, look)
                self._say(watched, looks)


def _copy(standing: Standing) -> Standing:
    return msgspec.structs.replace(standing, warned=list(standing.warned))


def _step(standing: Standing) -> int:
    overall = standing.terms.overall_loss
    return overall.amount // PEAK_STEPS if overall is not None else 0


def _with(refs: TradingRefs, before: Mark) -> TradingRefs:
    """The refs as they were, but for one mark, and the rates that were made of it."""
    rates = dict(refs.rates)
    for asset, rate in refs.rates.items():
        mark = rate.mark
        if mark is not None and mark.symbol == before.symbol and mark.px:
            rates[asset] = Rate(rate.num * before.px, rate.den * mark.px, before)
    marks = {**refs.marks, before.symbol: before}
    return msgspec.structs.replace(refs, marks=marks, rates=rates)
