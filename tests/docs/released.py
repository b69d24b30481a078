"""What was promised: the schemas of the last release, kept in docs/released.

python tests/docs/released.py    # writes them anew: only when something is released
"""

import gzip
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NewType, get_args

import msgspec

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "clients")]

import openapi  # noqa: E402

from docs.catalog import declared_kinds, kind_of  # noqa: E402
from fondaco.gateway.editions import EDITIONS, VERSIONS  # noqa: E402

RELEASED: Final = ROOT / "docs" / "released"
EVENTS: Final = "events"
SOCKETS: Final = "sockets"
# Events have a version of their own: kinds are for ever, so it never has another major.
SCHEMAS: Final = {EVENTS: "1.1.0", SOCKETS: "1.1.0"}


def today() -> dict[str, tuple[str, Any]]:
    """Each document by name, with its version."""
    first = openapi.document()
    found: dict[str, tuple[str, Any]] = {}
    for each in EDITIONS:
        found[f"api-{each.major}"] = (VERSIONS[each.major], each.document(first))
    found[SOCKETS] = (SCHEMAS[SOCKETS], openapi.sockets())
    found[EVENTS] = (SCHEMAS[EVENTS], events())
    return found


def events() -> Mapping[str, Sequence[Sequence[Any]]]:
    """Each kind's fields by place: name, type, and whether old entries may be without it."""
    return {
        kind_of(event): [
            (field.name, _type(field.type), not field.required)
            for field in msgspec.structs.fields(event)
        ]
        for event in sorted(declared_kinds(), key=kind_of)
    }


def promised() -> dict[str, tuple[str, Any]]:
    """The same of the last release."""
    found = {}
    for path in sorted(RELEASED.glob("*.json.gz")):
        document = msgspec.json.decode(gzip.decompress(path.read_bytes()))
        found[path.name.removesuffix(".json.gz")] = (document["version"], document["content"])
    return found


def _type(given: Any) -> str:
    """As it is written in Python, without the module that a name is from."""
    is_name = isinstance(given, type | NewType) and not get_args(given)
    return given.__name__ if is_name else re.sub(r"[\w.]+\.(?=\w)", "", str(given))


def write() -> None:
    RELEASED.mkdir(exist_ok=True)
    for name, (version, content) in today().items():
        text = msgspec.json.encode({"version": version, "content": content}, order="deterministic")
        (RELEASED / f"{name}.json.gz").write_bytes(gzip.compress(text, mtime=0))
        sys.stdout.write(f"docs/released/{name}.json.gz is version {version}\n")


if __name__ == "__main__":
    write()
