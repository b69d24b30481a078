"""The dispute pack: judged again by a bare Python, and one changed byte is found."""

import io
import json
import subprocess
import sys
import zipfile
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest

from app.test_assessments import FIRST, STREAM, lived, standing, trades
from app.test_margin import Floor
from fondaco.app.assessments.pack import pack
from fondaco.app.files import Files
from fondaco.app.machines import open_journal
from fondaco.app.proofs import proofs, publish_last
from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.trading.model import TradingState

_PROGRAMS: Final = ("verify.py", "verifier.py", "signatures.py")
_TEXTS: Final = ("SHA256", "entries.json", "manifest.json", "root.json", "rules.txt", "terms.json")
NAMES: Final = frozenset((*_PROGRAMS, *_TEXTS))


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Of an assessment that a tick has failed, in a house that has published its root."""
    data, states = tmp_path_factory.mktemp("house"), list[Any]()

    async def story(floor: Floor) -> None:
        await trades(floor, "5", "50000.01", "a")
        floor.trades_at(49_190)
        await floor.until(lambda: floor.heard(ev.RuleWarned, STREAM))
        floor.trades_at(48_990)
        await floor.until(lambda: floor.state(FIRST).trading_state is TradingState.HALTED)
        states.append(standing(floor))

    lived(data, story)
    files = Files(data)
    publish_last(files)
    with closing(open_journal(files)) as journal, closing(proofs(files, journal)) as proven:
        made = pack(states[0], journal, proven)
        assert pack(states[0], journal, proven) == made
    return made


def laid(packed: bytes, at: Path) -> Path:
    zipfile.ZipFile(io.BytesIO(packed)).extractall(at)
    assert {each.name for each in at.iterdir()} == NAMES
    return at


def judged(at: Path, *more: str) -> tuple[int, str]:
    """By a Python that has nothing but its own library."""
    asked = [sys.executable, "-I", "-S", str(at / "verify.py"), *more]
    found = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    return found.returncode, found.stdout


def test_a_third_party_comes_to_the_same_verdict(packed: bytes, tmp_path: Path) -> None:
    at = laid(packed, tmp_path)
    root = json.loads((at / "root.json").read_text())
    named = f"{root['root']}@{root['size']}"
    status, said = judged(at, "--root", named, "--key", root["key"])
    assert (status, said.splitlines()[-1]) == (0, "proven"), said
    assert "verdict: failed by daily_loss" in said
    assert judged(at, "--key", "00" * 32)[0] == 1
    assert judged(at, "--root", f"{'00' * 32}@{root['size']}")[0] == 1


@pytest.mark.parametrize("name", sorted(NAMES))
def test_one_changed_byte_is_found(packed: bytes, tmp_path: Path, name: str) -> None:
    at = laid(packed, tmp_path)
    raw = bytearray((at / name).read_bytes())
    place = raw.rindex(b"main()") if name == "verify.py" else len(raw) * 2 // 3
    raw[place - 1] ^= 1
    (at / name).write_bytes(raw)
    assert judged(at)[0] != 0


@pytest.mark.parametrize("kind", ["record", "state", "missing"])
def test_who_mends_the_hashes_as_well_is_found_by_the_log(
    packed: bytes, tmp_path: Path, kind: str
) -> None:
    at = laid(packed, tmp_path)
    manifest = json.loads((at / "manifest.json").read_text())
    found = json.loads((at / "entries.json").read_text())
    if kind == "record":
        found[-3]["record"] = found[-3]["record"].replace("a", "b", 1)
    elif kind == "missing":
        del found[2]
    else:
        manifest["state"] = "active"
    (at / "entries.json").write_text(json.dumps(found))
    mended = sha256((at / "entries.json").read_bytes()).hexdigest()
    manifest["files"]["entries.json"] = mended
    (at / "manifest.json").write_text(json.dumps(manifest))
    (at / "SHA256").write_text(sha256((at / "manifest.json").read_bytes()).hexdigest())
    status, said = judged(at)
    assert status == 1, said
    assert said.startswith("NOT PROVEN")
