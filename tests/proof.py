"""Which requirement is proven by which test: docs/requirements.toml, and the controls of
docs/threats.toml, against what just ran."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "requirements.toml"
THREATS = ROOT / "docs" / "threats.toml"
ALLOWED_SKIPS = ROOT / ".ci" / "allowed-skips.txt"

Verdict: TypeAlias = Literal["proven", "skipped", "open"]


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement and the node ids, without parameters, of the tests that prove it."""

    number: str
    title: str
    tests: tuple[str, ...]


def rows(text: str) -> list[Row]:
    """The table as rows. Raises `ValueError` naming the row that is wrong."""
    return [_row("row", *each) for each in tomllib.loads(text).get("rows", {}).items()]


def controls(text: str) -> list[Row]:
    """What holds the threats off, each with its tests. Raises `ValueError` as `rows` does."""
    return [_row("control", *each) for each in tomllib.loads(text).get("controls", {}).items()]


def _row(what: str, number: str, row: Mapping[str, Any]) -> Row:
    if set(row) != {"title", "test"}:
        raise ValueError(f"{what} {number} has {sorted(row)}, must have title and test")
    tests = [row["test"]] if isinstance(row["test"], str) else row["test"]
    if not tests or not all("::" in test and "[" not in test for test in tests):
        raise ValueError(f"{what} {number}: a test is file.py::test_name, without parameters")
    return Row(number, row["title"], tuple(tests))


@dataclass(slots=True)
class Outcomes:
    """What was seen of every test, all variants together, and why any of them did not run."""

    seen: dict[str, set[str]] = field(default_factory=dict)
    skips: list[tuple[str, str]] = field(default_factory=list)  # node id, reason

    def saw(self, nodeid: str, when: str, outcome: str, reason: str = "") -> None:
        if outcome == "skipped":
            self.skips.append((nodeid, reason))
        if when == "call" or outcome != "passed":
            self.seen.setdefault(nodeid.partition("[")[0], set()).add(outcome)

    def verdict(self, row: Row) -> Verdict:
        outcomes = set().union(*(self._of(test) for test in row.tests))
        if outcomes == {"passed"}:
            return "proven"
        return "skipped" if outcomes <= {"passed", "skipped"} else "open"

    def _of(self, test: str) -> set[str]:
        """A file that was skipped as a whole never came to name its tests."""
        return self.seen.get(test) or self.seen.get(test.partition("::")[0], {"missing"})

    def disallowed(self, patterns: Iterable[re.Pattern[str]]) -> list[tuple[str, str]]:
        """Skips for a reason that no pattern allows."""
        allowed = list(patterns)
        return [skip for skip in self.skips if not any(p.search(skip[1]) for p in allowed)]


def allowed_skips(text: str) -> list[re.Pattern[str]]:
    lines = (line.strip() for line in text.splitlines())
    return [re.compile(line) for line in lines if line and not line.startswith("#")]


def printed(verdicts: Mapping[Row, Verdict]) -> str:
    """The table for people."""
    lines = [f"{row.number:<5} {verdict:<8} {row.title}" for row, verdict in verdicts.items()]
    proven = sum(verdict == "proven" for verdict in verdicts.values())
    return "\n".join([*lines, f"{proven} of {len(verdicts)} rows proven"])
