"""Data dictionaries: names, types, enumerations, and what belongs into which message.

A dictionary is read from a compact table in the package, or from the XML of a custom one. Nothing
is worked out before it is asked for: a layout is built when the first message of its type comes.
"""

from collections.abc import Mapping
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec

from fondaco.domain.fix.lengths import LENGTH_OF, marks
from fondaco.domain.fix.reading import Member, Table, table_of
from fondaco.kernel.errors import Invalid, NotFound

NAMES: Final = (
    "FIX.4.0",
    "FIX.4.1",
    "FIX.4.2",
    "FIX.4.3",
    "FIX.4.4",
    "FIX.5.0",
    "FIX.5.0SP1",
    "FIX.5.0SP2",
    "FIXT.1.1",
)
# ApplVerID (1128), DefaultApplVerID (1137).
OF_APPL_VER_ID: Final = {
    "2": "FIX.4.0",
    "3": "FIX.4.1",
    "4": "FIX.4.2",
    "5": "FIX.4.3",
    "6": "FIX.4.4",
    "7": "FIX.5.0",
    "8": "FIX.5.0SP1",
    "9": "FIX.5.0SP2",
}
DATA_TYPES: Final = frozenset(("DATA", "XMLDATA"))
# Of the session layer in every version, whatever a dictionary says.
_HEADER: Final = frozenset(
    (8, 9, 34, 35, 43, 49, 50, 52, 56, 57, 90, 97, 115, 116, 122, 128, 129, 142, 143, 144, 145)
) | frozenset((212, 213, 347, 369, 370, 627, 1128, 1129))
_TRAILER: Final = frozenset((10, 89, 93))


class _Field(msgspec.Struct, array_like=True):
    name: str
    type: str
    values: dict[str, str] = {}


class _Message(msgspec.Struct, array_like=True):
    name: str
    category: str
    members: list[Any]


_FIELD: Final = msgspec.json.Decoder(_Field)
_MESSAGE: Final = msgspec.json.Decoder(_Message)
_MEMBERS: Final = msgspec.json.Decoder(list[Any])


class Field(msgspec.Struct, frozen=True, gc=False):
    """A field's tag, name and type, and its enumeration where it has one: value → meaning."""

    tag: int
    name: str
    type: str
    values: Mapping[str, str]


class Layout(msgspec.Struct, frozen=True):
    """What a message, the header, or one entry of a group is made of.

    `order` has every tag in dictionary order, without those inside groups; `required` ascends.
    """

    order: tuple[int, ...]
    required: tuple[int, ...]
    members: frozenset[int]
    groups: Mapping[int, "Layout"]

    @property
    def delimiter(self) -> int:
        """The first field of a group's entry: each entry begins with it."""
        return self.order[0]


NOTHING: Final = Layout((), (), frozenset(), {})


