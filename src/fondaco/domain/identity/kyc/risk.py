"""What risk suits somebody: a questionnaire, its score, and the profile that the score gives, each
answer explained. Pure; whole points, no floats.

Suitability as MiFID II art. 25(2) asks for it: knowledge and experience, financial situation with
the ability to bear losses, objectives with risk tolerance. An ability that is lacking is not made
up for by an appetite: caps say so.
"""

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from fondaco.kernel.errors import Invalid

Word = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,40}$")]
Text = Annotated[str, Meta(min_length=1, max_length=300)]
Points = Annotated[int, Meta(ge=0, le=100)]


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`at_most` is the profile beyond which nobody gets who answers so, "" for no such cap."""

    choice: Word
    text: Text
    points: Points
    at_most: Annotated[str, Meta(max_length=40)] = ""


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    question: Word
    text: Text
    choices: Annotated[list[Choice], Meta(min_length=2, max_length=12)]


class Band(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From `points` on; the first band is from 0 on."""

    profile: Word
    points: Annotated[int, Meta(ge=0, le=10_000)]
    text: Text


class Questionnaire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    questions: Annotated[list[Question], Meta(min_length=1, max_length=40)]
    bands: Annotated[list[Band], Meta(min_length=2, max_length=10)]


class Explained(msgspec.Struct, frozen=True):
    """What one answer gave, of how much it could have given."""

    question: str
    choice: str
    points: int
    points_max: int
    text: str


class Scored(msgspec.Struct, frozen=True):
    """`by_points` is the profile that the points alone would give."""

    score: int
    score_max: int
    profile: str
    by_points: str
    text: str
    explained: list[Explained]
    caps: list[str]


def wrong_with(asked: Questionnaire) -> str:
    """Why nobody could be asked this; "" if they could."""
    names = [each.question for each in asked.questions]
    if len(set(names)) < len(names):
        return "a question is there twice"
    for each in asked.questions:
        if len({choice.choice for choice in each.choices}) < len(each.choices):
            return f"{each.question} has a choice twice"
    bands = [each.points for each in asked.bands]
    if bands[0] != 0 or bands != sorted(set(bands)):
        return f"bands begin at {bands}, must begin at 0 and rise"
    profiles = [each.profile for each in asked.bands]
    if len(set(profiles)) < len(profiles):
        return "a profile is there twice"
    for each in asked.questions:
        for choice in each.choices:
            if choice.at_most and choice.at_most not in profiles:
                return f"{each.question} {choice.choice} caps at {choice.at_most}, which is no band"
    most = sum(max(choice.points for choice in each.choices) for each in asked.questions)
    return "" if bands[-1] <= most else f"nobody reaches {bands[-1]} points: {most} is the most"


def unanswered(asked: Questionnaire, answers: Mapping[str, str]) -> list[str]:
    """Questions that no answer fits."""
    return [
        each.question
        for each in asked.questions
        if answers.get(each.question) not in {choice.choice for choice in each.choices}
    ]


def score(asked: Questionnaire, answers: Mapping[str, str]) -> Scored:
    """Raises `Invalid` for a question that has no answer, and an answer to no question."""
    if lacking := unanswered(asked, answers):
        first = next(each for each in asked.questions if each.question == lacking[0])
        known = ", ".join(choice.choice for choice in first.choices)
        raise Invalid(f"{', '.join(lacking)} must be answered; {lacking[0]} with {known}")
    if strange := answers.keys() - {each.question for each in asked.questions}:
        raise Invalid(f"{', '.join(sorted(strange))} was not asked")
    explained, caps, limit = [], [], len(asked.bands) - 1
    profiles = [each.profile for each in asked.bands]
    for each in asked.questions:
        [chosen] = [one for one in each.choices if one.choice == answers[each.question]]
        most = max(one.points for one in each.choices)
        text = f"{each.text} {chosen.text}: {chosen.points} of {most} points"
        explained.append(Explained(each.question, chosen.choice, chosen.points, most, text))
        if chosen.at_most and profiles.index(chosen.at_most) <= limit:
            limit = profiles.index(chosen.at_most)
            caps.append(f"{each.text} {chosen.text}: at most {chosen.at_most}, whatever the points")
    total = sum(each.points for each in explained)
    reached = max(n for n, band in enumerate(asked.bands) if band.points <= total)
    band = asked.bands[min(reached, limit)]
    return Scored(
        total,
        sum(each.points_max for each in explained),
        band.profile,
        profiles[reached],
        band.text,
        explained,
        caps,
    )


def _asked(
    name: str, text: str, *choices: tuple[str, str, int] | tuple[str, str, int, str]
) -> Question:
    return Question(name, text, [Choice(*each) for each in choices])


BUILT_IN: Final = Questionnaire(
    [
        _asked(
            "horizon", "When will you need this money?",
            ("within_1y", "Within a year", 0, "cautious"), ("in_1_3y", "In one to three years", 5),
            ("in_3_7y", "In three to seven years", 10), ("after_7y", "After seven years", 15),
        ),
        _asked(
            "loss_bearable", "How much of it could you lose and live as before?",
            ("nothing", "Nothing", 0, "cautious"), ("a_tenth", "A tenth", 5),
            ("a_third", "A third", 10), ("most", "Most of it", 15),
        ),
        _asked(
            "income", "How sure is your income?",
            ("none", "I live on this money", 0, "balanced"), ("unsteady", "It comes and goes", 4),
            ("steady", "It is steady", 8), ("ample", "It is more than I spend", 10),
        ),
        _asked(
            "fall", "It falls by a fifth within a month. You",
            ("sell_all", "sell everything", 0), ("sell_some", "sell some", 5),
            ("wait", "wait", 10), ("buy", "buy more", 15),
        ),
        _asked(
            "goal", "What is it for?",
            ("keep", "To keep what there is", 0), ("income", "To live on what it yields", 5),
            ("grow", "To grow", 10), ("grow_most", "To grow as much as it can", 15),
        ),
        _asked(
            "knowledge", "What do you know of shares, bonds, funds and derivatives?",
            ("nothing", "Nothing", 0, "balanced"), ("some", "What a share and a bond are", 5),
            ("good", "How they are priced, and what moves them", 10),
            ("work", "I have worked with them", 15),
        ),
        _asked(
            "experience", "How long have you invested yourself?",
            ("never", "Never", 0), ("under_2y", "Less than two years", 5),
            ("years", "Two to ten years", 10), ("decade", "More than ten years", 15),
        ),
    ],
    [
        Band("cautious", 0, "Keeping comes before growing: cash, short bonds."),
        Band("balanced", 30, "Some growth, with falls of a tenth now and then."),
        Band("growth", 55, "Mostly shares: falls of a third have happened, and will."),
        Band("dynamic", 80, "All that grows: falls by half have happened, and will."),
    ],
)  # fmt: skip
