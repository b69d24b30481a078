"""The control map: docs/controls.toml as people read it (docs/controls.md), and as the package
carries it to write evidence from (src/fondaco/app/controls.json)."""

import json
import tomllib
from collections.abc import Iterator
from typing import Any, Final

from proof import ROOT, THREATS, controls

MAP: Final = ROOT / "docs" / "controls.toml"
CARRIED: Final = ROOT / "src" / "fondaco" / "app" / "controls.json"


def control_map() -> dict[str, Any]:
    return tomllib.loads(MAP.read_text("utf-8"))


def carried() -> str:
    """What the package carries: each criterion with its controls, each control with its tests."""
    found = control_map()
    known = {row.number: row for row in controls(THREATS.read_text("utf-8"))}
    criteria = [
        {"framework": framework, "criterion": name, **each}
        for framework, listed in found["criteria"].items()
        for name, each in listed.items()
    ]
    used = sorted({name for each in criteria for name in each["controls"]})
    shown = {
        "frameworks": found["frameworks"],
        "criteria": criteria,
        "controls": {
            name: {"title": known[name].title, "tests": list(known[name].tests)} for name in used
        },
    }
    return json.dumps(shown, indent=1, ensure_ascii=False) + "\n"


def page() -> Iterator[str]:
    """The lines of docs/controls.md."""
    found = control_map()
    yield from ("# Controls", "")
    yield "Made by `make docs` from [controls.toml](controls.toml); a test compares the two. Each"
    yield "control is one of [threats.md](threats.md), with its tests."
    yield from ("", "    fondaco audit controls --export evidence.json --results junit.xml", "")
    yield "writes all of it with the tests' last results and the head of the journal's proof."
    for framework, listed in found["criteria"].items():
        said = found["frameworks"][framework]
        yield from ("", f"## {said['title']}", "", f"Not here: {said['left']}", "")
        yield "| criterion | what it asks | controls |"
        yield "|---|---|---|"
        for name, each in listed.items():
            links = ", ".join(
                f"[{one.replace('_', ' ')}](threats.md#{one})" for one in each["controls"]
            )
            yield f"| {name.replace('_', '.')} | {each['title']} | {links} |"
