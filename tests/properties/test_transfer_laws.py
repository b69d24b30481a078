"""The laws of money between accounts: whatever is lost, repeated or refused on its way, it is in
one account, in the other, or between them; and never twice."""

from collections.abc import Sequence
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

import build as b
from build import BTC, USD
from fondaco.domain.ledger.model import IN_TRANSIT, VIRTUAL, LedgerAccount, add_up, trial_balance
from fondaco.domain.reference.events import InstrumentListed
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.events import TradingCommand
from fondaco.domain.trading.model import AccountId, AccountState, account_stream
from fondaco.domain.trading.policies import policies
from fondaco.domain.trading.postings import Postings
from fondaco.domain.trading.rules import decide, decider, initial
from fondaco.kernel.event import CommandId, Entry, Instant, StreamId
from fondaco.runtime.loading import Cause, Memory

OURS: Final = [account_stream(AccountId(name)) for name in ("a", "b")]
THEIRS: Final = account_stream(AccountId("c"))
NOBODY: Final = account_stream(AccountId("d"))
REFS: Final = b.refs()
laws = settings(max_examples=120, deadline=None)

amounts = st.sampled_from(["0.5", "3", "7", "1000", "0", "-1"])
assets = st.sampled_from([USD, BTC])
streams = st.sampled_from([*OURS, THEIRS, NOBODY])
steps = st.one_of(
    st.tuples(st.just("send"), streams, streams, assets, amounts),
    st.tuples(st.just("send"), streams, streams, assets, amounts),
    st.tuples(st.just("reset"), streams, assets, amounts),
    st.tuples(st.just("tell"), st.integers(0, 5)),
    st.tuples(st.just("tell again"), st.integers(0, 5)),
)


class Town:
    """Accounts, and what they have to tell each other, in the order of each pair."""

    def __init__(self) -> None:
        self.memories: dict[StreamId, Memory[AccountState]] = {}
        self.entries: list[Entry] = []
        self.waiting: list[tuple[StreamId, Any]] = []
        self.told: list[tuple[StreamId, Any]] = []
        for stream, tenant in [*((each, "us") for each in OURS), (THEIRS, "them")]:
            opened = ev.OpenAccount(
                CommandId("open#f"), Instant(1), tenant, virtual=stream == THEIRS
            )
            for command in (opened, b.deposit("10"), b.deposit("10", BTC)):
                self.ask(stream, command)

    def memory(self, stream: StreamId) -> Memory[AccountState]:
        return self.memories.setdefault(stream, Memory(initial(stream)))

    def ask(self, stream: StreamId, command: TradingCommand) -> None:
        """As an actor does: what was heard before has no effect."""
        memory, cause = self.memory(stream), Cause(command.command_id)
        if cause.told and cause.told <= memory.heard.get(cause.own, 0):
            return
        events = decide(memory.state, command, REFS)
        before = memory.version
        memory.live_through(decider, cause, events)
        for nth, event in enumerate(events, before + 1):
            entry = Entry(
                stream, nth, len(self.entries) + 1, command.command_id, Instant(1), 7, event
            )
            self.entries.append(entry)
            for policy in policies.get(type(event), ()):
                self.waiting += policy(entry, Instant(1))

    def tell(self, nth: int) -> None:
        """One of the messages that are first between their pair."""
        first: dict[tuple[str, StreamId], int] = {}
        for place, (target, command) in enumerate(self.waiting):
            first.setdefault((Cause(command.command_id).own, target), place)
        if first:
            places = sorted(first.values())
            message = self.waiting.pop(places[nth % len(places)])
            self.told.append(message)
            self.ask(*message)

    def act(self, step: Sequence[object]) -> None:
        match step:
            case ("send", stream, to, asset, amount):
                self.ask(stream, ev.SendTransfer(CommandId("s"), Instant(1), to, asset, amount))  # type: ignore[arg-type]
            case ("reset", stream, asset, amount):
                given_ = ((asset, amount),)
                self.ask(stream, ev.ResetAccount(CommandId("r"), Instant(1), given_))  # type: ignore[arg-type]
            case ("tell", nth):
                self.tell(int(str(nth)))
            case ("tell again", nth) if self.told:
                self.ask(*self.told[int(str(nth)) % len(self.told)])

    def total(self) -> dict[str, int]:
        """In accounts and between them, less what virtual ones were given."""
        found: dict[str, int] = {USD: 0, BTC: 0}
        for memory in self.memories.values():
            for asset, units in memory.state.balances.items():
                found[asset] += units
        for entry in self.entries:
            if isinstance(entry.event, ev.AccountReset):
                for each in entry.event.balances:
                    found[each.asset] -= each.after - each.before
        for name, units in self.between().items():
            found[name] += units
        return found

    def between(self) -> dict[str, int]:
        """What was sent and has neither arrived nor come back."""
        found: dict[str, int] = {}
        for entry in self.entries:
            event = entry.event
            if isinstance(event, ev.TransferSent):
                found[event.asset] = found.get(event.asset, 0) + event.units
            elif isinstance(event, ev.TransferReceived | ev.TransferVoided):
                found[event.asset] = found.get(event.asset, 0) - event.units
        return {asset: units for asset, units in found.items() if units}


