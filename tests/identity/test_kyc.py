"""The law of cases, who may be accepted, and what risk suits whom."""

from datetime import date
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fondaco.domain.identity.kyc import events as ev
from fondaco.domain.identity.kyc import risk, rules
from fondaco.domain.identity.kyc.desk import countries_of, sought_of
from fondaco.domain.identity.kyc.model import IDENTIFYING, NEEDED_FIELDS, Case, Person
from fondaco.domain.identity.kyc.risk import BUILT_IN, Questionnaire
from fondaco.domain.identity.kyc.words import next_step
from fondaco.kernel.errors import Conflict, Invalid
from fondaco.kernel.event import Instant

WHO: Final = ("acme", "ada", "kyc_1")
TODAY: Final = date(2026, 11, 22)
ADA: Final = Person(
    given_name="Ada", family_name="King", birth_date="1990-02-28", nationality="GB",
    residence="IT", street="Via Roma 1", city="Torino",
)  # fmt: skip
EVENTS: Final[tuple[ev.CaseEvent, ...]] = (
    ev.KycSubmitted(*WHO, 1),
    ev.DocumentsAsked(*WHO, ("identity", "address"), "rule"),
    ev.DocumentAdded(*WHO, "doc_1", "identity", "00"),
    ev.DocumentAdded(*WHO, "doc_2", "address", "11"),
    ev.PersonScreened(*WHO, ("22",), 1, 1, "submitted"),
    ev.ReviewBegun(*WHO, ("hits",)),
    ev.HitCleared(*WHO, "hit_1", "birth_date", "cora"),
    ev.KycApproved(*WHO, Instant(9), "cora"),
    ev.KycRefused(*WHO, "listed", "cora"),
    ev.KycExpired(*WHO),
    ev.KycReopened(*WHO, "mistake", "cora"),
)


def told(*events: ev.CaseEvent) -> Case:
    case = Case()
    for event in events:
        case = rules.after(case, event)
    return case


@given(st.lists(st.sampled_from(EVENTS), max_size=30))
def test_whatever_is_tried_a_case_is_in_one_state_and_approved_by_a_person_alone(
    tried: list[ev.CaseEvent],
) -> None:
    case = Case()
    for event in tried:
        before = case
        if before.state not in rules.STEPS[type(event)]:
            with pytest.raises(Conflict, match=before.state.replace("_", " ")):
                rules.after(case, event)
            continue
        case = rules.after(case, event)
        assert case.state in ("submitted", *rules.STATES)
        assert (case.state == "approved") == (case.until > 0)
        assert (case.state == "refused") == bool(case.refusal)
        if case.state == "approved" and before.state != "approved":
            assert before.state == "in_review"
        assert next_step(case, "ada", ())


def test_a_case_from_beginning_to_end() -> None:
    case = told(*EVENTS[:8])
    assert (case.state, case.documents, case.open_hits, case.needed) == ("approved", 2, 0, ())
    assert told(*EVENTS[:8], EVENTS[9], EVENTS[0]).state == "submitted"
    assert told(*EVENTS[:8], EVENTS[10]).codes == ("mistake",)


@pytest.mark.parametrize(
    ("born", "residence", "code"),
    [
        ("2008-11-22", "IT", ""),
        ("2008-11-23", "IT", "under_age"),
        ("2007-11-22", "KR", ""),
        ("2007-11-23", "KR", "under_age"),
        ("2008-02-29", "IT", ""),
        ("1990-02-28", "KP", "country_refused"),
    ],
)
def test_age_and_residence(born: str, residence: str, code: str) -> None:
    person = replace(ADA, birth_date=born, residence=residence)
    found, said = rules.barred(person, TODAY, frozenset({"KP", "IR"}))
    assert found == code
    assert bool(said) == bool(code)
    assert rules.barred(replace(ADA, nationality="IR"), TODAY, {"IR"})[0] == "country_refused"


