"""docs/threats.md: the threat model as people read it, from docs/threats.toml."""

import tomllib
from collections.abc import Iterator
from typing import Any, Final

from proof import THREATS

KINDS: Final = {
    "assets": "What is worth protecting",
    "actors": "Who might try",
    "entries": "Where they would come in",
}
# What each way in must have, by NIST SP 800-207 and the requirement A47.
MUST: Final = ("authentication", "authorisation", "rate", "validation")


def model() -> dict[str, dict[str, dict[str, Any]]]:
    return tomllib.loads(THREATS.read_text("utf-8"))


def controls_of(each: dict[str, Any]) -> list[str]:
    """Everything that an asset, an actor or an entry names, once each."""
    named = [name for key in ("controls", *MUST) for name in each.get(key, [])]
    return list(dict.fromkeys(named))


def page() -> Iterator[str]:
    """The lines of docs/threats.md."""
    found = model()
    yield from ("# Threats", "")
    yield "Made by `make docs` from [threats.toml](threats.toml); a test compares the two. A run of"
    yield "the whole suite fails if a control's tests did not run and pass."
    yield from ("", f"## {KINDS['assets']}", "")
    yield "| asset | class | what it fears | controls |"
    yield "|---|---|---|---|"
    for each in found["assets"].values():
        fears = "; ".join(each["threats"])
        yield f"| {each['title']} | {each['class']} | {fears} | {_links(controls_of(each))} |"
    yield from ("", f"## {KINDS['actors']}", "")
    yield "| actor | may | must not | controls |"
    yield "|---|---|---|---|"
    for each in found["actors"].values():
        must_not, named = each["must_not"], _links(controls_of(each))
        yield f"| {each['title']} | {each['may']} | {must_not} | {named} |"
    yield from ("", f"## {KINDS['entries']}", "")
    yield "| entry | authentication | authorisation | rate | validation |"
    yield "|---|---|---|---|---|"
    for each in found["entries"].values():
        yield f"| {each['title']} | {' | '.join(_links(each[kind]) for kind in MUST)} |"
    yield from ("", "## What holds them off", "")
    for name, each in found["controls"].items():
        yield from (f"### {name}", "", f"{each['title']}.", "")
        tests = [each["test"]] if isinstance(each["test"], str) else each["test"]
        yield from (*(f"- `{test}`" for test in tests), "")


def _links(names: list[str]) -> str:
    return ", ".join(f"[{name.replace('_', ' ')}](#{name})" for name in names)
