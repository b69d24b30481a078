"""Pages that are made from what the house declares: `make docs` writes them, a test compares them.

Rooms are found by importing them, so nothing that a room offers can be missing from a page.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from importlib import import_module
from inspect import cleandoc, getsource
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import fondaco.domain
from docs import access, controls, fix_door, fix_venue, threats
from fondaco import settings
from fondaco.app import live
from fondaco.app.answering import House
from fondaco.kernel.event import Event
from fondaco.kernel.operation import Operation
from fondaco.runtime.room import Room

ROOT: Final = Path(__file__).resolve().parents[2]
DOMAIN: Final = Path(fondaco.domain.__path__[0])
_MADE_BY: Final = "Made by `make docs` from what the rooms declare; a test compares the two."


def rooms() -> list[Room]:
    """Every room that presents itself, in the order of their names."""
    files = sorted(path.relative_to(DOMAIN) for path in DOMAIN.rglob("room.py"))
    modules = [
        import_module(".".join(("fondaco.domain", *path.with_suffix("").parts))) for path in files
    ]
    return [
        value for module in modules for value in vars(module).values() if isinstance(value, Room)
    ]


def operations() -> list[Operation[Any, Any]]:
    """Everything that a running house serves, by name. To be shown it needs no house behind it."""
    nobody = SimpleNamespace(beside=None, refs=lambda: None, tenant_of=lambda _: None)
    return sorted(live.operations(cast(House, nobody)), key=lambda each: each.name)


def declared_kinds() -> list[type[Event]]:
    """Every event class with a kind that any room defines, presented or not."""
    for path in sorted(DOMAIN.rglob("*.py")):
        parts = path.relative_to(DOMAIN).with_suffix("").parts
        import_module(".".join(("fondaco.domain", *parts)).removesuffix(".__init__"))
    found = list(Event.__subclasses__())
    for kind in found:
        found += kind.__subclasses__()
    ours = [kind for kind in found if kind.__module__.startswith("fondaco.domain.")]
    return sorted((kind for kind in ours if kind_of(kind)), key=kind_of)


def kind_of(event: type[Event]) -> str:
    return str(event.__struct_config__.tag or "")


def reasons() -> list[tuple[str, str, str]]:
    """Room and name of every reason for which a rule refuses, and the comment beside it."""
    found: list[tuple[str, str, str]] = []
    for path in sorted(DOMAIN.glob("*/model.py")):
        module = import_module(f"fondaco.domain.{path.parent.name}.model")
        for reason in vars(module).values():
            if not (isinstance(reason, type) and issubclass(reason, StrEnum)):
                continue
            if reason.__module__ != module.__name__ or not reason.__name__.endswith("Reason"):
                continue
            lines = getsource(reason).splitlines()
            for member in reason:
                [nth] = [
                    n for n, line in enumerate(lines) if line.strip().startswith(f"{member.name} =")
                ]
                said = " ".join(lines[nth : nth + 2 if lines[nth].endswith("(") else nth + 1])
                found.append((path.parent.name, member.value, said.partition("  # ")[2].strip()))
    return found


def first_sentence(thing: object) -> str:
    """The docstring of its own, up to the first full stop; or nothing."""
    text = cleandoc(vars(thing).get("__doc__") or "").replace("\n", " ")
    return text.split(". ")[0].rstrip(".")


def in_words(name: str) -> str:
    """FeesChanged as "Fees changed": a name that needs no docstring says it all."""
    return re.sub(r"(?<=[a-z])[A-Z]", lambda match: " " + match[0].lower(), name)


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def events_page() -> Iterator[str]:
    yield from ("# Events", "", _MADE_BY, "")
    yield "What happened, as the journal keeps it. A kind is permanent; a new meaning gets another."
    yield "Fields are kept by their place, in this order."
    for room in rooms():
        if room.kinds:
            yield from ("", f"## {room.name}", "", "| kind | fields | meaning |", "|---|---|---|")
            for event in sorted(room.kinds, key=kind_of):
                fields = ", ".join(f"`{name}`" for name in event.__struct_fields__)
                meaning = first_sentence(event) or in_words(event.__name__)
                yield f"| `{kind_of(event)}` | {fields} | {cell(meaning)} |"


def reasons_page() -> Iterator[str]:
    yield from ("# Reasons", "", _MADE_BY, "")
    yield "Why an order, or a transfer of a book, is refused, in the order in which the rules look:"
    yield "the first that applies is the answer's `code`. A measuring rule also gives value, limit,"
    yield "distance and the largest order that would have passed. Values are permanent."
    for room, listed in groupby(reasons(), key=lambda each: each[0]):
        yield from ("", f"## {room}", "", "| reason | note; numbers are FIX tags |", "|---|---|")
        for _, value, comment in listed:
            yield f"| `{value}` | {cell(comment)} |"


def operations_page() -> Iterator[str]:
    yield from ("# Operations", "", _MADE_BY, "")
    yield "Paths are served under `/api` and `/api/v1`. Parameters stand in the path, in the query"
    yield "string (GET, DELETE) or in the JSON body; the schemas are in `/api/openapi.json`."
    for group, listed in groupby(operations(), key=lambda each: each.name.partition(".")[0]):
        yield from ("", f"## {group}", "")
        yield "| operation | ask | scope | what it does |"
        yield "|---|---|---|---|"
        yield from map(_operation_line, listed)


def _operation_line(operation: Operation[Any, Any]) -> str:
    ways = [(operation.method, operation.path), *operation.aliases]
    asks = "<br>".join(f"`{method} {path}`" for method, path in ways)
    scope = f"`{operation.scope}`" if operation.scope else "open"
    scope += ", and a second person" if operation.needs_second else ""
    return f"| `{operation.name}` | {asks} | {scope} | {cell(operation.summary)} |"


PAGES: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "settings.md": settings.page,
    "events.md": events_page,
    "reasons.md": reasons_page,
    "operations.md": operations_page,
    "fix-door.md": fix_door.page,
    "fix-venue.md": fix_venue.page,
    "threats.md": threats.page,
    "controls.md": controls.page,
    "access.md": access.page,
}


def page(name: str) -> str:
    return "\n".join(PAGES[name]()) + "\n"


if __name__ == "__main__":
    for name in PAGES:
        (ROOT / "docs" / name).write_text(page(name), "utf-8")
        sys.stdout.write(f"docs/{name}\n")
    controls.CARRIED.write_text(controls.carried(), "utf-8")
    # Clients are made from the same declarations.
    subprocess.run([sys.executable, ROOT / "clients/make.py"], check=True)
