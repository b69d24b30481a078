"""Reads lists in the open formats in which their authors publish them.

`ofac-csv`: SDN.CSV of the US Treasury, with ALT.CSV where it lies beside it (no header; -0- is
nothing). `ofac-xml`: SDN.XML of the same. `opensanctions`: targets.simple.csv of OpenSanctions,
also of its PEPs: who has no `sanctions` there is listed for an office.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from xml.parsers.expat import ExpatError, ParserCreate

from fondaco.kernel.errors import Invalid
from fondaco.ports.screening import Entry, Topic

Read = tuple[list[Entry], int]  # entries, and how many are no person
_NOTHING: Final = "-0-"
_DOB: Final = re.compile(r"DOB [^;]*?(\d{4})")
_NATION: Final = re.compile(r"(?:nationality|citizen) ([A-Z][A-Za-z ,'()-]+?)[;.]")
_SIMPLE: Final = ("id", "schema", "name", "aliases", "birth_date", "countries")
_YEAR: Final = re.compile(r"\b(1[89]\d\d|20\d\d)\b")


def read(path: Path) -> tuple[str, Read]:
    """The form, which is told by what stands first in the file. Raises `Invalid`."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"the list {path} cannot be read: {error}") from error
    head = text[:4_096].lstrip()
    if head.startswith("<"):
        form: str = "ofac-xml"
    elif head.startswith(("id,schema", '"id","schema"')):
        form = "opensanctions"
    else:
        form = "ofac-csv"
    return form, _FORMS[form](path, text)


def _rows(path: Path, text: str, columns: int) -> Iterator[list[str]]:
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        for row in reader:
            if not row or row == ["\x1a"]:  # which ends files of the Treasury
                continue
            if len(row) < columns:
                said = f"{len(row)} columns, must have {columns}"
                raise Invalid(f"the list {path}, line {reader.line_num}, has {said}")
            yield [each.strip() for each in row]
    except csv.Error as error:
        raise Invalid(f"the list {path}, line {reader.line_num}: {error}") from error


def _ofac_csv(path: Path, text: str) -> Read:
    others = defaultdict[str, list[str]](list)
    beside = next((each for each in path.parent.iterdir() if each.name.lower() == "alt.csv"), None)
    if beside is not None and beside != path:
        for number, _, _, name, *_ in _rows(beside, beside.read_text("utf-8-sig"), 4):
            others[number].append(name)
    entries, left_out = [], 0
    for row in _rows(path, text, 12):
        number, name, kind, remarks = row[0], row[1], row[2], row[11]
        if kind != "individual":
            left_out += 1
            continue
        entries.append(
            Entry(
                number,
                "sanction",
                tuple(dict.fromkeys([name, *others[number]])),
                tuple(int(each) for each in _DOB.findall(remarks)),
                tuple(_NATION.findall(remarks + ";")),
            )
        )
    return entries, left_out


def _simple(path: Path, text: str) -> Read:
    rows = _rows(path, text, len(_SIMPLE))
    header = next(rows, [])
    if lacking := [each for each in _SIMPLE if each not in header]:
        raise Invalid(f"the list {path} has no column {', '.join(lacking)}")
    entries, left_out = [], 0
    for line in rows:
        row = dict(zip(header, line, strict=False))
        if row["schema"] != "Person":
            left_out += 1
            continue
        topic: Topic = "sanction" if row.get("sanctions") else "pep"
        names = [row["name"], *_several(row["aliases"])]
        entries.append(
            Entry(
                row["id"],
                topic,
                tuple(dict.fromkeys(each for each in names if each)),
                tuple(int(each) for each in _YEAR.findall(row["birth_date"])),
                tuple(_several(row["countries"])),
            )
        )
    return entries, left_out


def _several(text: str) -> list[str]:
    return [each.strip() for each in text.split(";") if each.strip()]


class _Sdn:
    """SDN.XML as it is read: what each element says, by its name without namespace."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.left_out = 0
        self._path: list[str] = []
        self._text: list[str] = []
        self._said: dict[str, list[str]] = {}

    def start(self, tag: str, _: Mapping[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self._path.append(name)
        self._text = []
        if name in ("sdnEntry", "aka"):
            self._said = {} if name == "sdnEntry" else self._said
            self._said.setdefault("whole", []).append("")

    def data(self, text: str) -> None:
        self._text.append(text)

    def end(self, _: str) -> None:
        name, text = self._path.pop(), "".join(self._text).strip()
        self._text = []
        parent = self._path[-1] if self._path else ""
        if name in ("lastName", "firstName") and parent in ("sdnEntry", "aka"):
            whole = self._said["whole"]
            whole[-1] = f"{whole[-1]} {text}".strip()
        elif name in ("sdnType", "dateOfBirth", "country") or (name, parent) == ("uid", "sdnEntry"):
            self._said.setdefault(name if parent != "address" else "-", []).append(text)
        elif name == "sdnEntry":
            self._close()

    def _close(self) -> None:
        said = self._said
        if said.get("sdnType") != ["Individual"]:
            self.left_out += 1
            return
        self.entries.append(
            Entry(
                said["uid"][0],
                "sanction",
                tuple(dict.fromkeys(each for each in said["whole"] if each)),
                tuple(int(y) for each in said.get("dateOfBirth", []) for y in _YEAR.findall(each)),
                tuple(dict.fromkeys(said.get("country", []))),
            )
        )


def _ofac_xml(path: Path, text: str) -> Read:
    found, parser = _Sdn(), ParserCreate()

    def refuse(*_: Any) -> None:
        raise Invalid(f"the list {path} declares entities, which no list needs: it is not read")

    parser.StartElementHandler, parser.EndElementHandler = found.start, found.end
    parser.CharacterDataHandler, parser.EntityDeclHandler = found.data, refuse
    try:
        parser.Parse(text, True)
    except (ExpatError, KeyError) as error:
        line = parser.CurrentLineNumber
        raise Invalid(f"the list {path}, line {line}, is no SDN.XML: {error}") from error
    return found.entries, found.left_out


_FORMS: Final[Mapping[str, Callable[[Path, str], Read]]] = {
    "ofac-csv": _ofac_csv,
    "ofac-xml": _ofac_xml,
    "opensanctions": _simple,
}
