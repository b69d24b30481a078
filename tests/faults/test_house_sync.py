"""From outside the process: the bytes of an answer leave after the journal's sync has returned."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from app.test_purchases import HOOK, paid_event, signed
from running import house, order

ORDERS: Final = 25
CALLS: Final = "fdatasync,pwrite64,pwritev,write,writev,sendto,sendmsg"
_LINE: Final = re.compile(r"^(?P<thread>\d+) +\d+:\d+:\d+\.\d+ (?P<rest>.*)$")
_BEGUN: Final = re.compile(r"^(?P<call>\w+)\((?P<file>\d+)<(?P<path>[^>]*)>(?P<said>.*)$")
_RESUMED: Final = re.compile(r"^<\.\.\. (?P<call>\w+) resumed>.*= (?P<result>-?\d+)")


@pytest.fixture
def strace() -> str:
    found = shutil.which("strace")
    if found is None:
        pytest.skip("strace is not installed")
    probe = subprocess.run([found, "-qq", "-e", "trace=none", "true"], check=False)
    if probe.returncode:
        pytest.skip("strace is not permitted here")
    return found


def test_an_answer_leaves_after_its_sync_has_returned(tmp_path: Path, strace: str) -> None:
    trace = tmp_path / "trace"
    wrapper = (strace, "-f", "-tt", "-y", "-s", "65536", "-e", f"trace={CALLS}", "-o", str(trace))
    with house(tmp_path / "house", wrapper=wrapper) as running:
        client = running.client()
        for nth in range(ORDERS):
            assert client.ask("POST", "/api/orders", order(f"sync-{nth:03d}-")).status == 201
        purchase = client.ask("POST", "/api/purchases", {"tier": "two-step-100k"}).body
        body = paid_event(purchase, "evt_synced", 54_000)
        headers = signed(tmp_path / "house", body)
        assert client.ask("POST", HOOK, body, headers=headers).status == 200
        running.kill()
    calls = calls_in(trace.read_text(errors="replace"))
    for nth in range(ORDERS):
        written, synced, answered = moments(calls, f"sync-{nth:03d}-")
        assert written < synced < answered, f"order {nth}: {written}, {synced}, {answered}"
    on_tape = first(
        each for each in calls if "/payments/" in each.path and "evt_synced" in each.said
    )
    synced_at = first(
        each for each in calls
        if each.name == "fdatasync" and each.path == on_tape.path and each.begun > on_tape.begun
    ).returned  # fmt: skip
    decided = first(
        each for each in calls
        if each.name.startswith("pwrite") and "/journal/" in each.path and "evt_synced" in each.said
    )  # fmt: skip
    assert synced_at is not None
    assert synced_at < decided.begun, "what a provider says is on the disk before it is decided"


class Call:
    """One system call: when it began and when it returned, counted in lines of the trace."""

    def __init__(self, name: str, path: str, said: str, begun: int) -> None:
        self.name, self.path, self.said, self.begun = name, path, said, begun
        self.returned: int | None = None
        self.result = -1


def calls_in(trace: str) -> list[Call]:
    """Calls as they began; those that never returned keep `returned` None."""
    calls: list[Call] = []
    under_way: dict[str, Call] = {}
    for number, line in enumerate(trace.splitlines()):
        found = _LINE.match(line)
        if not found:
            continue
        thread, rest = found["thread"], found["rest"]
        if begun := _BEGUN.match(rest):
            call = Call(begun["call"], begun["path"], begun["said"], number)
            calls.append(call)
            if rest.endswith("<unfinished ...>"):
                under_way[thread] = call
            elif result := re.search(r"\) += (-?\d+)[^=]*$", rest):
                call.returned, call.result = number, int(result[1])
        elif (resumed := _RESUMED.match(rest)) and thread in under_way:
            call = under_way.pop(thread)
            call.returned, call.result = number, int(resumed["result"])
    return calls


def moments(calls: list[Call], cl_ord_id: str) -> tuple[int, int, int]:
    """When the order's frame had been written, the next sync returned, and the answer began."""
    written = first(
        call for call in calls
        if call.name.startswith("pwrite") and "/journal/" in call.path and cl_ord_id in call.said
    )  # fmt: skip
    assert written.returned is not None
    synced = first(
        call for call in calls
        if call.name == "fdatasync" and call.path == written.path
        and call.begun > written.returned and call.result == 0
    )  # fmt: skip
    answered = first(
        call for call in calls
        if call.name in ("write", "writev", "sendto", "sendmsg")
        and "201 Created" in call.said and cl_ord_id in call.said
    )  # fmt: skip
    assert synced.returned is not None
    return written.returned, synced.returned, answered.begun


def first(calls: Iterator[Call]) -> Call:
    found = next(calls, None)
    assert found is not None, "there is no such call: nothing was written, synced or answered"
    return found
