"""A message in words: names of fields, meanings of values, groups as they nest."""

from collections.abc import Mapping

import msgspec

from fondaco.domain.fix.dictionary import NOTHING, Dictionary, Layout, dictionary, dictionary_for
from fondaco.domain.fix.formats import SEVERAL
from fondaco.domain.fix.groups import spans
from fondaco.domain.fix.message import Message, loose, what_is_wrong


class Shown(msgspec.Struct, frozen=True, omit_defaults=True):
    """One field. `meaning` says what an enumerated value stands for; `entries` are of the group
    that the field counts."""

    tag: int
    name: str
    value: str
    meaning: str | None = None
    entries: "tuple[tuple[Shown, ...], ...]" = ()


class Decoded(msgspec.Struct, frozen=True, omit_defaults=True):
    """`dictionary` is what the names come from; `garbled` is why no session would take it."""

    msg_type: str
    name: str
    dictionary: str
    fields: tuple[Shown, ...]
    garbled: str | None = None


def decoded(raw: bytes, of: Dictionary | None = None) -> Decoded:
    """What a message says, however damaged it is. `of`: a dictionary of one's own."""
    message = loose(raw, of)
    app = of or dictionary_for(message.begin_string, message.text(1128) or message.text(1137))
    app = app or dictionary("FIX.5.0SP2")
    session = dictionary("FIXT.1.1") if app.begin_string.startswith("FIX.5") else app
    if app.layout(message.msg_type) is None and session.layout(message.msg_type) is not None:
        app = session
    layout = app.layout(message.msg_type) or NOTHING
    groups = {**session.header.groups, **layout.groups}
    return Decoded(
        message.msg_type,
        app.message_name(message.msg_type) or "unknown message type",
        app.name,
        _Words(message, (app, session)).between(0, message.count, groups),
        what_is_wrong(message),
    )


class _Words:
    def __init__(self, message: Message, dictionaries: tuple[Dictionary, ...]) -> None:
        self._message = message
        self._tags: list[int] = message.tags()
        self._dictionaries = dictionaries

    def between(self, at: int, stop: int, groups: Mapping[int, Layout]) -> tuple[Shown, ...]:
        said = []
        while at < stop:
            layout = groups.get(self._tags[at])
            entries: tuple[tuple[Shown, ...], ...] = ()
            here, at = at, at + 1
            if layout is not None:
                found, at = spans(self._tags, at, layout)
                entries = tuple(
                    self.between(each.start, each.stop, layout.groups) for each in found
                )
            said.append(self._field(here, entries))
        return tuple(said)

    def _field(self, at: int, entries: tuple[tuple[Shown, ...], ...]) -> Shown:
        tag, value = self._tags[at], self._message.text_at(at)
        for each in self._dictionaries:
            field = each.field(tag)
            if field is not None:
                meaning = _meaning(value, field.type, field.values)
                return Shown(tag, field.name, value, meaning, entries)
        if tag == 35:
            return Shown(tag, "MsgType", value)
        return Shown(tag, "?", value, None, entries)


def _meaning(value: str, type_: str, values: Mapping[str, str]) -> str | None:
    if not values:
        return None
    if type_ in SEVERAL:
        return ", ".join(values.get(each, "?") for each in value.split(" "))
    return values.get(value, "?")


def lines_of(message: Decoded) -> list[str]:
    """A message for a terminal: one line a field, groups indented."""
    head = f"{message.name} ({message.msg_type or 'no MsgType'}), {message.dictionary}"
    if message.garbled is not None:
        head += f" -- garbled: {message.garbled}"
    return [head, *_indented(message.fields, "  ")]


def _indented(fields: tuple[Shown, ...], indent: str) -> list[str]:
    lines = []
    for field in fields:
        said = field.value if field.meaning is None else f"{field.value}  ({field.meaning})"
        lines.append(f"{indent}{field.tag:>5} {field.name:<24} {_printable(said)}")
        for number, entry in enumerate(field.entries, 1):
            lines.append(f"{indent}      [{number}]")
            lines += _indented(entry, indent + "      ")
    return lines


def _printable(text: str) -> str:
    """Text that cannot move the cursor of whoever reads it."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
