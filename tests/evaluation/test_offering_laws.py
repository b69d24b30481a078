"""Laws of a tenant's tiers: what is on sale at an instant is one version, and stays so."""

from hashlib import sha256
from itertools import pairwise
from typing import Any, Final, NamedTuple

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.domain.evaluation.model import Tier, fingerprint
from fondaco.domain.evaluation.offering.events import (
    AttachSimulation,
    OfferTier,
    PublishTier,
    RetireTier,
    TierCommand,
    TierDefined,
    TierEvent,
    TierPublished,
    TierRefused,
    TierRetired,
)
from fondaco.domain.evaluation.offering.model import NEVER, Offers, stream_of
from fondaco.domain.evaluation.offering.rules import decide, evolve, initial
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.evaluation.shelf import Shelf
from fondaco.kernel.event import CommandId, Instant

A_TIER: Final = tier_of(text_of("two-step-100k"))
STEP: Final = 10  # between two commands
NAMES: Final = ("one", "two")


class NoRefs(NamedTuple):
    version: int = 0


def tier(name: str, version: int, fee: int = 0) -> Tier:
    return msgspec.structs.replace(A_TIER, name=name, version=version, fee=fee)


def offer(
    at: int,
    made: Tier,
    opens_at: int = 0,
    closes_at: int = NEVER,
    contradictions: tuple[str, ...] = (),
) -> OfferTier:
    terms = msgspec.json.encode(made).decode()
    return OfferTier(
        CommandId("o"), Instant(at), made.name, made.version, "text", terms, Instant(opens_at),
        Instant(closes_at), contradictions, "ada",
    )  # fmt: skip


def attach(at: int, made: Tier) -> AttachSimulation:
    return AttachSimulation(
        CommandId("s"), Instant(at), made.name, made.version, fingerprint(made), "[]", ("{}",),
        1, 10, 60, 180, 100, "0", "ada",
    )  # fmt: skip


def publish(at: int, name: str, version: int, effective_at: int = 0) -> PublishTier:
    return PublishTier(CommandId("p"), Instant(at), name, version, Instant(effective_at), "", "bob")


def retire(at: int, name: str, version: int, ends_at: int = 0) -> RetireTier:
    return RetireTier(CommandId("r"), Instant(at), name, version, Instant(ends_at), "", "bob")


def live(commands: list[TierCommand]) -> tuple[Offers, list[TierEvent]]:
    state, told = initial(stream_of("demo")), []
    for each in commands:
        for event in decide(state, each, NoRefs()):
            state = evolve(state, event)
            told.append(event)
    return state, told


@st.composite
def lives(draw: st.DrawFn) -> list[TierCommand]:
    """Commands in the order of their time; most of them make sense."""
    commands: list[TierCommand] = []
    for nth in range(draw(st.integers(1, 25))):
        at = (nth + 1) * STEP
        name, version = draw(st.sampled_from(NAMES)), draw(st.integers(1, 3))
        when = draw(st.one_of(st.just(0), st.integers(at - 15, at + 80)))
        made = tier(name, version, fee=draw(st.sampled_from((0, 0, 0, 10_000))))
        kind = draw(st.sampled_from("ooosppppr"))
        if kind == "o":
            commands += [
                offer(
                    at,
                    made,
                    opens_at=draw(st.sampled_from((0, 0, at + 30))),
                    closes_at=draw(st.sampled_from((NEVER, NEVER, at + 60))),
                    contradictions=draw(st.sampled_from(((), (), (), ("split at payout",)))),
                ),
                attach(at, made),
            ]
        elif kind == "s":
            commands.append(attach(at, made))
        elif kind == "p":
            commands.append(publish(at, name, version, max(when, 0)))
        else:
            commands.append(retire(at, name, version, max(when, 0)))
    return commands


def sold(state: Offers, at: int) -> dict[str, int]:
    found = {name: state.on_sale(name, Instant(at)) for name in NAMES}
    return {name: each.version for name, each in found.items() if each}


