"""A request that cannot be read is told what could have been."""

from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from fondaco.gateway.unread import told


class Hue(StrEnum):
    RED = "red"
    BLUE = "blue"


class Leaf(Struct, forbid_unknown_fields=True, rename="camel"):
    hue_of: Hue
    kind: Literal["a", "b"] | None = None


class Tree(Struct, forbid_unknown_fields=True):
    leaf: Leaf | None = None
    leaves: Annotated[list[Leaf], Meta(max_length=3)] = []
    by_name: dict[str, Leaf] = {}
    pair: tuple[int, Hue] = (0, Hue.RED)


# what is asked, how the answer ends
WRONG: list[tuple[Any, str]] = [
    ({"leaf": {"hueOf": "green"}}, "at `$.leaf.hueOf`; must be one of red, blue"),
    ({"leaf": {"hueOf": "red", "kind": "c"}}, "at `$.leaf.kind`; must be one of a, b"),
    ({"leaves": [{"hueOf": "green"}]}, "at `$.leaves[0].hueOf`; must be one of red, blue"),
    ({"by_name": {"x.y": {"hueOf": "green"}}}, "`$.by_name[...].hueOf`; must be one of red, blue"),
    ({"pair": [1, "green"]}, "at `$.pair[1]`; must be one of red, blue"),
    ({"leef": 1}, "unknown field `leef`; known are leaf, leaves, by_name, pair"),
    ({"leaves": [{"hue": 1}]}, "`hue` - at `$.leaves[0]`; known are hueOf, kind"),
    ({"leaves": 1}, "Expected `array`, got `int` - at `$.leaves`"),
]


@pytest.mark.parametrize(("asked", "ends"), WRONG)
def test_what_could_have_been_is_told(asked: Any, ends: str) -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.convert(asked, Tree)
    assert told(Tree, raised.value).endswith(ends)
