"""Evidence of controls: which criteria they answer, which tests prove them, what became of those,
and the head of the journal's proof, so that it can be said as of when."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final
from xml.parsers.expat import ExpatError, ParserCreate

import msgspec

from fondaco import __version__
from fondaco.kernel.errors import Invalid

UNKNOWN: Final = "not known"
_WORST: Final = ("failed", "skipped", UNKNOWN)  # of several, the first that is there counts


def carried() -> dict[str, Any]:
    """The control map, as the package has it from docs/controls.toml."""
    text = (files("fondaco.app") / "controls.json").read_text("utf-8")
    found: dict[str, Any] = msgspec.json.decode(text)
    return found


def evidence(journal: Mapping[str, Any], results: Mapping[str, str]) -> dict[str, Any]:
    """`results` by test: "passed", "failed", "skipped". A criterion is proven when every test of
    each of its controls has passed."""
    found = carried()
    proven: dict[str, list[dict[str, str]]] = {
        name: [{"test": test, "result": results.get(test, UNKNOWN)} for test in each["tests"]]
        for name, each in found["controls"].items()
    }
    return {
        "made_by": f"fondaco {__version__}",
        "journal": dict(journal),
        "frameworks": found["frameworks"],
        "criteria": [
            {**each, "state": _state([one for name in each["controls"] for one in proven[name]])}
            for each in found["criteria"]
        ],
        "controls": {
            name: {**each, "state": _state(proven[name]), "tests": proven[name]}
            for name, each in found["controls"].items()
        },
    }


def _state(tests: list[dict[str, str]]) -> str:
    seen = {each["result"] for each in tests}
    return next((each for each in _WORST if each in seen), "proven")


def results_of(text: str) -> dict[str, str]:
    """From what `pytest --junitxml` writes, all variants of a test together. Raises `Invalid`."""
    found: dict[str, str] = {}
    now = [""]
    worse = ("passed", "skipped", "failed")

    def start(tag: str, said: dict[str, str]) -> None:
        if tag == "testcase":
            place = said.get("classname", "").replace(".", "/")
            now[0] = f"{place}.py::{said.get('name', '').partition('[')[0]}"
            found.setdefault(now[0], "passed")
        elif tag in ("failure", "error", "skipped") and now[0]:
            result = "skipped" if tag == "skipped" else "failed"
            found[now[0]] = max(found[now[0]], result, key=worse.index)

    parser = ParserCreate()
    parser.StartElementHandler = start
    try:
        parser.Parse(text, True)
    except ExpatError as error:
        said = "the results are no JUnit XML, as pytest --junitxml writes it"
        raise Invalid(f"{said}: {error}") from error
    return found
