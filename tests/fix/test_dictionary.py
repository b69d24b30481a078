"""Dictionaries, as they come in the package and as one's own."""

from importlib.resources import files
from pathlib import Path

import pytest

from fondaco.domain.fix.dictionary import NAMES, Dictionary, dictionary, dictionary_for
from fondaco.domain.fix.lengths import LENGTH_OF
from fondaco.domain.fix.reading import table_of
from fondaco.kernel.errors import Invalid, NotFound

XML = Path(__file__).parents[2].parent / "shared" / "data" / "fix" / "dictionaries"

OWN = b"""<fix type='FIX' major='4' minor='4' servicepack='0'>
 <header><field name='BeginString' required='Y'/></header>
 <trailer><field name='CheckSum' required='Y'/></trailer>
 <messages><message name='Ping' msgtype='U1' msgcat='app'>
  <field name='Note' required='Y'/><component name='Legs' required='N'/>
  <field name='PictureLen' required='N'/><field name='Picture' required='N'/>
 </message></messages>
 <components><component name='Legs'><group name='NoLegs' required='Y'>
  <field name='LegID' required='Y'/><field name='Mood' required='N'/></group>
 </component></components>
 <fields><field number='8' name='BeginString' type='STRING'/>
  <field number='10' name='CheckSum' type='STRING'/>
  <field number='9001' name='Note' type='STRING'/>
  <field number='9002' name='NoLegs' type='NUMINGROUP'/>
  <field number='9003' name='LegID' type='STRING'/>
  <field number='9004' name='Mood' type='CHAR'><value enum='G' description='GOOD'/></field>
  <field number='9005' name='PictureLen' type='LENGTH'/>
  <field number='9007' name='Picture' type='DATA'/>
 </fields></fix>"""

# Messages, fields and groups as the files themselves count.
COUNTS = {
    "FIX.4.2": (46, 405),
    "FIX.4.4": (93, 912),
    "FIX.5.0SP2": (156, 6028),
    "FIXT.1.1": (8, 71),
}


@pytest.mark.parametrize("name", NAMES)
def test_every_layout_of_every_dictionary_is_whole(name: str) -> None:
    of = dictionary(name)
    assert of.name == name
    if name in COUNTS:
        assert (len(of.msg_types), len(of.tags)) == COUNTS[name]
    for msg_type in of.msg_types:
        layout = of.layout(msg_type)
        assert layout is not None
        todo = [layout]
        while todo:
            each = todo.pop()
            assert each.members <= of.tags
            assert set(each.required) <= each.members == set(each.order)
            assert list(each.required) == sorted(each.required)
            todo += each.groups.values()


def test_names_enumerations_and_categories_are_readable() -> None:
    of = dictionary("FIX.4.4")
    side = of.field(54)
    assert side is not None
    assert (side.name, side.type, side.values["1"]) == ("Side", "CHAR", "BUY")
    assert of.tag_of["ClOrdID"] == 11
    assert of.message_name("D") == "NewOrderSingle"
    assert of.is_admin("A")
    assert not of.is_admin("D")
    assert of.field(999) is None
    assert of.layout("zz") is None
    assert of.message_name("zz") is None


def test_where_raw_data_stands_is_known_without_a_dictionary() -> None:
    """The kernel's own table has every pair that any dictionary has, and no other."""
    pairs: dict[int, int] = {}
    for name in NAMES:
        pairs |= dictionary(name).own_lengths()
    assert dict(LENGTH_OF) == pairs


def test_a_message_finds_its_dictionary() -> None:
    found = [
        dictionary_for(*each)
        for each in (("FIX.4.2",), ("FIXT.1.1", "7"), ("FIXT.1.1",), ("FIX.9.9",))
    ]
    assert [each and each.name for each in found] == ["FIX.4.2", "FIX.5.0", "FIX.5.0SP2", None]
    with pytest.raises(NotFound, match=r"there are FIX\.4\.0"):
        dictionary("FIX.4.9")


def test_a_dictionary_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "own.xml").write_bytes(OWN)
    of = Dictionary.read(tmp_path / "own.xml")
    layout = of.layout("U1")
    assert layout is not None
    assert layout.order == (9001, 9002, 9005, 9007)
    assert layout.required == (9001,)  # the group is of an optional component
    assert layout.groups[9002].required == (9003,)
    assert of.length_of[9007] == 9005
    assert of.length_of[96] == 95


@pytest.mark.parametrize(
    ("xml", "says"),
    [
        (b"nothing", "not XML"),
        (b"<!DOCTYPE x><fix/>", "DOCTYPE"),
        (b"<html/>", "begins with <fix>"),
        (b"<fix/>", "has no major"),
        (OWN.replace(b"number='9004'", b"number='x'"), "tags are 1 to"),
        (OWN.replace(b"<field name='Note'", b"<field name='Nota'"), "does not define"),
    ],
)
def test_what_is_no_dictionary_is_refused(xml: bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        table_of(xml)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"<component name='Legs' required", b"<component name='Lags' required", "does not define"),
        (b"<group name", b"<component name='Legs'/><group name", "contains itself"),
    ],
)
def test_components_are_followed_with_care(old: bytes, new: bytes, says: str) -> None:
    of = Dictionary(table_of(OWN.replace(old, new)))
    with pytest.raises(Invalid, match=says):
        of.layout("U1")


@pytest.mark.skipif(not XML.is_dir(), reason="../shared/data/fix is not here")
@pytest.mark.parametrize("name", COUNTS)
def test_the_tables_are_what_the_tool_makes(name: str) -> None:
    read = Dictionary.read(XML / (name.replace(".", "") + ".xml"))
    kept = dictionary(name)
    assert read.msg_types == kept.msg_types
    assert {tag: read.field(tag) for tag in read.tags} == {t: kept.field(t) for t in kept.tags}
    assert [read.layout(each) for each in read.msg_types] == [
        kept.layout(each) for each in kept.msg_types
    ]


def test_the_acknowledgment_lies_beside_the_tables() -> None:
    notice = files("fondaco.domain.fix").joinpath("tables", "NOTICE").read_text()
    assert (
        "This product includes software developed by quickfixengine.org"
        " (http://www.quickfixengine.org/)" in notice
    )
