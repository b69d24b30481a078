"""Ranks: what is right of them however results look, and after whatever is corrected."""

from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.evaluation.leaderboard.ranking import By, Result, ranked, value_of

WAYS: Final[tuple[By, ...]] = ("return", "payouts")


def results() -> st.SearchStrategy[list[Result]]:
    """Few values, so that many are equal."""
    numbers = st.tuples(
        st.sampled_from((100, 300)), st.integers(0, 6), st.integers(0, 3), st.integers(0, 2)
    )
    return st.lists(numbers, max_size=12).map(
        lambda found: [
            Result(
                assessment_id=f"asm-{n:016x}", user=f"u{n % 4}", tier="t", state="active",
                size=size, balance=size + 50 * (gain - 3), taken=50 * taken, paid=paid,
            )
            for n, (size, gain, taken, paid) in enumerate(found)
        ]
    )  # fmt: skip


@given(results(), st.sampled_from(WAYS))
def test_a_rank_is_one_more_than_there_are_better_ones(found: list[Result], by: By) -> None:
    lines = ranked(found, by)
    assert sorted(line.result.assessment_id for line in lines) == [r.assessment_id for r in found]
    for line in lines:
        better = sum(value_of(each, by) > line.value for each in found)
        assert (line.rank, line.value) == (better + 1, value_of(line.result, by))
    order = [(line.rank, line.result.assessment_id) for line in lines]
    assert order == sorted(order), "equals stand in the order in which they came"


@given(results().filter(bool), st.sampled_from(WAYS), st.integers(-9, 9))
def test_what_is_corrected_late_is_as_if_it_had_always_been_so(
    found: list[Result], by: By, change: int
) -> None:
    """Nobody's rank depends on what was shown before."""
    before = {line.result.assessment_id: line.rank for line in ranked(found, by)}
    first = found[0]
    corrected = Result(
        assessment_id=first.assessment_id, user=first.user, tier=first.tier, state=first.state,
        size=first.size, balance=first.balance + change, taken=first.taken,
        paid=max(first.paid + change, 0),
    )  # fmt: skip
    after = {r.result.assessment_id: r.rank for r in ranked([corrected, *found[1:]], by)}
    others = [each.assessment_id for each in found[1:]]
    assert all(abs(after[name] - before[name]) <= 1 for name in others), "one result, one place"


def test_a_table_of_ranks() -> None:
    def one(n: int, balance: int, taken: int = 0) -> Result:
        return Result(
            assessment_id=f"asm-{n:016x}", user="u", tier="t", state="funded", size=1_000,
            balance=balance, taken=taken,
        )  # fmt: skip

    found = [one(0, 1_010), one(1, 1_100), one(2, 1_000, taken=10), one(3, 990), one(4, 1_010)]
    shown = [(r.rank, int(r.result.assessment_id[-1]), r.value) for r in ranked(found, "return")]
    assert shown == [
        (1, 1, 100_000),
        (2, 0, 10_000),
        (2, 2, 10_000),
        (2, 4, 10_000),
        (5, 3, -10_000),
    ]
