"""Rows A34, A35 and X18 state figures of a machine; a test has no machine to itself. So what is
shown here is that anybody can take them: the stated mix runs as an open load, waits count from the
due time, and docs/performance.md keeps what was measured beside the command that measures it."""

import argparse
import re
import shlex
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from fondaco.bench.orders import options
from running import house

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
RATE: Final = 400
MIX: Final = ("--rate", str(RATE), "--seconds", "1.5", "--warmup", "0.2", "--working", "200")


@pytest.mark.parametrize("accounts", [1, 5])
def test_the_stated_mix_runs_as_an_open_load_and_says_how_long_each_waited(
    tmp_path: Path, accounts: int
) -> None:
    """Orders through the door, every rule on, a fifth of them marketable: routed, filled, shown."""
    with house(tmp_path / "house") as running:
        command = [sys.executable, "-m", "fondaco", "bench", "orders", "--url", running.url]
        command += [*MIX, "--connections", "8", "--accounts", str(accounts), "--json"]
        ran = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stderr
        found: dict[str, Any] = msgspec.json.decode(ran.stdout)
        assert found["orders"] == found["accepted"] == RATE * 1.5
        assert (found["unanswered"], found["refused"]) == (0, {})
        assert found["offered_per_s"] == RATE
        waits = [found[f"{name}_ms"] for name in ("p50", "p95", "p99", "p999", "max")]
        assert waits == sorted(waits)
        assert waits[0] > 0
        assert sum(count for _, count in found["histogram"]) == found["orders"]
        assert found["histogram"][-1][0] >= found["max_ms"]

        client = running.client()
        head = client.get("/api/journal?limit=1")["head"]
        orders = client.all(f"/api/orders?limit=1000&min_position={head}")
        executed = sum(Decimal(each["cum_qty"]) > 0 for each in orders)
        assert 0.1 < executed / (RATE * 1.7) < 0.4
        assert len({each["account_id"] for each in orders}) == accounts


def commands(text: str) -> list[argparse.Namespace]:
    """Every `fondaco bench orders …` of the page, as its own parser reads it."""
    parser = argparse.ArgumentParser()
    options(parser)
    joined = text.replace("\\\n", " ")
    found = re.findall(r"fondaco bench orders((?: +[^\s`|]+)*)", joined)
    return [parser.parse_args(shlex.split(each)) for each in found if "--" in each]


@pytest.fixture
def page() -> str:
    if not PAGE.exists():
        pytest.skip("docs/performance.md is not written")
    return PAGE.read_text("utf-8")


def test_the_page_of_figures_names_load_machine_and_command(page: str) -> None:
    asked = commands(page)
    assert any(each.rate >= 10_000 for each in asked), "10,000 orders/s, by `fondaco bench orders`"
    assert re.search(r"\bcores?\b|\bCPUs?\b", page), "which machine was it?"
    rows = [line for line in page.splitlines() if line.startswith("|")]
    for percentile in ("p95", "p99"):
        assert any(percentile in row for row in rows), percentile
    assert any(re.search(r"\d[\d.,]*\s*(ms|/s)", row) for row in rows)


def test_the_page_of_figures_says_how_long_queries_take(page: str) -> None:
    rows = [line.lower() for line in page.splitlines() if line.startswith("|")]
    assert any(re.search(r"quer(y|ies)|read|get /api", row) and "ms" in row for row in rows)