@laws
@given(st.lists(steps, max_size=40))
def test_money_is_in_one_place_whatever_is_lost_or_repeated(steps: list[Sequence[object]]) -> None:
    town = Town()
    total = town.total()
    for step in steps:
        town.act(step)
        assert town.total() == total
        assert all(min(memory.state.balances.values(), default=0) >= 0
                   for memory in town.memories.values())  # fmt: skip
    while town.waiting:
        town.tell(0)
    assert town.between() == {}
    assert not any(memory.state.sent for memory in town.memories.values())
    crossed = {
        entry.event.source for entry in town.entries
        if entry.stream in (THEIRS, NOBODY) and isinstance(entry.event, ev.TransferReceived)
    }  # fmt: skip
    assert crossed <= {THEIRS}, "nothing goes to another tenant's account, or to none"


@laws
@given(st.lists(steps, max_size=40))
def test_the_ledger_posts_it_all_and_transit_is_empty_at_rest(
    steps: list[Sequence[object]],
) -> None:
    town = Town()
    for step in steps:
        town.act(step)
    while town.waiting:
        town.tell(0)
    posters = Postings(listed()).posters()
    every = [
        posting
        for entry in town.entries
        if type(entry.event) in posters
        for posting in posters[type(entry.event)](entry)
    ]
    assert all(posting.units > 0 for posting in every)
    kept = add_up(every)
    assert set(trial_balance(kept).values()) <= {0}
    assert not any(units for (name, _), units in kept.items() if name == IN_TRANSIT)
    for stream, memory in town.memories.items():
        for asset, units in memory.state.balances.items():
            assert kept.get((LedgerAccount(stream), asset), 0) == units
    resets = any(isinstance(entry.event, ev.AccountReset) for entry in town.entries)
    assert resets or not any(name == VIRTUAL for name, _ in kept)


def listed() -> list[Entry]:
    terms = b.btc_usd()
    event = InstrumentListed(terms, b.ASSETS[terms.base], b.ASSETS[terms.quote], "")
    return [Entry(StreamId("reference/house"), 1, 1, CommandId("x"), Instant(1), 1, event)]


def test_only_what_is_free_leaves_and_only_a_virtual_account_at_rest_is_reset() -> None:
    town = Town()
    stream, to = OURS
    town.ask(stream, b.buy("o1", "0.05", "100.00"))
    town.act(("send", stream, to, USD, "6"))
    refused = town.entries[-1].event
    assert isinstance(refused, ev.TransferRefused)
    assert refused.limit == "5"
    town.act(("send", stream, to, USD, "5"))
    assert isinstance(town.entries[-1].event, ev.TransferSent)
    town.act(("reset", stream, USD, "3"))
    refused = town.entries[-1].event
    assert isinstance(refused, ev.TransferRefused)
    assert "virtual" in refused.text
    town.ask(THEIRS, b.buy("o1", "0.05", "100.00"))
    town.act(("reset", THEIRS, USD, "3"))
    assert "cancel" in town.entries[-1].event.text  # type: ignore[attr-defined]
    town.ask(THEIRS, b.ended(1))
    town.act(("reset", THEIRS, USD, "3"))
    last: object = town.entries[-1].event
    assert last == ev.AccountReset(
        (ev.ResetBalance(USD, 10 * 10**8, 3 * 10**8), ev.ResetBalance(BTC, 10 * 10**9, 0)),
        3 * 10**8,
    )
    assert town.memory(THEIRS).state.session_equity == 3 * 10**8
