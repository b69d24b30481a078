"""One suite for every way to look people up, one test a promise of `fondaco.ports.screening`.
An adapter, or a format, that is not in `FORMS` does not exist."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from runpy import run_path
from typing import Any, Final
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.kernel.errors import Invalid
from fondaco.ports.screening import Sought
from fondaco.ports.screening.local import DEMO, LocalLists
from fondaco.ports.screening.names import name_of, score

# Who is listed: id, family and given name, others, birth year, country. Nobody's.
LISTED: Final = (
    ("11", "Quimbybrandt", "Zoltar", ("Золтар Квимбибрандт",), 1961, "zz"),
    ("12", "Österkrähenbühl", "Günther", ("Guenther Oesterkraehenbuehl",), 1949, "yy"),
    ("13", "Tarqanuwi", "Abd al-Rahim", ("عبد الرحيم ترقنوي", "TARKANUWI, Abdulrahim"), 1958, "zz"),
)
STRANGERS: Final = ("Ada Lovelace", "Kofi Boateng", "Maria Ferrari", "李小龙", "Ole Nordmann")


def simple(folder: Path, listed: Any = LISTED) -> Path:
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(
        ["id", "schema", "name", "aliases", "birth_date", "countries", "sanctions", "dataset"]
    )
    for number, family, given_name, others, year, country in listed:
        name = f"{given_name} {family}"
        rows.writerow(
            [number, "Person", name, ";".join(others), f"{year}-05-01", country, "Invented", "x"]
        )
    rows.writerow(["99", "Organization", "Quimbybrandt Ltd", "", "", "zz", "Invented", "x"])
    path = folder / "listed.csv"
    path.write_text(out.getvalue(), "utf-8")
    return path


def ofac_csv(folder: Path, listed: Any = LISTED) -> Path:
    """As the Treasury writes it: no header, -0- for nothing, the other names in a second file."""
    nothing = ["-0- "] * 7
    out, others_out = io.StringIO(), io.StringIO()
    rows, alt = csv.writer(out), csv.writer(others_out)
    for number, family, given_name, others, year, country in listed:
        remarks = f"DOB 01 May {year}; nationality {country.upper()}; Gender Male."
        head = [number, f"{family.upper()}, {given_name}", "individual", "SDGT"]
        rows.writerow([*head, *nothing, remarks])
        for n, other in enumerate(others):
            alt.writerow([number, n, "aka", other, "-0- "])
    rows.writerow(["99", "QUIMBYBRANDT LTD", "-0- ", "SDGT", *nothing, "-0- "])
    (folder / "alt.csv").write_text(others_out.getvalue() + "\x1a", "utf-8")
    path = folder / "listed.csv"
    path.write_text(out.getvalue() + "\x1a\r\n", "utf-8")
    return path


def ofac_xml(folder: Path, listed: Any = LISTED) -> Path:
    entries = []
    for number, family, given_name, others, year, country in listed:
        akas = "".join(
            f"<aka><uid>{n}</uid><type>a.k.a.</type><category>strong</category>"
            f"<lastName>{escape(other)}</lastName></aka>"
            for n, other in enumerate(others)
        )
        entries.append(
            f"<sdnEntry><uid>{number}</uid><firstName>{escape(given_name)}</firstName>"
            f"<lastName>{escape(family)}</lastName><sdnType>Individual</sdnType>"
            f"<akaList>{akas}</akaList><nationalityList><nationality><uid>1</uid>"
            f"<country>{country}</country></nationality></nationalityList><dateOfBirthList>"
            f"<dateOfBirthItem><uid>2</uid><dateOfBirth>01 May {year}</dateOfBirth>"
            f"</dateOfBirthItem></dateOfBirthList></sdnEntry>"
        )
    firm = "<sdnEntry><uid>99</uid><lastName>QUIMBYBRANDT LTD</lastName><sdnType>Entity</sdnType>"
    path = folder / "listed.csv"  # its form is told by what is in it, not by its name
    text = f"{''.join(entries)}{firm}</sdnEntry>"
    path.write_text(f'<?xml version="1.0"?><sdnList xmlns="http://list.example">{text}</sdnList>')
    return path


ROOT: Final = Path(__file__).resolve().parents[2]
Make = Callable[..., Path]
FORMS: Final[dict[str, Make]] = {
    "opensanctions": simple, "ofac-csv": ofac_csv, "ofac-xml": ofac_xml,
}  # fmt: skip
forms = pytest.mark.parametrize("form", FORMS)


def found(lists: LocalLists, name: str, **more: Any) -> list[tuple[str, int]]:
    hits = lists.screen(Sought((name,), **more))
    return [(each.entry_id, each.score) for each in hits]


@forms
def test_1_whoever_is_listed_is_found_by_each_name(form: str, tmp_path: Path) -> None:
    lists = LocalLists([FORMS[form](tmp_path)])
    for number, family, given_name, others, _, _ in LISTED:
        for name in (f"{given_name} {family}", f"{family}, {given_name}", *others):
            for written in (name, name.upper(), name.lower(), f"Dr. {name}"):
                assert (number, 100) in found(lists, written), written
    assert ("12", 100) in found(lists, "Gunther Osterkrahenbuhl"), "without diacritics"
    assert found(lists, "Zoltar Kwimbibrant")[0][0] == "11", "as it sounds"


@forms
def test_2_who_shares_no_name_is_not_found(form: str, tmp_path: Path) -> None:
    lists = LocalLists([FORMS[form](tmp_path)])
    assert {name: found(lists, name) for name in STRANGERS} == {name: [] for name in STRANGERS}
    assert found(lists, "") == found(lists, "…") == []
    [said] = lists.lists()
    assert (said.form, said.entries, said.left_out) == (form, 3, 1), "a firm is no person"


@forms
def test_3_what_differs_is_said_and_takes_no_hit_away(form: str, tmp_path: Path) -> None:
    lists = LocalLists([FORMS[form](tmp_path)])
    fits = lists.screen(Sought(("Zoltar Quimbybrandt",), 1962, ("ZZ",)))[0]
    other = lists.screen(Sought(("Zoltar Quimbybrandt",), 1990, ("YY",)))[0]
    assert fits.why == ("the same name", "the birth year fits", "a country fits")
    assert other.why == ("the same name", "the birth year differs by 29 years",
                         "no country is the same")  # fmt: skip
    assert fits.score == other.score == 100


@forms
def test_4_a_digest_changes_if_and_only_if_the_list_does(form: str, tmp_path: Path) -> None:
    path = FORMS[form](tmp_path)
    lists = LocalLists([path])
    [before] = lists.lists()
    assert not lists.look_again()
    path.touch()
    assert not lists.look_again(), "written again as it was"
    FORMS[form](tmp_path, (*LISTED, ("14", "Boateng", "Kofi", (), 1970, "zz")))
    assert found(lists, "Kofi Boateng") == [], "not yet"
    assert lists.look_again()
    assert lists.lists()[0].digest != before.digest
    assert found(lists, "Kofi Boateng") == [("14", 100)]


@forms
def test_5_what_cannot_be_read_leaves_what_was_read(form: str, tmp_path: Path) -> None:
    path = FORMS[form](tmp_path)
    lists, whole = LocalLists([path]), path.read_text("utf-8")
    head = whole.partition("\n")[0] if form == "opensanctions" else ""
    cut = f'{head}\n17,"Cut' if form != "ofac-xml" else whole[: len(whole) // 2]
    path.write_text(cut, "utf-8")
    with pytest.raises(Invalid, match=r"listed\.csv, line"):
        lists.look_again()
    assert found(lists, "Zoltar Quimbybrandt") == [("11", 100)]
    path.unlink()
    with pytest.raises(Invalid):
        lists.look_again()


def test_5_a_list_that_declares_entities_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "sdn.xml"
    path.write_text('<!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>')
    with pytest.raises(Invalid, match="entities"):
        LocalLists([path])


def test_6_the_same_people_in_another_format_are_the_same_hits(tmp_path: Path) -> None:
    names = [name for row in LISTED for name in (f"{row[2]} {row[1]}", *row[3])]
    asked = [Sought((name,), 1958, ("ZZ",)) for name in names]
    said = []
    for form, make in FORMS.items():
        (folder := tmp_path / form).mkdir()
        lists = LocalLists([make(folder)])
        said.append(
            [[(h.entry_id, h.score, h.topic, h.why) for h in lists.screen(one)] for one in asked]
        )
    assert said[0] == said[1] == said[2]
    assert all(said[0])


def test_the_list_of_a_demo_is_read_and_names_nobody_else() -> None:
    lists = LocalLists([DEMO])
    assert found(lists, "Quimbybrandt Zoltar") == [("demo-1", 100)]
    assert {hit.topic for hit in lists.screen(Sought(("Petronella Ashgrovewick",)))} == {"pep"}
    assert [found(lists, name) for name in STRANGERS] == [[]] * len(STRANGERS)


words = st.text("abcdefghijklmnoprstuvz", min_size=3, max_size=9)
names = st.lists(words, min_size=2, max_size=4).map(" ".join)


@given(names, names)
def test_likeness_has_no_direction_and_no_order_of_words(one: str, other: str) -> None:
    a, b = name_of(one), name_of(other)
    turned = name_of(" ".join(reversed(one.split())))
    assert score(a, a) == 100
    assert score(a, turned) == 100
    assert 0 <= score(a, b) <= 100
    assert (score(a, b) == 100) == (sorted(a.words) == sorted(b.words))


def test_what_is_found_is_what_docs_kyc_says(tmp_path: Path) -> None:
    """Some of the people of benchmarks/screening.py, under every change that it makes."""
    bench = run_path(str(ROOT / "benchmarks" / "screening.py"))
    namer = bench["Namer"](37)
    listed = list(dict.fromkeys(namer.name() for _ in range(300)))
    ask = bench["look"](bench["written"](tmp_path, listed))
    sought = [
        (number, kind, text)
        for number, name in enumerate(listed[:40])
        for kind, text in namer.changes(name)
    ]
    looked, _ = bench["judged"](ask, sought)
    strangers = [namer.stranger(listed) for _ in range(60)]
    assert sum(ok for _, ok in looked) / len(looked) >= 0.97
    assert sum(bool(ask(name)) for name in strangers) <= 4