@settings(max_examples=60, deadline=None)
@given(lives())
def test_what_was_on_sale_stays_so_and_a_version_never_changes(commands: list[TierCommand]) -> None:
    state = initial(stream_of("demo"))
    shelf = Shelf()
    past: dict[int, dict[str, int]] = {}
    bytes_of: dict[tuple[str, int], tuple[str, str, str]] = {}
    for command in commands:
        for at in (int(command.at) - STEP, int(command.at) - 5, int(command.at) - 1):
            past[at] = sold(state, at)
        for event in decide(state, command, NoRefs()):
            state = evolve(state, event)
            shelf.note("demo", event)
        assert {at: sold(state, at) for at in past} == past, "nothing changes what is over"
        for each in state.all():
            kept = (each.text, each.terms, each.fingerprint)
            assert bytes_of.setdefault((each.name, each.version), kept) == kept
            assert sha256(each.terms.encode()).hexdigest() == each.fingerprint
    for at in range(0, int(commands[-1].at) + 100, 5):
        on_shelf = shelf.on_sale("demo", Instant(at))
        assert {each.name: each.version for each in on_shelf} == sold(state, at)
        assert len({each.name for each in on_shelf}) == len(on_shelf), "one version of a name"
        for sale in on_shelf:
            assert shelf.by_fingerprint("demo", fingerprint(sale)) == sale
    for versions in state.tiers.values():
        spans = [
            (int(each.effective_at), int(state.ends_at(each)))
            for each in versions
            if each.is_ever_sold
        ]
        assert spans == sorted(spans)
        assert all(one[1] <= other[0] for one, other in pairwise(spans))
        for each in versions:
            if each.is_published:
                assert each.simulation is not None
                assert not each.contradictions
                assert each.effective_at >= each.opens_at


@settings(max_examples=25, deadline=None)
@given(lives())
def test_a_shelf_that_is_loaded_has_what_one_has_that_has_heard(
    commands: list[TierCommand],
) -> None:
    state, told = live(commands)
    heard, loaded = Shelf(), Shelf()
    for event in told:
        heard.note("demo", event)
    packed = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Offers)
    loaded.load("demo", packed)
    for at in range(0, int(commands[-1].at) + 100, 7):
        assert heard.on_sale("demo", Instant(at)) == loaded.on_sale("demo", Instant(at))
    assert heard.on_sale("other", Instant(50)) == ()


def refusal(*commands: TierCommand) -> Any:
    _, told = live(list(commands))
    last = told[-1]
    return last.reason if isinstance(last, TierRefused) else type(last)


def test_why_a_version_is_refused() -> None:
    one, changed, two = tier("one", 1), tier("one", 1, fee=10_000), tier("one", 2)
    ready = (offer(1, one), attach(2, one))
    later = (offer(3, two), attach(4, two))
    table: list[tuple[Any, tuple[TierCommand, ...]]] = [
        (TierDefined, (offer(1, one),)),
        ("version_fixed", (offer(1, one), offer(2, changed))),
        ("version_fixed", (offer(1, two), offer(2, one))),
        ("unknown_version", (publish(1, "one", 1),)),
        ("unknown_version", (attach(1, one),)),
        ("unknown_version", (retire(1, "one", 1),)),
        ("other_terms", (offer(1, one), attach(2, changed))),
        ("no_simulation", (offer(1, one), publish(2, "one", 1))),
        ("contradictory", (offer(1, one, contradictions=("x",)), attach(2, one),
                           publish(3, "one", 1))),
        (TierPublished, (*ready, publish(3, "one", 1))),
        (TierPublished, (*ready, publish(3, "one", 1, 9))),
        ("backwards", (*ready, publish(3, "one", 1, 2))),
        ("already_published", (*ready, publish(3, "one", 1), publish(4, "one", 1))),
        ("already_published", (*ready, publish(3, "one", 1), attach(4, one))),
        ("backwards", (*ready, *later, publish(5, "one", 2), publish(6, "one", 1))),
        ("backwards", (*ready, *later, publish(5, "one", 1, 50), publish(6, "one", 2, 40))),
        (TierPublished, (*ready, *later, publish(5, "one", 1, 50), retire(6, "one", 1),
                         publish(7, "one", 2, 40))),
        ("never_sold", (offer(1, one, closes_at=5), attach(2, one), publish(6, "one", 1))),
        ("not_published", (*ready, retire(3, "one", 1))),
        (TierRetired, (*ready, publish(3, "one", 1), retire(4, "one", 1, 20))),
        ("backwards", (*ready, publish(3, "one", 1), retire(9, "one", 1, 8))),
        ("not_on_sale", (*ready, publish(3, "one", 1), retire(4, "one", 1), retire(5, "one", 1))),
        ("not_on_sale", (*ready, publish(3, "one", 1), *later, publish(5, "one", 2),
                         retire(6, "one", 1))),
    ]  # fmt: skip
    assert [refusal(*commands) for _, commands in table] == [expected for expected, _ in table]
