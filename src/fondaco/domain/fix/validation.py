"""Whether a message is one that its dictionary allows: the reasons of SessionRejectReason (373).

What is wrong with a message is answered with the first thing that is wrong, in this order:

- header, body and trailer are mixed (14);
- the message type is unknown (11);
- something required is missing (1);
- then the header, the trailer and the body, field by field in ascending order of tags: one comes
  twice (13), is empty (4), has a wrong form (6), a value that is none of the enumerated ones (5), a
  tag that does not exist (0) or not in this message (2), or counts its group wrongly (16);
- at last what stands inside repeating groups.

The public acceptance scripts pin down this order.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from fondaco.domain.fix.checking import BODY, HEADER, TRAILER, Plan, Slot
from fondaco.domain.fix.dictionary import NOTHING, Dictionary, Layout
from fondaco.domain.fix.formats import SEVERAL, form_of, kind_of
from fondaco.domain.fix.groups import Entry, spans
from fondaco.domain.fix.message import Message
from fondaco.domain.fix.model import Options, Rejection, RejectReason, rejection

USER_DEFINED_FROM: Final = 5_000
Place: TypeAlias = tuple[int, int]  # tag, place in the message
_FIRST: Final = {8: -3, 9: -2, 35: -1}
_DEFAULT: Final = Options()


def validate(
    message: Message,
    dictionary: Dictionary,
    *,
    transport: Dictionary | None = None,
    options: Options = _DEFAULT,
) -> Rejection | None:
    """Why the message must be rejected, or None.

    `dictionary` has the body; `transport` header and trailer, where that is another dictionary:
    FIXT.1.1 for applications of 5.0 and later. For a session message of FIXT it is the only one.
    """
    session = transport or dictionary
    plan = plan_for(dictionary, session, message.msg_type)
    if plan is not None and plan.surely_fine(message.raw):
        return None
    return first_wrong(message, dictionary, session, options)


def plan_for(dictionary: Dictionary, session: Dictionary, msg_type: str) -> Plan | None:
    """What messages of a type are checked against at once; None for a type that is unknown."""
    plan: Plan | None = dictionary.plans.get((msg_type, session))
    if plan is None:
        layout = dictionary.layout(msg_type)
        if layout is not None:
            plan = dictionary.plans[msg_type, session] = _plan(dictionary, session, layout)
    return plan


def first_wrong(
    message: Message, dictionary: Dictionary, session: Dictionary, options: Options = _DEFAULT
) -> Rejection | None:
    """What `validate` says, by looking at everything in the order above."""
    return _Check(message, dictionary, session, options).first()


def _plan(dictionary: Dictionary, session: Dictionary, layout: Layout) -> Plan:
    slots: dict[int, Slot] = {}
    for part, tags, of, inside in (
        (BODY, layout.members, dictionary, layout),
        (HEADER, session.header_tags, session, session.header),
        (TRAILER, session.trailer_tags, session, session.trailer),
    ):
        for tag in tags:
            field = of.field(tag)
            if field is None:
                continue
            counted = tag in inside.groups
            slots[tag] = Slot(
                tag,
                part,
                kind_of("GROUP" if counted else field.type, of.begin_string),
                tag in inside.required,
                form_of(field.type, of.begin_string),
                field.values,
                field.type in SEVERAL,
            )
    return Plan(list(slots.values()))


class _Group:
    """A repeating group that was found: its count, its entries, and how it is laid out."""

    __slots__ = ("at", "entries", "layout")

    def __init__(self, at: int, entries: list[Entry], layout: Layout) -> None:
        self.at = at
        self.entries = entries
        self.layout = layout


class _Check:
    def __init__(
        self, message: Message, dictionary: Dictionary, session: Dictionary, options: Options
    ) -> None:
        self.message = message
        self.dictionary = dictionary
        self.session = session
        self.options = options
        self.tags: list[int] = message.tags()
        found = dictionary.layout(message.msg_type)
        self.known = found is not None
        self.layout = found or NOTHING
        self.groups: list[_Group] = []

    def first(self) -> Rejection | None:
        header, body, trailer, misplaced = self._parts()
        if misplaced is not None and self.options.fields_in_order:
            return rejection(RejectReason.TAG_SPECIFIED_OUT_OF_REQUIRED_ORDER, misplaced)
        if not self.known:
            return rejection(RejectReason.INVALID_MSG_TYPE)
        missing = self._missing(header, body, trailer)
        if missing is not None:
            return rejection(RejectReason.REQUIRED_TAG_MISSING, missing)
        return (
            self._each(header, self.session, None)
            or self._each(trailer, self.session, None)
            or self._each(body, self.dictionary, self.layout.members)
            or self._inside()
        )

    def _parts(self) -> tuple[list[Place], list[Place], list[Place], int | None]:
        """The fields of header, body and trailer in order of tags, and the first misplaced tag."""
        parts: tuple[list[Place], list[Place], list[Place]] = ([], [], [])
        misplaced: int | None = None
        reached = at = 0
        tags, session = self.tags, self.session
        while at < len(tags):
            tag = tags[at]
            if tag in session.header_tags:
                part, layout = 0, session.header
            elif tag in session.trailer_tags:
                part, layout = 2, session.trailer
            else:
                part, layout = 1, self.layout
            # A header's field after the body, a body's after the trailer.
            if misplaced is None and ((part == 0 and reached) or (part == 1 and reached == 2)):
                misplaced = tag
            reached = part or reached
            parts[part].append((tag, at))
            at = self._group(tag, at, layout)
        parts[0].sort(key=lambda each: _FIRST.get(each[0], each[0]))
        parts[1].sort(key=lambda each: each[0])
        parts[2].sort(key=lambda each: each[0])
        return *parts, misplaced

    def _group(self, tag: int, at: int, layout: Layout) -> int:
        """Pass over the group that a field counts, if it does; gives where the next field is."""
        inner = layout.groups.get(tag)
        if inner is None:
            return at + 1
        entries, stop = spans(self.tags, at + 1, inner)
        self.groups.append(_Group(at, entries, inner))
        return stop

    def _missing(self, header: list[Place], body: list[Place], trailer: list[Place]) -> int | None:
        for part, layout in (
            (header, self.session.header),
            (trailer, self.session.trailer),
            (body, self.layout),
        ):
            missing = _absent(layout.required, (tag for tag, _ in part))
            if missing is not None:
                return missing
        for group in self.groups:
            for entry in group.entries:
                inside = (tag for tag, _ in self._of_entry(entry, group.layout))
                missing = _absent(group.layout.required, inside)
                if missing is not None:
                    return missing
        return None

    def _each(
        self, part: Iterable[Place], dictionary: Dictionary, members: frozenset[int] | None
    ) -> Rejection | None:
        before: int | None = None
        for tag, at in part:
            wrong = RejectReason.TAG_APPEARS_MORE_THAN_ONCE if tag == before else None
            if wrong is None:
                wrong = self._field(tag, at, dictionary)
            if wrong is None and members is not None:
                wrong = self._belongs(tag, at, members)
            if wrong is not None:
                return rejection(wrong, tag)
            before = tag
        return None

    def _field(self, tag: int, at: int, dictionary: Dictionary) -> RejectReason | None:
        """What is wrong with a value, or with a tag anywhere."""
        value = self.message.value_at(at)
        if not value and self.options.have_values:
            return RejectReason.TAG_SPECIFIED_WITHOUT_A_VALUE
        field = dictionary.field(tag)
        if field is not None:
            form = form_of(field.type, dictionary.begin_string)
            if form is not None and not form(value):
                return RejectReason.INCORRECT_DATA_FORMAT_FOR_VALUE
            if field.values and not _enumerated(value.decode("latin-1"), field.type, field.values):
                return RejectReason.VALUE_IS_INCORRECT
        elif self._insists_on(tag):
            return RejectReason.INVALID_TAG_NUMBER
        return None

    def _belongs(self, tag: int, at: int, members: frozenset[int]) -> RejectReason | None:
        """Whether a field is one of this message, and counts the entries behind it."""
        if not self._insists_on(tag):
            return None
        if tag not in members:
            return RejectReason.TAG_NOT_DEFINED_FOR_THIS_MESSAGE_TYPE
        if tag in self.layout.groups and not self._counted(at):
            return RejectReason.INCORRECT_NUM_IN_GROUP_COUNT
        return None

    def _counted(self, at: int) -> bool:
        group = next(group for group in self.groups if group.at == at)
        return int(self.message.value_at(at) or b"0") == len(group.entries)

    def _insists_on(self, tag: int) -> bool:
        if tag < USER_DEFINED_FROM:
            return not self.options.unknown_fields
        return self.options.user_defined

    def _inside(self) -> Rejection | None:
        if not self.options.group_members:
            return None
        for group in self.groups:
            for entry in group.entries:
                wrong = self._entry(entry, group.layout)
                if wrong is not None:
                    return wrong
        return None

    def _entry(self, entry: Entry, layout: Layout) -> Rejection | None:
        if self.tags[entry.start] != layout.delimiter:
            reason = RejectReason.REPEATING_GROUP_FIELDS_OUT_OF_ORDER
            return rejection(reason, self.tags[entry.start])
        for tag, at in self._of_entry(entry, layout):
            wrong = self._field(tag, at, self.dictionary)
            if wrong is not None:
                return rejection(wrong, tag)
            nested = layout.groups.get(tag)
            if nested is None:
                continue
            entries, _ = spans(self.tags, at + 1, nested)
            if int(self.message.value_at(at) or b"0") != len(entries):
                return rejection(RejectReason.INCORRECT_NUM_IN_GROUP_COUNT, tag)
            for inner in entries:
                missing = _absent(
                    nested.required, (each for each, _ in self._of_entry(inner, nested))
                )
                if missing is not None:
                    return rejection(RejectReason.REQUIRED_TAG_MISSING, missing)
                found = self._entry(inner, nested)
                if found is not None:
                    return found
        return None

    def _of_entry(self, entry: Entry, layout: Layout) -> Iterator[Place]:
        """The fields of an entry itself, without those of groups inside it."""
        at = entry.start
        while at < entry.stop:
            tag = self.tags[at]
            yield tag, at
            nested = layout.groups.get(tag)
            at = at + 1 if nested is None else spans(self.tags, at + 1, nested)[1]


def _absent(required: Sequence[int], present: Iterable[int]) -> int | None:
    """The lowest tag that is required and not there."""
    there = set(present)
    return next((tag for tag in required if tag not in there), None)


def _enumerated(value: str, type_: str, values: object) -> bool:
    if type_ in SEVERAL:
        return all(each in values for each in value.split(" "))  # type: ignore[operator]
    return value in values  # type: ignore[operator]
