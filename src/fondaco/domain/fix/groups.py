"""Repeating groups: where the entries of one begin and end, and readers of a single entry.

An entry begins with the group's first field. Where a sender leaves that out, an entry begins with
whatever belongs to the group, and the next one with the first tag that comes again.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

import msgspec

from fondaco.domain.fix.dictionary import NOTHING, Layout

if TYPE_CHECKING:
    from fondaco.domain.fix.message import Message


class Of(Protocol):
    """What is asked of a dictionary here."""

    @property
    def length_of(self) -> Mapping[int, int]: ...
    @property
    def marks(self) -> bytes: ...
    @property
    def header(self) -> Layout: ...
    def layout(self, msg_type: str) -> Layout | None: ...


class Entry(msgspec.Struct, frozen=True, gc=False):
    """From which field of the message to which, not included, one entry of a group goes."""

    start: int
    stop: int


def spans(tags: list[int], start: int, layout: Layout) -> tuple[list[Entry], int]:
    """The entries of a group whose count stands before `start`, and where the group ends.

    `tags` are all of the message. Nested groups are inside the entries that count them.
    """
    entries: list[Entry] = []
    begun = at = start
    seen: set[int] = set()
    while at < len(tags) and tags[at] in layout.members:
        tag = tags[at]
        if tag in seen or (tag == layout.delimiter and at > begun):
            entries.append(Entry(begun, at))
            begun = at
            seen.clear()
        seen.add(tag)
        at += 1
        nested = layout.groups.get(tag)
        if nested is not None:
            at = spans(tags, at, nested)[1]
    if at > begun:
        entries.append(Entry(begun, at))
    return entries, at


class Group:
    """One entry of a repeating group; reads like a message."""

    __slots__ = ("_layout", "_message", "start", "stop")

    def __init__(self, message: "Message", entry: Entry, layout: Layout) -> None:
        self._message = message
        self._layout = layout
        self.start = entry.start
        self.stop = entry.stop

    def __repr__(self) -> str:
        return f"<Group {self.fields()!r}>"

    def get(self, tag: int) -> bytes | None:
        at = self._find(tag)
        return None if at < 0 else self._message.value_at(at)

    def text(self, tag: int) -> str | None:
        at = self._find(tag)
        return None if at < 0 else self._message.text_at(at)

    def integer(self, tag: int) -> int | None:
        at = self._find(tag)
        return None if at < 0 else self._message.scaled_at(at, 0, "a whole number")

    def decimal(self, tag: int) -> Decimal | None:
        at = self._find(tag)
        return None if at < 0 else self._message.decimal_at(at)

    def scaled(self, tag: int, places: int) -> int | None:
        at = self._find(tag)
        return None if at < 0 else self._message.scaled_at(at, places, "a number")

    def timestamp(self, tag: int) -> int | None:
        at = self._find(tag)
        return None if at < 0 else self._message.timestamp_at(at)

    def fields(self) -> list[tuple[int, bytes]]:
        """Every field, those of nested groups among them, in wire order."""
        message = self._message
        return [(message.tag_at(at), message.value_at(at)) for at in range(self.start, self.stop)]

    def group(self, tag: int, of: Of | None = None) -> "list[Group]":
        """The entries of a nested group."""
        at, nested = self._find(tag), self._layout.groups.get(tag)
        if at < 0 or nested is None:
            return []
        entries, _ = spans(self._message.tags(), at + 1, nested)
        return [Group(self._message, entry, nested) for entry in entries]

    def _find(self, tag: int) -> int:
        at: int = self._message.find(tag, self.start, self.stop)
        return at


def entries_of(message: "Message", tag: int, of: Of) -> list[Group]:
    """The entries of a group of the message's body or header; none where there is no such group."""
    layout = (of.layout(message.msg_type) or NOTHING).groups.get(tag)
    if layout is None:
        layout = of.header.groups.get(tag)
    at = message.find(tag, 0, message.count)
    if layout is None or at < 0:
        return []
    entries, _ = spans(message.tags(), at + 1, layout)
    return [Group(message, entry, layout) for entry in entries]