@given(st.dates(date(1910, 1, 1), date(2026, 11, 21)))
def test_an_age_is_how_many_birthdays_have_been(born: date) -> None:
    age = rules.age_on(born, TODAY)
    assert 0 <= age <= 120
    past = [y for y in range(born.year + 1, 2027) if (y, born.month, born.day) <= (2026, 11, 22)]
    assert age == len(past)


def test_born_on_a_leap_day() -> None:
    born = date(2008, 2, 29)
    assert [rules.age_on(born, day) for day in (date(2026, 2, 28), date(2026, 3, 1))] == [17, 18]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"residence": "UK"}, "GB, not UK"),
        ({"nationality": "XX"}, "no country"),
        ({"birth_date": "1990-02-30"}, "no day"),
        ({"birth_date": "2027-01-01"}, "nobody of that age"),
        ({"birth_date": "1850-01-01"}, "nobody of that age"),
    ],
)
def test_a_profile_that_cannot_be_is_told_so(change: dict[str, str], word: str) -> None:
    assert word in rules.wrong(replace(ADA, **change), TODAY)
    assert rules.wrong(ADA, TODAY) == rules.wrong(Person(), TODAY) == ""


def test_what_a_case_needs_of_a_profile() -> None:
    assert rules.missing(Person()) == list(NEEDED_FIELDS)
    assert rules.missing(ADA) == []
    assert rules.missing(replace(ADA, city="  ")) == ["city"]
    assert "postal_code" not in IDENTIFYING


def test_everybody_is_looked_up_by_every_name() -> None:
    found = sought_of(replace(ADA, other_names="Ада Кинг; Augusta"))
    assert found.names == ("Ada King", "Ада Кинг", "Augusta", "Augusta King")
    assert (found.birth_year, found.countries) == (1990, ("GB", "IT"))


def test_countries_of_a_setting() -> None:
    assert countries_of("kp, IR") == {"KP", "IR"}
    with pytest.raises(Invalid, match="UK"):
        countries_of("UK")


# --- What risk suits whom -------------------------------------------------------------------------


@st.composite
def answered(draw: Any) -> tuple[Questionnaire, dict[str, str]]:
    return BUILT_IN, {
        each.question: draw(st.sampled_from([one.choice for one in each.choices]))
        for each in BUILT_IN.questions
    }


@given(answered())
def test_a_score_is_the_sum_of_what_is_explained(
    given_: tuple[Questionnaire, dict[str, str]],
) -> None:
    found = risk.score(*given_)
    assert found.score == sum(each.points for each in found.explained) <= found.score_max
    assert {each.question: each.choice for each in found.explained} == given_[1]
    order = [band.profile for band in BUILT_IN.bands]
    assert order.index(found.profile) <= order.index(found.by_points)
    assert (found.profile == found.by_points) or found.caps


@given(answered(), st.integers(0, 6))
def test_a_bolder_answer_never_gives_a_more_careful_profile(
    given_: tuple[Questionnaire, dict[str, str]], nth: int
) -> None:
    asked, answers = given_
    question = asked.questions[nth]
    order = [each.choice for each in question.choices]
    bolder = order[min(order.index(answers[question.question]) + 1, len(order) - 1)]
    profiles = [band.profile for band in asked.bands]
    before, after = (
        profiles.index(risk.score(asked, each).profile)
        for each in (answers, {**answers, question.question: bolder})
    )
    assert after >= before


def test_a_questionnaire_that_nobody_can_be_asked_is_told_so() -> None:
    asked = BUILT_IN
    assert risk.wrong_with(asked) == ""
    for wrong, word in (
        (replace(asked, questions=asked.questions * 2), "twice"),
        (replace(asked, bands=asked.bands[::-1]), "rise"),
        (
            replace(asked, bands=[*asked.bands[:-1], replace(asked.bands[-1], points=999)]),
            "reaches",
        ),
        (replace(asked, bands=asked.bands[1:]), "begin"),
    ):
        assert word in risk.wrong_with(wrong)
    with pytest.raises(Invalid, match="was not asked"):
        risk.score(
            asked, {q.question: q.choices[0].choice for q in asked.questions} | {"shoe_size": "x"}
        )