class Dictionary:
    """The facts of one version of FIX."""

    def __init__(self, table: Table) -> None:
        self.name = table.name
        self.begin_string = table.begin_string
        self._table = table
        self._fields: dict[int, Field | None] = {}
        self._layouts: dict[str, Layout | None] = {}
        self.plans: dict[tuple[str, Dictionary], Any] = {}  # of `validation`, which makes them

    @classmethod
    def read(cls, path: str | Path) -> "Dictionary":
        """A custom dictionary from an XML file. Raises `Invalid`, or `OSError`."""
        return cls(table_of(Path(path).read_bytes()))

    def __repr__(self) -> str:
        return f"<Dictionary {self.name}>"

    def field(self, tag: int) -> Field | None:
        found = self._fields.get(tag)
        if found is None and tag not in self._fields:
            found = self._fields[tag] = self._read_field(tag)
        return found

    def _read_field(self, tag: int) -> Field | None:
        kept = self._table.fields.get(str(tag))
        if kept is None:
            return None
        read = _FIELD.decode(kept)
        return Field(tag, read.name, read.type, read.values)

    @cached_property
    def tags(self) -> frozenset[int]:
        """Every tag that is defined."""
        return frozenset(map(int, self._table.fields))

    @cached_property
    def tag_of(self) -> Mapping[str, int]:
        """Field name → tag."""
        return {_FIELD.decode(kept).name: int(tag) for tag, kept in self._table.fields.items()}

    @property
    def msg_types(self) -> tuple[str, ...]:
        return tuple(self._table.messages)

    def message_name(self, msg_type: str) -> str | None:
        kept = self._table.messages.get(msg_type)
        return None if kept is None else _MESSAGE.decode(kept).name

    def is_admin(self, msg_type: str) -> bool:
        kept = self._table.messages.get(msg_type)
        return kept is not None and _MESSAGE.decode(kept).category == "admin"

    def layout(self, msg_type: str) -> Layout | None:
        """The body of a message type; None where the dictionary has no such message."""
        found = self._layouts.get(msg_type)
        if found is None and msg_type in self._table.messages:
            members = _MESSAGE.decode(self._table.messages[msg_type]).members
            found = self._layouts[msg_type] = self._layout(members, (), True)
        return found

    @cached_property
    def header(self) -> Layout:
        return self._layout(_MEMBERS.decode(self._table.header), (), True)

    @cached_property
    def trailer(self) -> Layout:
        return self._layout(_MEMBERS.decode(self._table.trailer), (), True)

    @cached_property
    def header_tags(self) -> frozenset[int]:
        return _HEADER | self.header.members

    @cached_property
    def trailer_tags(self) -> frozenset[int]:
        return _TRAILER | self.trailer.members

    @cached_property
    def length_of(self) -> Mapping[int, int]:
        """Data tag → tag of its length, the standard's own among them."""
        return {**LENGTH_OF, **self.own_lengths()}

    @cached_property
    def marks(self) -> bytes:
        return marks(self.length_of)

    def own_lengths(self) -> dict[int, int]:
        """The pairs that this dictionary itself defines: by name, or by the tag before."""
        pairs = {}
        for text, kept in self._table.fields.items():
            read = _FIELD.decode(kept)
            if read.type in DATA_TYPES:
                tag = int(text)
                named = (self.tag_of.get(read.name + end) for end in ("Len", "Length"))
                pairs[tag] = next((length for length in named if length), tag - 1)
        return pairs

    def _layout(self, members: list[Member], inside: tuple[str, ...], required: bool) -> Layout:
        order: dict[int, bool] = {}
        groups: dict[int, Layout] = {}
        self._gather(members, inside, required, order, groups)
        return Layout(
            tuple(order),
            tuple(sorted(tag for tag, needed in order.items() if needed)),
            frozenset(order),
            groups,
        )

    def _gather(
        self,
        members: list[Member],
        inside: tuple[str, ...],
        required: bool,
        order: dict[int, bool],
        groups: dict[int, Layout],
    ) -> None:
        """Write down every member, components replaced by what they are made of."""
        for member in members:
            if isinstance(member, str):
                name = member.removeprefix("!")
                if name in inside:
                    raise Invalid(f"component {name!r} of {self.name} contains itself")
                if name not in self._table.components:
                    raise Invalid(f"{self.name} uses a component {name!r} that it does not define")
                parts = _MEMBERS.decode(self._table.components[name])
                # An optional component's fields are required only of those who send it.
                needed = required and member.startswith("!")
                self._gather(parts, (*inside, name), needed, order, groups)
                continue
            counted = isinstance(member, list)
            signed = member[0] if isinstance(member, list) else member
            if not isinstance(signed, int):
                raise Invalid(f"a group of {self.name} does not begin with its tag")
            tag = abs(signed)
            order[tag] = order.get(tag, False) or (required and signed < 0)
            if counted and isinstance(member, list):
                layout = self._layout(member[1:], inside, True)
                if layout.order:
                    groups[tag] = layout


@cache
def dictionary(name: str) -> Dictionary:
    """A standard dictionary: "FIX.4.2", "FIXT.1.1", "FIX.5.0SP2" …; raises `NotFound`."""
    if name not in NAMES:
        raise NotFound(f"there is no dictionary {name!r}; there are {', '.join(NAMES)}")
    kept = files("fondaco.domain.fix").joinpath("tables", f"{name}.json").read_bytes()
    return Dictionary(msgspec.json.decode(kept, type=Table))


def dictionary_for(begin_string: str, appl_ver_id: str | None = None) -> Dictionary | None:
    """The application dictionary of a message by its BeginString and ApplVerID, or None.

    FIXT.1.1 without an ApplVerID is read as 5.0 SP2, which has nearly all that came before.
    """
    if begin_string == "FIXT.1.1":
        return dictionary(OF_APPL_VER_ID.get(appl_ver_id or "9", "FIX.5.0SP2"))
    return dictionary(begin_string) if begin_string in NAMES else None
