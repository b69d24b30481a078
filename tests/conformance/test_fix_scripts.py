"""The diagnostic acceptor against acceptance scripts: our own, and the public ones where they are.

Scripts of one version share a session, so they run one after the other; versions run side by side.
The two that mostly wait for heartbeats have an acceptor of their own each.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest

from conformance.fix.runner import Failed, Outcome, differs, fixify, perform_all, read_formats

HERE: Final = Path(__file__).resolve().parent / "fix"
SHARED: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "fix" / "acceptance"
SLOW: Final = ("4a_NoDataSentDuringHeartBtInt.def", "6_SendTestRequest.def")
STARTS_S: Final = 30.0


@contextmanager
def echo() -> Iterator[int]:
    """A diagnostic acceptor on a free port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fondaco", "fix", "echo", "--port", "0"],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        assert process.stdout
        said = process.stdout.readline().decode()
        assert said.startswith("ready "), f"it said {said!r}"
        yield int(said.rpartition(":")[2])
    finally:
        process.terminate()
        process.wait(STARTS_S)


def run_all(folders: Sequence[Path], formats: Path) -> list[Outcome]:
    """The scripts of all folders: a folder has one session, so its scripts take turns."""
    known = read_formats(formats)

    async def together(ports: Sequence[int]) -> list[list[Outcome]]:
        jobs = []
        for folder in folders:
            scripts = sorted(folder.glob("*.def"))
            parts = [[each for each in scripts if each.name == slow] for slow in SLOW]
            parts.append([each for each in scripts if each.name not in SLOW])
            jobs += [
                perform_all(part, port, known) for part, port in zip(parts, ports, strict=True)
            ]
        return list(await asyncio.gather(*jobs))

    with ExitStack() as stack:
        ports = [stack.enter_context(echo()) for _ in range(len(SLOW) + 1)]
        found = asyncio.run(together(ports))
    return [outcome for part in found for outcome in part]


def check(outcomes: Sequence[Outcome]) -> None:
    wrong = [f"{each.script}: {each.wrong}" for each in outcomes if each.wrong]
    sys.stdout.write(f"{len(outcomes) - len(wrong)} of {len(outcomes)} scripts pass\n")
    assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="module", autouse=True)
def public() -> Iterator["Future[list[Outcome]] | None"]:
    """The public scripts, begun before anything else here: they mostly wait."""
    if not SHARED.is_dir():
        yield None
        return
    folders = sorted(each for each in SHARED.iterdir() if each.is_dir())
    with ThreadPoolExecutor(1) as beside:
        yield beside.submit(run_all, folders, SHARED / "fields.fmt")


def test_our_own_scripts() -> None:
    folders = sorted(each for each in HERE.iterdir() if each.is_dir() and each.name[0] != "_")
    outcomes = run_all(folders, HERE / "fields.fmt")
    assert len(outcomes) >= 20
    check(outcomes)


def test_a_script_that_expects_something_else_fails() -> None:
    """The runner's own law: it sees a wrong value, a wrong order, and a field too many."""
    message = fixify(b"8=FIX.4.4\x0135=0\x0134=2\x0149=A\x0156=B\x01")
    assert message == b"8=FIX.4.4\x019=20\x0135=0\x0134=2\x0149=A\x0156=B\x0110=126\x01"
    assert not differs(message, message, {})
    assert differs(message, message.replace(b"34=2", b"34=3"), {})
    assert differs(message, message.replace(b"34=2\x0149=A", b"49=A\x0134=2"), {})
    assert differs(message, message.replace(b"49=A\x01", b"49=A\x0150=C\x01"), {})


@pytest.mark.parametrize(
    ("line", "sent"),
    [
        (b"8=FIX.4.4\x019=7\x0135=0\x0110=256\x01", b"8=FIX.4.4\x019=7\x0135=0\x0110=256\x01"),
        (b"35=0\x018=FIX.4.4\x01", b"35=0\x018=FIX.4.4\x01"),
    ],
)
def test_what_a_script_gets_wrong_on_purpose_stays_wrong(line: bytes, sent: bytes) -> None:
    assert fixify(line) == sent


def test_a_script_that_nobody_can_read_fails(tmp_path: Path) -> None:
    script = tmp_path / "unknown.def"
    script.write_bytes(b"xCONNECT\n")
    (outcome,) = asyncio.run(perform_all([script], 1, {}))
    assert "line 1" in outcome.wrong
    assert issubclass(Failed, Exception)


def test_the_public_scripts(public: "Future[list[Outcome]] | None") -> None:
    """All of them: FIX 4.2, 4.4, 5.0 SP2 over FIXT 1.1, and one on validation."""
    if public is None:
        pytest.skip("../shared/data/fix is not here")
    outcomes = public.result()
    assert len(outcomes) == 178
    check(outcomes)
