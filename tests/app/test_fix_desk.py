"""A house that speaks FIX dies by SIGKILL: its sessions go on where they were, and know what they
said. And operators stop a session, set its numbers, and start it, with a reason that is kept."""

import asyncio
import json
import re
import socket
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.fix.runner import perform
from fondaco.app.files import Files
from fondaco.app.fix.agreements import read_agreements
from fondaco.app.fix.desk import stream_of
from fondaco.app.offline import backup, replay
from fondaco.cli import main
from fondaco.gateway.fix.keeping import Kept
from fondaco.ports.tape.segments import SegmentTape
from running import TOKEN, Client, Reply, house

FORMATS: Final = {
    tag: re.compile(form)
    for tag, form in {
        b"9": rb"^\d+$",
        b"10": rb"^\d{3}$",
        b"52": rb"^\d{8}-\d\d:\d\d:\d\d[.]\d{3}$",
        b"122": rb"^\d{8}-\d\d:\d\d:\d\d[.]\d{3}$",
    }.items()
}
SESSION: Final = "FIX.4.4:HOUSE->BROKER"
AGREED: Final = """
[[session]]
begin_string = "FIX.4.4"
sender_comp_id = "HOUSE"
target_comp_id = "BROKER"
role = "acceptor"
application = "echo"
"""
ORDER: Final = "11=A|21=1|38=5|40=1|54=1|55=ABC|60=20260102-10:11:12|"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def play(port: int, *lines: str) -> None:
    """`I D 2 …` is said by BROKER, `E D 2 …` by HOUSE; what HOUSE says again begins with 43."""
    script = [b"iCONNECT"]
    for line in lines:
        command, msg_type, number, body = line.split(" ", 3)
        ours = command == "I"
        again = "" if ours or not body.startswith("!") else "43=Y|"
        first = "122=x|" if again else ""
        time = "<TIME>" if ours else "x"
        sender, target = ("BROKER", "HOUSE") if ours else ("HOUSE", "BROKER")
        text = (
            f"{command}8=FIX.4.4|35={msg_type}|34={number}|{again}49={sender}|52={time}|"
            f"56={target}|{first}{body.lstrip('!')}"
        )
        script.append(text.replace("|", "\x01").encode())
    asyncio.run(perform(b"\n".join(script), port, FORMATS))


def ask(client: Client, what: str, body: dict[str, Any]) -> Reply:
    return client.ask("POST", f"/api/fix/sessions/{what}", body)


def test_a_session_goes_on_after_the_house_was_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "fix.toml").write_text(AGREED)
    port = free_port()
    options = ["--set", f"fix_port={port}"]
    logon = "98=0|108=30|"
    with house(tmp_path, options=options) as running:
        play(
            port,
            f"I A 1 {logon}",
            f"E A 1 {logon}",
            f"I D 2 {ORDER}",
            f"E D 2 {ORDER}",
            "I 1 3 112=x|",
            "E 0 3 112=x|",
        )
        running.kill()
    with house(tmp_path, options=options) as running:
        client = running.client()
        shown = client.get(f"/api/fix/session?session={SESSION}")
        assert (shown["next_out"], shown["next_in"], shown["state"]) == (4, 4, "down")
        play(
            port,
            f"I A 4 {logon}",
            f"E A 4 {logon}",
            "I 2 5 7=1|16=0|",
            "E 4 1 !36=2|123=Y|",
            f"E D 2 !{ORDER}",
            "E 4 3 !36=5|123=Y|",
            "I 5 6 ",
            "E 5 5 ",
        )
        operate(client, port, logon)
        order_from_the_command_line(running.url, capsys)
        backup(tmp_path, tmp_path / "copy")  # while it runs
        running.kill()
    (session,) = read_agreements(tmp_path / "copy" / "fix.toml", {}).sessions
    kept = Kept(SegmentTape(tmp_path / "copy" / "fix"), session.agreement.terms.id)
    assert (kept.numbers.next_out, kept.numbers.next_in) == (41, 21)
    told = "".join(replay(Files(tmp_path), -1, stream_of(session.agreement.terms.id)))
    assert "the next day" in told
    assert '"orders": 1' in told


def operate(client: Client, port: int, logon: str) -> None:
    order = {"session": SESSION, "reason": "agreed by telephone"}
    numbers = {**order, "next_out": 40, "next_in": 20}
    assert ask(client, "sequence", numbers).status == 409, "it must be stopped"
    stopped = ask(client, "stop", order)
    assert (stopped.status, stopped.body["state"]) == (200, "stopped")
    assert stopped.body["stopped_by"]
    dropped = f"iCONNECT\nI8=FIX.4.4|35=A|34=7|49=BROKER|52=<TIME>|56=HOUSE|{logon}\neDISCONNECT"
    asyncio.run(perform(dropped.replace("|", "\x01").encode(), port, FORMATS))
    assert ask(client, "sequence", {**numbers, "reason": ""}).status == 422
    assert ask(client, "sequence", numbers).status == 200
    assert ask(client, "start", order).body["state"] == "down"
    play(port, f"I A 20 {logon}", f"E A 40 {logon}")


def order_from_the_command_line(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--url", url, "--token", TOKEN]
    assert main(["fix", "sessions", "list", *where]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["session", "role", "state"]
    assert line.split()[:3] == [SESSION, "acceptor", "down"]
    assert main(["fix", "sessions", "stop", SESSION, "--reason", "for the night", *where]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "stopped"
    assert main(["fix", "sessions", "start", SESSION, "--reason", "the next day", *where]) == 0
    assert main(["fix", "sessions", "show", "FIX.4.4:NOBODY->HERE", *where]) == 1
    assert "there is no session" in capsys.readouterr().err
