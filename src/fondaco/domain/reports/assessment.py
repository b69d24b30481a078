"""What a report says of an assessment: the verdict, each rule with its margin, what passing needs,
and what broke a rule, with the prices that its equity was worked out from."""

from collections.abc import Sequence

import msgspec

from fondaco.domain.evaluation.api import (
    AssessmentPayoutLine,
    ConditionLine,
    HeadroomLine,
    ViolationLine,
    WordingPart,
)
from fondaco.domain.reports.content import Writer
from fondaco.domain.reports.model import Column, Section, Table, Tile, Tone, Words
from fondaco.kernel.instants import moment

_STATES = {"well": "kept", "warned": "kept, near", "broken": "broken"}
_GOOD = ("passed", "funded")
_BAD = ("failed", "abandoned", "expired")
_MADE_OF = "The prices are those that equity was worked out from, each with its place on the tape."


class Priced(msgspec.Struct, frozen=True):
    """A mark of the evidence, in the instrument's units."""

    symbol: str
    px: str
    source: str
    tape_position: int


class Broken(msgspec.Struct, frozen=True):
    line: ViolationLine
    marks: Sequence[Priced]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """An assessment's present account, as the journal has it up to a position; amounts as text."""

    assessment_id: str
    tier: str
    version: int
    fingerprint: str
    stage_name: str
    state: str
    reason: str
    size: str
    headroom: Sequence[HeadroomLine]
    equity: str
    conditions: Sequence[ConditionLine]
    broken: Sequence[Broken]
    payouts: Sequence[AssessmentPayoutLine]
    wording: Sequence[WordingPart]


def facts(found: Summary) -> list[tuple[str, str]]:
    return [
        ("Assessment", found.assessment_id),
        ("Tier", f"{found.tier}, version {found.version}"),
        ("Terms", found.fingerprint[:16]),
        ("Stage", found.stage_name),
    ]


def tiles(w: Writer, found: Summary) -> list[Tile]:
    tone: Tone = "good" if found.state in _GOOD else "bad" if found.state in _BAD else ""
    target = next((each for each in found.conditions if each.name == "target"), None)
    met = sum(each.is_met for each in found.conditions)
    nearest = min(found.headroom, key=lambda each: float(each.headroom), default=None)
    return [
        Tile("Verdict", found.state, found.reason.replace("_", " "), tone),
        Tile("Equity", w.money(found.equity), f"of {w.money(found.size)}"),
        Tile(
            "Room left",
            w.money(nearest.headroom) if nearest else "–",
            nearest.title.lower() if nearest else "no limit of loss",
        ),
        Tile(
            "To pass",
            f"{met} of {len(found.conditions)}",
            f"profit {w.money(target.reached)} of {w.money(target.needed)}" if target else "",
        ),
    ]


def sections(w: Writer, found: Summary) -> list[Section]:
    made = [
        Section("Rules", [_rules(w, found)]),
        Section("To pass", [Words("What is missing breaks no rule."), _conditions(w, found)]),
        violations(w, found),
        w.equity(),
    ]
    if found.payouts:
        made.append(Section("Payouts", [_payouts(found)]))
    said = [
        Section(each.heading, [Words(text) for text in each.sentences]) for each in found.wording
    ]
    return [*made, *said]


def _rules(w: Writer, found: Summary) -> Table:
    """Losses with their margin as last written down; rules of trades only where one was broken."""
    rows = [
        [
            each.title, w.money(each.base), w.money(each.level), w.money(found.equity),
            w.money(each.headroom), _STATES[each.state],
        ]
        for each in found.headroom
    ]  # fmt: skip
    known = {each.rule for each in found.headroom}
    rows += [
        [_name(each.line.rule), "–", each.line.limit, each.line.value, "–", "broken"]
        for each in found.broken
        if each.line.rule not in known
    ]
    columns = [
        Column("Rule"), Column("Counted from", is_number=True), Column("Limit", is_number=True),
        Column("Measured", is_number=True), Column("Margin", is_number=True), Column("State"),
    ]  # fmt: skip
    return Table("", columns, rows, empty="The stage has no limit of loss.", csv="rules")


def _conditions(w: Writer, found: Summary) -> Table:
    rows = [
        [
            _name(each.name),
            w.money(each.needed) if each.name == "target" else each.needed,
            w.money(each.reached) if each.name == "target" else each.reached,
            "met" if each.is_met else "not yet",
        ]
        for each in found.conditions
    ]
    columns = [
        Column("Condition"), Column("Needed", is_number=True), Column("Reached", is_number=True),
        Column("State"),
    ]  # fmt: skip
    return Table("", columns, rows, csv="conditions")


def violations(w: Writer, found: Summary) -> Section:
    rows = [
        [
            moment(int(each.line.at))[:23].replace("T", " ").rstrip("Z"), _name(each.line.rule),
            each.line.value, each.line.limit, w.money(each.line.balance),
            w.money(each.line.equity), w.money(each.line.day_from), str(each.line.position),
        ]
        for each in found.broken
    ]  # fmt: skip
    columns = [
        Column("Time"), Column("Rule"), *(
            Column(title, is_number=True)
            for title in ("Value", "Limit", "Balance", "Equity", "Day from", "Entry")
        ),
    ]  # fmt: skip
    marks = [
        [str(each.line.position), mark.symbol, mark.px, mark.source, str(mark.tape_position)]
        for each in found.broken
        for mark in each.marks
    ]
    shown = [
        Column("Entry"), Column("Instrument"), Column("Price", is_number=True), Column("Source"),
        Column("Tape", is_number=True),
    ]  # fmt: skip
    broken = Table("", columns, rows, empty="No rule was broken.", csv="violations")
    if not marks:
        return Section("Violations", [broken])
    evidence = Table("Evidence", shown, marks, csv="evidence")
    return Section("Violations", [broken, Words(_MADE_OF), evidence])


def _payouts(found: Summary) -> Table:
    rows = [
        [str(each.number), each.state, each.profit, each.amount, each.currency, each.reason]
        for each in found.payouts
    ]
    columns = [
        Column("Number"), Column("State"), Column("Profit", is_number=True),
        Column("Paid", is_number=True), Column("Currency"), Column("Why"),
    ]  # fmt: skip
    return Table("", columns, rows, csv="payouts")


def _name(rule: str) -> str:
    return rule.replace("_", " ")
