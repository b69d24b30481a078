"""`fondaco fix diff`: what two messages, or two recordings of a session, say differently."""

from collections.abc import Iterator

import msgspec

from fondaco.app.fix.decode import dictionary_of, text_of
from fondaco.domain.fix.differing import FOLLOWING, Pair, compared, differences
from fondaco.domain.fix.written import messages_in
from fondaco.kernel.errors import Invalid


def diff(
    first: str, second: str, named: str = "", ignore: str = "", *, as_json: bool = False
) -> Iterator[str]:
    """Lines that say what differs; none where nothing does.

    A side is a message, a file or -. Two single messages are compared whatever their numbers are;
    recordings by sender, target and sequence number. `ignore` are tags with commas between them.
    """
    of = dictionary_of(named) if named else None
    ignored = FOLLOWING | _tags(ignore)
    left, right = _messages(first), _messages(second)
    if len(left) == len(right) == 1:
        found = differences(left[0], right[0], of, ignored=ignored)
        pairs = iter([Pair("", found)] if found else [])
    else:
        pairs = compared(left, right, of, ignored=ignored)
    for pair in pairs:
        if as_json:
            yield msgspec.json.encode(pair).decode()
        else:
            yield from _lines(pair)


def _lines(pair: Pair) -> Iterator[str]:
    if pair.only is not None:
        yield f"{pair.named}: only in the {pair.only}"
        return
    if pair.named:
        yield f"{pair.named}:"
    for each in pair.differences:
        yield f"  {each.where:<16} {each.name:<24} {_shown(each.first)} | {_shown(each.second)}"


def _shown(said: str | None) -> str:
    return "-" if said is None else said


def _messages(source: str) -> list[bytes]:
    found = list(messages_in(text_of(source)))
    if not found:
        raise Invalid(f"there is no FIX message in {source!r}")
    return found


def _tags(text: str) -> frozenset[int]:
    try:
        return frozenset(int(each) for each in text.split(",") if each)
    except ValueError as error:
        raise Invalid(f"tags to ignore are numbers, as in 52,60; not {text!r}") from error
