"""What a run of the whole suite must show beyond green tests.

Every row of docs/requirements.toml, and every control of docs/threats.toml, is proven by a test
that ran; and where CI is set, no test was
skipped for a reason that .ci/allowed-skips.txt does not know. A run of a part is only a run of a
part. Under xdist the controller decides, for all reports come to it.
"""

import os

import pytest

from proof import (
    ALLOWED_SKIPS,
    TABLE,
    THREATS,
    Outcomes,
    Row,
    Verdict,
    allowed_skips,
    controls,
    printed,
    rows,
)

IN_CI = os.environ.get("CI", "").lower() in ("1", "true")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--requirements",
        action="store_true",
        help="run the tests that docs/requirements.toml names and print what they prove",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    judge = Judge(config)
    if judge.asked:
        named = {test.partition("::")[0] for row in judge.rows for test in row.tests}
        config.args[:] = sorted(named) or config.args
    config.pluginmanager.register(judge, "judge")


class Judge:
    """Listens to every report and has the last word on the exit status."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.rows: list[Row] = rows(TABLE.read_text("utf-8"))
        self.controls = controls(THREATS.read_text("utf-8")) if THREATS.exists() else []
        self.outcomes = Outcomes()
        self.asked = bool(config.getoption("--requirements"))
        self.deselected = False

    @property
    def whole(self) -> bool:
        """Whether everything was to run: no path given, nothing chosen by name or mark."""
        option = self.config.option
        by_name = option.keyword or option.markexpr or option.collectonly or option.maxfail
        everything = self.config.args_source is pytest.Config.ArgsSource.TESTPATHS
        return everything and not (by_name or self.deselected or self.asked)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self.deselected = self.deselected or bool(items)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.outcomes.saw(report.nodeid, "collect", "skipped", _reason(report))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        expected_to_fail = hasattr(report, "wasxfail")
        outcome = "skipped" if expected_to_fail else report.outcome
        self.outcomes.saw(report.nodeid, report.when or "", outcome, _reason(report))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        good = session.exitstatus == pytest.ExitCode.OK
        if good and (self.complaints or (self.asked and self.unproven)):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.asked:
            terminalreporter.write_line(printed(self.verdicts))
        elif self.whole:
            proven = len(self.rows) - len(self.unproven)
            terminalreporter.write_line(f"requirements: {proven} of {len(self.rows)} rows proven")
        for complaint in self.complaints:
            terminalreporter.write_line(complaint, red=True)

    @property
    def verdicts(self) -> dict[Row, Verdict]:
        return {row: self.outcomes.verdict(row) for row in self.rows}

    @property
    def unproven(self) -> list[Row]:
        return [row for row, verdict in self.verdicts.items() if verdict != "proven"]

    @property
    def complaints(self) -> list[str]:
        """Why a run in which nothing failed is still not good.

        A row whose test skipped is left to the list of allowed skips, where that is asked for.
        """
        found = []
        if self.whole:
            for what, named in (("requirement", self.rows), ("control", self.controls)):
                found += [
                    f"{what} {row.number} is not proven: {', '.join(row.tests)}"
                    for row in named
                    if self.outcomes.verdict(row) == "open"
                ]
        if IN_CI:
            allowed = allowed_skips(ALLOWED_SKIPS.read_text("utf-8"))
            found += [
                f"skipped for a reason that .ci/allowed-skips.txt does not allow: {nodeid}: {why}"
                for nodeid, why in self.outcomes.disallowed(allowed)
            ]
        return found


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    expected = getattr(report, "wasxfail", None)
    if expected is not None:
        return f"xfail: {expected}"
    return str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
