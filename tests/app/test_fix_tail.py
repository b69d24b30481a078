"""`fondaco fix tail`: messages and alerts as they come."""

import re
import threading
from pathlib import Path

import pytest

from fondaco.app.fix.tail import tail
from fondaco.cli import main
from fondaco.domain.fix.capture.writing import fix
from fondaco.domain.surveillance.fix.drill.generated import drill


def line(seq: int, *more: tuple[int, bytes]) -> bytes:
    head = [(35, b"A"), (34, b"%d" % seq), (49, b"ME"), (56, b"YOU")]
    return fix("FIX.4.4", [*head, (52, b"20240506-07:08:09"), (108, b"30"), *more]) + b"\n"


def test_what_is_appended_is_told(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(line(1))
    lines = tail(log)
    assert next(lines) == "2024-05-06 07:08:09 ME → YOU 1 Logon 108=30"

    def append() -> None:
        with log.open("ab") as file:
            file.write(line(2)[:30])
            file.flush()
            file.write(line(2)[30:])

    later = threading.Timer(0.3, append)
    later.start()
    assert next(lines) == "2024-05-06 07:08:09 ME → YOU 2 Logon 108=30"
    later.join()


@pytest.mark.parametrize("full", [False, True])
def test_secrets_stay_where_they_are(
    full: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(line(1, (553, b"me"), (554, b"hunter2!")))
    assert main(["fix", "tail", str(log), "--no-follow", *(["--full"] if full else [])]) == 0
    said = capsys.readouterr().out
    assert "hunter2" not in said
    assert re.search(r"^ +554 Password +\*\*\*$" if full else r"554=\*\*\*$", said, re.M)
    assert "*** low F03 Credentials in the clear: ME to YOU" in said


def test_a_capture_is_followed_too_and_its_attack_told(tmp_path: Path) -> None:
    capture = tmp_path / "a.pcap"
    capture.write_bytes(drill(7, "F05", sessions=1, orders=8).capture)
    said = list(tail(capture, follow=False))
    assert [each for each in said if each.startswith("*** high F05")]
    assert len([each for each in said if "ExecutionReport" in each]) > 50
