"""Accounts on margin as a house looks after them: asked when their equity may not cover what it
must, and charged for each night, whether or not anybody asks something of them."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from fondaco.domain.market.model import Mark
from fondaco.domain.trading.events import RollSession
from fondaco.domain.trading.margin_watch import MarginWatch
from fondaco.domain.trading.model import TradingRefs
from fondaco.domain.trading.rules.risk import valued
from fondaco.kernel.errors import Unavailable
from fondaco.kernel.event import Command, CommandId, Instant, StreamId
from fondaco.runtime.committer import Answer


class Margined:
    """Belongs to the loop's thread. `peek` gives the state of an account that is in memory, `ask`
    asks again until it is done."""

    def __init__(
        self,
        refs: TradingRefs,
        peek: Callable[[StreamId], Any],
        submit: Callable[[StreamId, Command], Answer],
        ask: Callable[[StreamId, Command], None],
    ) -> None:
        self.watch = MarginWatch(refs, peek)
        self.rolls = False  # whether somebody may not have begun the session day that it is
        self._refs, self._peek, self._submit, self._ask = refs, peek, submit, ask

    def load(self, stream: StreamId) -> None:
        """Watch an account that is in memory."""
        state = self._peek(stream)
        if state is not None:
            self.watch.load(stream, state)

    def see(self, mark: Mark, now: Callable[[], Instant]) -> None:
        if self.watch and self.watch.see(mark):
            self._check(now(), mark)

    def look(self, now: Instant) -> None:
        """What may have been missed, and who is to be looked at by now."""
        if self.watch:
            self.watch.compare()
            self._check(now, None)

    def _check(self, now: Instant, mark: Mark | None) -> None:
        """Ask those whose equity may not cover what it must. One that cannot answer is asked again:
        it stays among those to look at."""
        for stream, command in self.watch.due(now, mark):
            with suppress(Unavailable):
                self._submit(stream, command)

    def roll(self, now: Instant) -> None:
        """A session day has begun, perhaps while nobody was here: positions that were kept over
        night are charged for it, whether or not anybody asks something of their accounts. What has
        no price yet waits for it, and is looked at again."""
        self.rolls = False
        for stream in self.watch.streams() if self._refs.swaps else ():
            state = self._peek(stream)
            # None: lost to a commit that failed.
            if state and (not state.positions or state.session_day >= self._refs.session_day):
                continue
            self.rolls = True
            if state is None or valued(state, self._refs) is not None:
                self._ask(stream, RollSession(CommandId(f"roll/{now}"), now))
