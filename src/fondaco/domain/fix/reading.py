"""From the XML that engines exchange as a data dictionary to the compact table of facts kept here.

The XML: `<fix type major minor servicepack>` with header, trailer, messages, components and fields.
A member of a layout is a tag, negative where required; `"Parties"` or `"!Parties"` for a component;
`[tag, member, …]` for a repeating group.
"""

from typing import TypeAlias
from xml.etree.ElementTree import Element, ParseError, fromstring

import msgspec

from fondaco.kernel.errors import Invalid

Member: TypeAlias = "int | str | list[Member]"


class Table(msgspec.Struct):
    """What is kept of a dictionary. A field: tag → [name, type, {value: meaning} where it has]."""

    name: str
    begin_string: str
    header: msgspec.Raw
    trailer: msgspec.Raw
    messages: dict[str, msgspec.Raw]  # msg_type → [name, "admin" | "app", members]
    components: dict[str, msgspec.Raw]  # name → members
    fields: dict[str, msgspec.Raw]


def table_of(xml: bytes) -> Table:
    """The table of a data dictionary in XML. Raises `Invalid` for anything else."""
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise Invalid("a data dictionary has no DOCTYPE: remove it")
    try:
        root = fromstring(xml)  # noqa: S314 - without entities there is nothing to expand
    except ParseError as error:
        raise Invalid(f"the data dictionary is not XML: {error}") from error
    if root.tag != "fix":
        raise Invalid(f"a data dictionary begins with <fix>, not <{root.tag}>")
    return _Reader(root).table()


class _Reader:
    def __init__(self, root: Element) -> None:
        self._root = root
        self._tags: dict[str, int] = {}

    def table(self) -> Table:
        root = self._root
        begin = f"{root.get('type', 'FIX')}.{_said(root, 'major')}.{_said(root, 'minor')}"
        pack = root.get("servicepack", "0")
        fields = {}
        for field in root.iterfind("fields/field"):
            tag = _number(field)
            self._tags[_said(field, "name")] = tag
            fields[str(tag)] = _kept(_field(field))
        return Table(
            name=begin if pack == "0" else f"{begin}SP{pack}",
            begin_string=begin,
            header=_kept(self._members(root.find("header"))),
            trailer=_kept(self._members(root.find("trailer"))),
            messages={
                _said(message, "msgtype"): _kept(
                    [
                        _said(message, "name"),
                        message.get("msgcat", "app"),
                        self._members(message),
                    ]
                )
                for message in root.iterfind("messages/message")
            },
            components={
                _said(component, "name"): _kept(self._members(component))
                for component in root.iterfind("components/component")
            },
            fields=fields,
        )

    def _members(self, parent: Element | None) -> list[Member]:
        members: list[Member] = []
        for child in () if parent is None else parent:
            name = _said(child, "name")
            required = child.get("required", "N") in ("Y", "y")
            if child.tag == "component":
                members.append(f"!{name}" if required else name)
                continue
            if name not in self._tags:
                raise Invalid(f"the dictionary uses a field {name!r} that it does not define")
            tag = -self._tags[name] if required else self._tags[name]
            members.append([tag, *self._members(child)] if child.tag == "group" else tag)
        return members


def _field(field: Element) -> list[object]:
    values = {
        _said(value, "enum"): value.get("description", "") for value in field.iterfind("value")
    }
    kept: list[object] = [_said(field, "name"), _said(field, "type")]
    return [*kept, values] if values else kept


def _kept(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def _said(element: Element, name: str) -> str:
    said = element.get(name)
    if said is None:
        raise Invalid(f"a <{element.tag}> of the data dictionary has no {name}")
    return said


def _number(field: Element) -> int:
    said = _said(field, "number")
    if not said.isdecimal() or not 0 < int(said) < 2**31:
        raise Invalid(f"field {field.get('name')!r} has number {said!r}; tags are 1 to 2147483647")
    return int(said)
