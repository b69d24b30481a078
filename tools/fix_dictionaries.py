"""Makes the compact tables in src/fondaco/domain/fix/tables from data dictionaries in XML.

    python tools/fix_dictionaries.py DIRECTORY

DIRECTORY holds FIX40.xml … FIX50SP2.xml and FIXT11.xml, as QuickFIX publishes them in `spec/`. What
is not there is left as it is. One line a field, a message and a component, so that a difference can
be read.
"""

import sys
from pathlib import Path

import msgspec

from fondaco.domain.fix.dictionary import NAMES
from fondaco.domain.fix.reading import Table, table_of

TABLES = Path(__file__).parents[1] / "src" / "fondaco" / "domain" / "fix" / "tables"


def main(directory: Path) -> int:
    made = 0
    for name in NAMES:
        source = directory / (name.replace(".", "") + ".xml")
        if source.is_file():
            table = table_of(source.read_bytes())
            if table.name != name:
                raise SystemExit(f"{source} is {table.name}, not {name}")
            (TABLES / f"{name}.json").write_text(text_of(table), "utf-8")
            made += 1
    print(f"{made} of {len(NAMES)} tables made in {TABLES}")
    return 0 if made else 1


def text_of(table: Table) -> str:
    """A table as JSON, each fact on a line of its own."""
    parts = []
    for name in table.__struct_fields__:
        value = getattr(table, name)
        if isinstance(value, dict):
            lines = (f" {_json(key)}:{bytes(kept).decode()}" for key, kept in value.items())
            parts.append(f'"{name}":{{\n' + ",\n".join(lines) + "\n}")
        else:
            text = bytes(value).decode() if isinstance(value, msgspec.Raw) else _json(value)
            parts.append(f'"{name}":{text}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    raise SystemExit(main(Path(sys.argv[1])))
