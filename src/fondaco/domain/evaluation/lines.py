"""On which line of a tier's text a key stands, so that a finding can be gone to."""

import re
from typing import Final

_TABLE: Final = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.]+)\s*\]\]?\s*(#.*)?$")
_KEY: Final = re.compile(r"^\s*([A-Za-z0-9_]+)\s*=")


def line_of(text: str, where: str) -> int:
    """Of the key `where` ("phases[1].daily_loss.from"), or of what it is within; from 1 on. What
    stands nowhere is of the first line."""
    found, depth, table = 1, 0, ""
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        begins, key = _TABLE.match(line), _KEY.match(line)
        if begins is not None:
            table = begins[2]
            first, _, rest = table.partition(".")
            if begins[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = f"{table}[{counts[table]}]"
            elif first in counts:
                table = f"{first}[{counts[first]}].{rest}"
            path = table
        elif key is not None:
            path = f"{table}.{key[1]}" if table else key[1]
        else:
            continue
        if (where == path or where.startswith(f"{path}.")) and len(path) > depth:
            found, depth = number, len(path)
    return found
