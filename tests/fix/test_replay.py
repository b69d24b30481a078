"""`fondaco fix replay` and `fondaco fix search` over recordings."""

import asyncio
import json
import socket
from pathlib import Path

import pytest

from fix.recorded import log_of
from fondaco.app.clock import Clock
from fondaco.app.fix.echo import switchboard
from fondaco.app.fix.replay import Wanted, check_address, plan, replay
from fondaco.cli import main
from fondaco.gateway.fix.acceptor import Acceptor
from fondaco.kernel.errors import Invalid, Unavailable


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "session.log"
    path.write_bytes(log_of(5, "TW44", "ISLD"))
    return path


def test_one_side_is_said_again_in_a_session_of_its_own(log: Path) -> None:
    planned = plan([log], Wanted())
    assert str(planned.terms.id) == "FIX.4.4:TW44->ISLD"
    assert [after // 10**9 for after, _ in planned.messages] == [0, 1, 2, 3, 4, 5]
    said: list[str] = []

    async def against_echo() -> int:
        with socket.create_server(("127.0.0.1", 0)) as bound:
            acceptor = Acceptor(switchboard(Clock()))
            await acceptor.listen(bound)
            to = f"127.0.0.1:{bound.getsockname()[1]}"
            try:
                return await replay(planned, to, said.append, speed=1000, suffix="x", linger_s=0.3)
            finally:
                await acceptor.close()

    assert asyncio.run(against_echo()) == 6
    assert said[0].endswith("as FIX.4.4:TW44->ISLD")
    # Echo passes over what it has seen, where PossResend says so; nothing here does.
    assert said[1] == "sent 6 of 6, received 1 Logon, 6 NewOrderSingle"


def test_nobody_there_is_told(log: Path) -> None:
    planned = plan([log], Wanted(as_sender="STRANGER"))

    async def against_nobody() -> None:
        with socket.create_server(("127.0.0.1", 0)) as bound:
            acceptor = Acceptor(switchboard(Clock()))
            await acceptor.listen(bound)
            to = f"127.0.0.1:{bound.getsockname()[1]}"
            try:
                await replay(planned, to, lambda _: None, speed=0)
            finally:
                await acceptor.close()

    with pytest.raises(Unavailable, match="STRANGER->ISLD not log on"):
        asyncio.run(against_nobody())


def test_nothing_is_sent_unless_that_was_asked_for(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fix", "replay", str(log), "--to", "127.0.0.1:1"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert lines[1] == "+1.000 s  NewOrderSingle  Buy 1 EUR/USD ClOrdID c-1"
    assert last.startswith("6 messages would be sent to 127.0.0.1:1 as FIX.4.4:TW44->ISLD")
    assert main(["fix", "replay", str(log), "--to", "192.0.2.1:1", "--send"]) == 2
    assert "say --allow-remote" in capsys.readouterr().err


def test_another_machine_must_be_meant() -> None:
    with pytest.raises(Invalid, match="another machine"):
        check_address("192.0.2.1:9880", may_be_remote=False)
    check_address("192.0.2.1:9880", may_be_remote=True)
    check_address("[::1]:9880", may_be_remote=False)
    with pytest.raises(Invalid, match="host:port"):
        check_address("localhost", may_be_remote=False)


def test_which_side_must_be_said_where_there_are_several(tmp_path: Path, log: Path) -> None:
    other = tmp_path / "other.log"
    other.write_bytes(log_of(1, "ONE", "TWO"))
    with pytest.raises(Invalid, match=r"ONE to TWO \(3\), TW44 to ISLD \(7\)"):
        plan([log, other], Wanted())
    assert len(plan([log, other], Wanted(side="ONE")).messages) == 2
    empty = tmp_path / "empty"
    empty.write_bytes(b"nothing")
    with pytest.raises(Invalid, match="no FIX message"):
        plan([empty], Wanted())


def test_files_are_searched(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", "search", "35=D AND 38>=3", str(log)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"2026-11-22T10:00:0{at}Z TW44 → ISLD < {at} NewOrderSingle  Buy {size} EUR/USD "
        f"ClOrdID c-{size}"
        for at, size in ((5, 3), (6, 4))
    ]
    assert main(["fix", "search", "35=D", str(log), "--json", "--limit", "1"]) == 0
    [found] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (found["msg_type"], found["file"], "|38=0|" in found["raw"]) == (
        "D",
        "session.log",
        True,
    )
    assert main(["fix", "search", "35=8", str(log), "--count"]) == 1
    assert capsys.readouterr().out == "0\n"
    assert main(["fix", "search", "35=", str(log)]) == 2
    assert "query, character 4: a value is missing" in capsys.readouterr().err
