"""The house is Python, and needs no other language to run (P72, F28)."""

import tomllib
from pathlib import Path

import pytest

from running import house, order

ROOT = Path(__file__).resolve().parents[2]
DECISION = ROOT / "docs" / "decisions" / "0067-one-language.md"


def test_a_house_serves_its_page_and_trades_where_no_other_program_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No Bun, Node, .NET, Java or Go is found, since there is nowhere to look for any."""
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    monkeypatch.setenv("PATH", str(nothing))
    with house(tmp_path / "house") as running:
        client = running.client()
        assert client.ask("POST", "/api/orders", order("one-language")).status == 201
        assert client.ask("GET", "/health").status == 200
        exe = Path(f"/proc/{running.process.pid}/exe")
        if exe.exists():
            assert "python" in exe.resolve().name
        children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
        for each in children.read_text().split() if children.exists() else ():
            assert "python" in Path(f"/proc/{each}/exe").resolve().name


def test_the_decision_names_what_the_documents_had_instead_and_what_is_here() -> None:
    text = DECISION.read_text()
    for theirs in ("Bun", "Elysia", "TypeScript", ".NET", "Proto.Actor", "Java", "QuickFIX/J"):
        assert f"| {theirs}" in text or f", {theirs}" in text, theirs
    for line in text.splitlines():
        if line.startswith("| ") and "`" in line:
            path = line.split("`")[1]
            assert (ROOT / path).exists(), path
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"].startswith(">=3.")
