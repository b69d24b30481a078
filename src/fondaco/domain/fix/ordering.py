"""The order in which fields are written: header, body, trailer, each by ascending tag.

8, 9 and 35 come first. Inside repeating groups the dictionary's order stays, because there the
order carries meaning.
"""

from collections.abc import Sequence
from typing import TypeAlias

from fondaco.domain.fix.dictionary import NOTHING, Dictionary, Layout
from fondaco.domain.fix.groups import spans

Fields: TypeAlias = list[tuple[int, bytes]]
_FIRST = {8: 0, 9: 1, 35: 2}


def ordered(
    fields: Sequence[tuple[int, bytes]],
    dictionary: Dictionary,
    msg_type: str,
    transport: Dictionary | None = None,
) -> Fields:
    """`fields` in the order in which they are written; groups move with their count.

    `transport` has the header where that is another dictionary: FIXT.1.1.
    """
    session = transport or dictionary
    body = dictionary.layout(msg_type) or session.layout(msg_type) or NOTHING
    parts: tuple[list[tuple[int, Fields]], ...] = ([], [], [])
    tags = [tag for tag, _ in fields]
    at = 0
    while at < len(fields):
        tag = tags[at]
        if tag in session.header_tags:
            part, layout = parts[0], session.header.groups.get(tag)
        elif tag in session.trailer_tags:
            part, layout = parts[2], session.trailer.groups.get(tag)
        else:
            part, layout = parts[1], body.groups.get(tag)
        run, at = _run(fields, tags, at, layout)
        part.append((_FIRST.get(tag, tag) if part is parts[0] else tag, run))
    written: Fields = []
    for part in parts:
        part.sort(key=lambda each: each[0])
        for _, run in part:
            written += run
    return written


def _run(
    fields: Sequence[tuple[int, bytes]], tags: list[int], at: int, layout: Layout | None
) -> tuple[Fields, int]:
    """A field with the group that it counts, in dictionary order, and where the next one is."""
    run: Fields = [fields[at]]
    if layout is None:
        return run, at + 1
    entries, stop = spans(tags, at + 1, layout)
    places = {tag: place for place, tag in enumerate(layout.order)}
    for entry in entries:
        inner: list[tuple[int, Fields]] = []
        place = entry.start
        while place < entry.stop:
            tag = tags[place]
            nested, place = _run(fields, tags, place, layout.groups.get(tag))
            inner.append((places[tag], nested))
        inner.sort(key=lambda each: each[0])
        for _, nested in inner:
            run += nested
    return run, stop
