"""Makes src/fondaco/domain/reference/holidays.py of exchange_calendars (Apache 2.0), which is
needed for this alone, and in the dependency group `holidays`:

    python tests/reference/holidays_table.py
"""

from importlib import import_module
from pathlib import Path
from typing import Any, Final

MICS: Final = ("XETR", "XHKG", "XLON", "XNYS", "XPAR", "XSWX", "XTKS")
FIRST: Final = 2020
LAST: Final = 2030
TARGET: Final = Path(__file__).parents[2] / "src/fondaco/domain/reference/holidays.py"
HEAD: Final = '''"""Weekdays on which exchanges do not open, by ISO 10383 code: facts, made by
tests/reference/holidays_table.py of exchange_calendars {version}. Do not edit.

Each text is a year's days as MMDD. Half days are days. Those of years to come are as they were
known then: closures that nobody could foresee are added by making this anew.
"""

from typing import Final

YEARS: Final = ({first}, {last})
CLOSED: Final[dict[str, dict[int, str]]] = {{
'''


def library(name: str) -> Any:
    """Only whoever makes the table has them."""
    return import_module(name)


def closed(mic: str) -> dict[int, list[str]]:
    """Weekdays of each year that are no session."""
    calendar = library("exchange_calendars").get_calendar(
        mic, start=f"{FIRST}-01-01", end=f"{LAST}-12-31"
    )
    days = library("pandas").date_range(f"{FIRST}-01-01", f"{LAST}-12-31", freq="B")
    found: dict[int, list[str]] = {year: [] for year in range(FIRST, LAST + 1)}
    for day in days.difference(calendar.sessions):
        found[day.year].append(f"{day.month:02}{day.day:02}")
    return found


def table() -> str:
    """The text of the module."""
    version = library("exchange_calendars").__version__
    lines = [HEAD.format(version=version, first=FIRST, last=LAST)]
    for mic in MICS:
        lines.append(f'    "{mic}": {{\n')
        for year, days in closed(mic).items():
            text = " ".join(days)
            line = f'        {year}: "{text}",\n'
            if len(line) > 100:
                half = len(days) // 2
                parts = " ".join(days[:half]) + " ", " ".join(days[half:])
                line = f'        {year}: "{parts[0]}"\n        "{parts[1]}",\n'
            lines.append(line)
        lines.append("    },\n")
    return "".join([*lines, "}\n"])


if __name__ == "__main__":
    TARGET.write_text(table())
