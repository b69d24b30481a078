"""`fondaco fix audit`: what a person, a pipeline and a SIEM get from it."""

import gzip
import json
import re
from pathlib import Path

import pytest

from fondaco.cli import main
from fondaco.domain.fix.capture.flows import Endpoint
from fondaco.domain.fix.capture.writing import Conversation, fix, pcap
from fondaco.domain.surveillance.fix.drill.generated import drill

NS = 1_000_000_000
AT = 1_714_979_289 * NS


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("captures") / "attacked.pcap"
    path.write_bytes(drill(7, "F05", sessions=1, orders=8).capture)
    return path


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("captures") / "clean.pcap.gz"
    path.write_bytes(gzip.compress(drill(8, sessions=1, orders=8).capture))
    return path


def test_a_clean_capture_says_so_and_exits_with_0(
    clean: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fix", "audit", str(clean)]) == 0
    said = capsys.readouterr().out
    assert "BUYER0 → VENUE  FIX.4." in said
    assert "no threat found by 30 patterns" in said
    assert "request to answer: median" in said
    assert "without an answer" not in said


def test_an_attack_is_shown_with_its_message_and_exits_with_1(
    attacked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fix", "audit", str(attacked)]) == 1
    said = capsys.readouterr().out
    assert "high     F05 CompID changes in a session" in said
    assert "49=OTHERFIRM" in said
    assert main(["fix", "audit", str(attacked), "--fail-on", "critical"]) == 0
    assert main(["fix", "audit", str(attacked), "--no-threats"]) == 0


def test_json_has_the_whole_report(attacked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["fix", "audit", str(attacked), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert report["files"][0]["format"] == "pcap"
    assert {each["name"] for each in report["sessions"]} >= {"BUYER0 → VENUE", "WATCHER → VENUE"}
    ways = [way for session in report["sessions"] for way in session["ways"]]
    assert sum(way["messages"] for way in ways) == report["messages"]
    assert sum(sum(way["types"].values()) for way in ways) == report["messages"]
    assert len(report["examined"]) == 30
    assert report["alerts"][0]["severity"] == "high"


def test_the_page_needs_nothing_else_and_says_what_the_report_says(
    attacked: Path, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    main(["fix", "audit", str(attacked), "--html", str(page)])
    text = page.read_text("utf-8")
    assert not re.search(r"(src|href)=|@import|url\(|<script", text)
    assert "F05 CompID changes in a session" in text
    assert "49=OTHERFIRM" in text
    assert text.count("<svg") == 3
    assert "prefers-color-scheme: dark" in text


def test_what_a_capture_says_is_no_markup_and_its_secrets_stay_in_it(tmp_path: Path) -> None:
    talk = Conversation(Endpoint(b"\x0a\0\0\1", 1), Endpoint(b"\x0a\0\0\2", 2))
    talk.open(AT)
    head = [(35, b"A"), (34, b"1"), (49, b"<script>"), (56, b"V"), (52, b"20240506-07:08:09")]
    talk.send(0, fix("FIX.4.4", [*head, (553, b"me"), (554, b"hunter2!")]), AT)
    path, page = tmp_path / "a.pcap", tmp_path / "a.html"
    path.write_bytes(pcap(talk.packets))
    main(["fix", "audit", str(path), "--html", str(page)])
    text = page.read_text("utf-8")
    assert "&lt;script&gt; → V" in text
    assert "<script" not in text
    assert "hunter2" not in text
    assert "554=***" in text


def test_alerts_leave_in_the_forms_that_siems_read(
    attacked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = {}
    for form in ("ecs", "ocsf", "cef"):
        assert main(["fix", "audit", str(attacked), "--export", form]) == 1
        lines[form] = capsys.readouterr().out.splitlines()
    ecs, ocsf, cef = json.loads(lines["ecs"][0]), json.loads(lines["ocsf"][0]), lines["cef"][0]
    assert ecs["event"]["kind"] == "alert"
    assert ecs["event"]["category"] == ["network", "intrusion_detection"]
    assert (ecs["rule"]["id"], ecs["network"]["protocol"]) == ("F05", "fix")
    assert ecs["threat"]["technique"]["id"] == ["T1036"]
    assert (ocsf["class_uid"], ocsf["type_uid"], ocsf["severity_id"]) == (2004, 200401, 4)
    assert ocsf["finding_info"]["analytic"]["uid"] == "F05"
    assert re.fullmatch(r"CEF:0(\|[^|]+){5}\|8\|start=\d+ .*cs1=10\.2\.0\.10:\d+ → .*", cef)
    assert len(lines["ecs"]) == len(lines["ocsf"]) == len(lines["cef"])


def test_thresholds_come_from_a_file_and_unknown_ones_are_refused(
    attacked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = tmp_path / "limits.toml"
    limits.write_text("gap_max = 7\n")
    assert main(["fix", "audit", str(attacked), "--limits", str(limits)]) == 1
    limits.write_text("gap_maximum = 7\n")
    assert main(["fix", "audit", str(attacked), "--limits", str(limits)]) == 2
    assert "gap_maximum" in capsys.readouterr().err


def test_several_files_are_one_audit_and_a_log_is_read_too(
    clean: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "a.log"
    head = [(35, b"0"), (34, b"7"), (49, b"A"), (56, b"B"), (52, b"20240506-07:08:09")]
    log.write_bytes(b"IN " + fix("FIX.4.2", head).replace(b"\x01", b"|") + b"\n")
    assert main(["fix", "audit", str(clean), str(log)]) == 0
    said = capsys.readouterr().out
    assert "a.log: log" in said
    assert "A → B  FIX.4.2" in said


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"\x1f\x8b broken", "is damaged"), (b"\xd4\xc3\xb2\xa1" + b"\xff" * 40, "link type")],
)
def test_a_file_that_cannot_be_read_is_named(
    content: bytes, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "odd.pcap"
    path.write_bytes(content)
    assert main(["fix", "audit", str(path)]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert "odd.pcap" in error
