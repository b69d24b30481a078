"""The judge of a run, judged: small suites run under it, each good or wrong in one way."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from proof import ROOT, Outcomes, Row, allowed_skips, rows

GREEN = "def test_x(): pass\n"
VARIANTS = "import pytest\n@pytest.mark.parametrize('n', [1, 2])\ndef test_x(n): {}\n"
SKIPPED = "import pytest\ndef test_x(): pytest.skip('{}')\n"


def run(folder: Path, test: str, row: str = "", *options: str, ci: bool = True) -> tuple[int, str]:
    """A suite of one file under the judge; `row` is what docs/requirements.toml says proves C1."""
    for name in ("tests", "docs", ".ci"):
        (folder / name).mkdir(exist_ok=True)
    for name in ("judge.py", "proof.py"):
        (folder / "tests" / name).write_bytes((ROOT / "tests" / name).read_bytes())
    hooks = "from judge import pytest_addoption, pytest_configure\n"
    (folder / "tests" / "conftest.py").write_text(hooks)
    (folder / "tests" / "test_a.py").write_text(test)
    (folder / "tests" / "test_b.py").write_text(GREEN)
    (folder / "pytest.ini").write_text("[pytest]\ntestpaths = tests\npythonpath = tests\n")
    (folder / ".ci" / "allowed-skips.txt").write_text("# reasons\nno strace\n")
    table = f'[rows.C1]\ntitle = "One"\ntest = {row}\n' if row else "[rows]\n"
    (folder / "docs" / "requirements.toml").write_text(table)
    environment = {key: value for key, value in os.environ.items() if key != "CI"}
    environment |= {"CI": "true"} if ci else {}
    for inherited in [name for name in environment if name.startswith("PYTEST_")]:
        del environment[inherited]
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # they take longer than these suites
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "xdist", *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    return ran.returncode, ran.stdout


@pytest.mark.parametrize(
    ("test", "row", "status", "says"),
    [
        (GREEN, '"tests/test_a.py::test_x"', 0, "1 of 1 rows proven"),
        (GREEN, '["tests/test_a.py::test_x", "tests/test_a.py::test_y"]', 1, "C1 is not proven"),
        (VARIANTS.format("pass"), '"tests/test_a.py::test_x"', 0, "1 of 1 rows proven"),
        (SKIPPED.format("no strace"), '"tests/test_a.py::test_x"', 0, "0 of 1 rows proven"),
        (SKIPPED.format("no time"), "", 1, "does not allow: tests/test_a.py::test_x"),
        ("import pytest\npytest.skip('no time', allow_module_level=True)\n", "", 1, "no time"),
        ("import pytest\n@pytest.mark.xfail\ndef test_x(): assert 0\n", "", 1, "xfail"),
    ],
    ids=["proven", "missing", "variants", "allowed skip", "skip", "module skip", "xfail"],
)
def test_a_run_is_judged(tmp_path: Path, test: str, row: str, status: int, says: str) -> None:
    code, printed = run(tmp_path, test, row)
    assert (code, says in printed) == (status, True), printed


def test_the_controller_judges_what_its_workers_saw(tmp_path: Path) -> None:
    both = VARIANTS.format("n == 1 or pytest.skip('no time')")
    code, printed = run(tmp_path, both, '"tests/test_gone.py::test_x"', "-n", "2")
    assert code == 1
    assert "C1 is not proven" in printed
    assert "does not allow: tests/test_a.py::test_x[2]: Skipped: no time" in printed
    code, printed = run(tmp_path, VARIANTS.format("pass"), '"tests/test_a.py::test_x"', "-n", "2")
    assert code == 0
    assert "1 of 1 rows proven" in printed


def test_a_control_without_its_test_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    threats = tmp_path / "docs" / "threats.toml"
    threats.write_text('[controls.locks]\ntitle = "Locks"\ntest = "tests/test_a.py::test_gone"\n')
    code, printed = run(tmp_path, GREEN)
    assert (code, "control locks is not proven" in printed) == (1, True), printed
    threats.write_text('[controls.locks]\ntitle = "Locks"\ntest = "tests/test_a.py::test_x"\n')
    assert run(tmp_path, GREEN)[0] == 0


def test_a_run_of_a_part_is_only_a_run_of_a_part(tmp_path: Path) -> None:
    missing = '"tests/test_a.py::test_gone"'
    assert run(tmp_path, GREEN, missing)[0] == 1
    assert run(tmp_path, GREEN, missing, "tests/test_a.py")[0] == 0
    assert run(tmp_path, GREEN, missing, "-k", "x")[0] == 0


def test_skips_are_judged_where_changes_are_judged(tmp_path: Path) -> None:
    assert run(tmp_path, SKIPPED.format("no time"), ci=False)[0] == 0


def test_the_table_can_be_asked_for(tmp_path: Path) -> None:
    code, printed = run(tmp_path, GREEN, '"tests/test_a.py::test_x"', "--requirements")
    assert code == 0
    assert re.search(r"C1 +proven +One", printed)
    code, printed = run(tmp_path, GREEN, '"tests/test_a.py::test_y"', "--requirements")
    assert code == 1
    assert re.search(r"C1 +open +One", printed)


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        ({}, "open"),
        ({"t": {"passed"}}, "proven"),
        ({"t": {"passed", "failed"}}, "open"),
        ({"t": {"passed", "skipped"}}, "skipped"),
    ],
)
def test_a_row_is_proven_by_all_variants(seen: dict[str, set[str]], verdict: str) -> None:
    assert Outcomes(seen).verdict(Row("C1", "One", ("t",))) == verdict


@pytest.mark.parametrize(
    "row",
    [
        'title = "One"',
        'title = "One"\ntest = []',
        'title = "One"\ntest = "tests/test_a.py"',
        'title = "One"\ntest = "a.py::test[1]"',
        'title = "One"\ntest = "a.py::test"\nstatus = "done"',
    ],
)
def test_a_row_that_could_prove_nothing_is_refused(row: str) -> None:
    with pytest.raises(ValueError, match="C1"):
        rows(f"[rows.C1]\n{row}\n")


def test_comments_are_no_reasons() -> None:
    assert [pattern.pattern for pattern in allowed_skips("# a\n\n b \n")] == ["b"]
