"""Proofs from a running house, checked by somebody who has one file and no house."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from app.test_cli import Beside, told
from app.test_house import follower_of, metric
from app.test_restart import done, wait_for
from fondaco.cli import EXIT_USAGE, EXIT_WRONG, main
from fondaco.kernel import ed25519
from fondaco.runtime.proofs import signature_verifier, verifier
from fondaco.runtime.proofs.roots import Root
from running import Client, Running, house, order

ROOTS_EVERY_S = 1


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("proofs") / "house"


@pytest.fixture(scope="module")
def running(data: Path) -> Iterator[Running]:
    with house(data, options=("--set", f"root_every_s={ROOTS_EVERY_S}")) as found:
        yield found


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    found = running.client()
    yield found
    found.close()


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs what `fondaco proof --verifier` prints, in a Python that knows nothing of us."""
    program = tmp_path / "verifier.py"
    program.write_text(told(capsys, "proof", "--verifier"))

    def run(*proofs: object, root: str = "", status: int = 0) -> str:
        names = []
        for nth, proof in enumerate(proofs):
            (tmp_path / f"{nth}.json").write_text(json.dumps(proof))
            names.append(f"{nth}.json")
        asked = [*(["--root", root] if root else []), *names]
        command = [sys.executable, "-I", "-S", str(program), *asked]
        ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=30)
        assert ended.returncode == status, ended
        return ended.stdout + ended.stderr

    return run


def hashed(client: Client, position: int) -> None:
    wait_for(lambda: client.get("/api/journal/root")["size"] >= position)


def test_an_order_is_proven_to_whoever_kept_a_root(client: Client, check: Any) -> None:
    placed = done(client, "POST", "/api/orders", order("proven"))
    life = client.get(f"/api/why/{placed['order_id']}?min_position={placed['position']}")
    position = life["steps"][0]["position"]
    hashed(client, position)
    wait_for(lambda: client.get("/api/journal/roots?limit=1000")["items"][-1]["size"] >= position)
    found = client.get(f"/api/journal/proof?position={position}")
    kept = client.get("/api/journal/roots?limit=1000")["items"]
    assert {"size": found["size"], "root": found["root"]}.items() <= {
        **next(root for root in kept if root["size"] == found["size"])
    }.items()
    told_of = check(found, root=f"{found['root']}@{found['size']}")
    assert f"entry {position} of {found['size']} is account/demo version " in told_of
    assert '"trading.order_accepted.v1"' in told_of
    assert "which you gave" in told_of
    assert "YOU MUST HAVE" in check(found)


def test_a_proof_that_was_changed_is_none(client: Client, check: Any) -> None:
    hashed(client, 8)
    found = client.get("/api/journal/proof?position=5&size=8")
    root = f"{found['root']}@8"
    check(found, root=root)
    record = bytearray.fromhex(found["record"])
    record[-1] ^= 1
    path = found["path"]
    for change in (
        {"position": 6}, {"nth": found["nth"] + 1}, {"size": 7}, {"root": "0" * 64},
        {"path": path[1:]}, {"path": [*path, "0" * 64]}, {"path": path[::-1]}, {"path": ["x"]},
        {"path": None}, {"record": record.hex()}, {"record": found["record"] + "00"},
        {"record": ""}, {"proof": "consistency"}, {"position": "5"}, {"position": -1},
    ):  # fmt: skip
        assert "NOT PROVEN" in check({**found, **change}, root=root, status=1), change
    no_proofs: tuple[object, ...] = ([], 5, {}, None)
    for wrong in no_proofs:
        check(wrong, root=root, status=1)
    check(found, root="0" * 64 + "@8", status=1)
    check(found, root="12", status=2)
    check(status=2)


def test_the_log_is_proven_to_begin_with_what_was_kept(client: Client, check: Any) -> None:
    hashed(client, 9)
    older = client.get("/api/journal/consistency?from=3&to=6")
    newer = client.get("/api/journal/consistency?from=6&to=9")
    entry = client.get("/api/journal/proof?position=2&size=6")
    kept = f"{newer['root']}@9"
    told_of = check(newer, entry, root=kept)
    assert "9 entries begin with the 6 of root" in told_of
    assert "which you gave" in told_of.partition("entry 2 of 6")[2], "by the one before it"
    check(entry, newer, root=kept, status=1)
    check(older, newer, entry)
    check({**newer, "old_root": older["old_root"]}, root=kept, status=1)
    check({**newer, "from": 5, "old_size": 5}, root=kept, status=1)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/journal/proof?position=99999999", 404),
        ("/api/journal/proof?position=5&size=3", 404),
        ("/api/journal/proof?position=0", 422),
        ("/api/journal/proof", 422),
        ("/api/journal/root?size=99999999", 404),
        ("/api/journal/consistency?from=6&to=3", 404),
        ("/api/journal/consistency?to=3", 422),
    ],
)
def test_what_is_not_there_is_not_proven(client: Client, path: str, status: int) -> None:
    hashed(client, 8)
    assert client.ask("GET", path).status == status


def test_a_running_house_is_verified_while_orders_come_in(
    running: Running, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Beside(running) as beside:
        wait_for(lambda: len(beside.accepted) > 300)
        found = json.loads(told(capsys, "verify", "--data", str(data)))
        assert found["wrong"] == []
        assert found["journal_entries"] > 300
        assert found["roots"] > 0
        seen = len(beside.accepted)
        wait_for(lambda: len(beside.accepted) > seen)


def test_a_follower_that_dies_in_the_middle_leaves_nothing_out(
    running: Running, data: Path, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    deaths = partial(metric, client, "fondaco_follower_deaths_total")
    before = deaths()
    with Beside(running) as beside:
        for nth in range(1, 4):
            more = len(beside.accepted) + 1
            wait_for(partial(reached, lambda: len(beside.accepted), more))
            os.kill(follower_of(running), signal.SIGKILL)
            wait_for(partial(reached, deaths, before + nth))
            wait_for(partial(alive, running))
    position = metric(client, "fondaco_journal_position")
    hashed(client, int(position))
    assert metric(client, "fondaco_proofs_position") >= position
    assert json.loads(told(capsys, "verify", "--data", str(data)))["wrong"] == []


def reached(now: Callable[[], float], wanted: float) -> bool:
    return now() >= wanted


def alive(running: Running) -> bool:
    try:
        return follower_of(running) > 0
    except ValueError:  # none, just now
        return False


def test_a_house_that_stops_publishes_all_it_has_written_and_a_kept_root_binds_it(
    tmp_path: Path, check: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "house"
    asked = ("--data", str(data))
    with house(data) as running:
        done(running.client(), "POST", "/api/orders", order("one"))
        assert running.stop() == 0
        said = running.said()
    found = json.loads(told(capsys, "verify", *asked))
    assert found["wrong"] == []
    root = found["root"]
    *_, last = told(capsys, "proof", "--roots", *asked).splitlines()
    assert last.split()[:3:2] == [root, "stop"]
    key = (data / "proofs" / "signing.pub").read_text().strip()
    assert last.endswith(f" signed by {key}")
    assert not (data / "proofs" / "signing.key").exists(), "it is in the ring"
    assert f"root {root}" in said
    assert json.loads(told(capsys, "verify", "--root", root, *asked))["roots"] == found["roots"] + 1
    proof = json.loads(told(capsys, "proof", "3", *asked))
    check(proof, root=root)
    check(json.loads(told(capsys, "proof", "--from", "4", *asked)), root=root)
    lines = (data / "proofs" / "roots").read_bytes()
    (data / "proofs" / "roots").write_bytes(lines.replace(b'"why":"stop"', b'"why":"due"'))
    assert main(["verify", *asked]) == EXIT_WRONG  # the hash is right, and nobody signed this
    out, _ = capsys.readouterr()
    assert json.loads(out)["wrong"] == [
        f"the root of the first {found['journal_entries']} entries is not signed by the key that "
        "it names"
    ]
    assert told(capsys, "proof", "--roots", *asked).splitlines()[-1].endswith("WRONGLY SIGNED")
    (data / "proofs" / "roots").write_bytes(lines)
    wrong = f"{'0' * 64}@{found['journal_entries']}"
    assert main(["verify", "--root", wrong, *asked]) == EXIT_WRONG
    out, err = capsys.readouterr()
    assert json.loads(out)["first"]["position"] == 1
    assert err.startswith("fondaco: entry 1 of reference/house, in segment 00000001 at byte 9")
    assert main(["verify", "--json", "--root", wrong, *asked]) == EXIT_WRONG
    assert capsys.readouterr().err == ""
    for mistaken in (["verify", "--root", "abc"], ["proof"]):
        assert main([*mistaken, *asked]) == EXIT_USAGE
    told(capsys, "proof", "99999", *asked, status=EXIT_WRONG)


@pytest.mark.parametrize("program", [verifier, signature_verifier])
def test_a_verifier_is_one_small_file(program: ModuleType) -> None:
    text = Path(str(program.__file__)).read_text()
    assert len(text.splitlines()) <= 150
    known = set(sys.stdlib_module_names)
    imported = [
        line.split()[1] for line in text.splitlines() if line.startswith(("import", "from"))
    ]
    assert imported
    assert set(imported) <= known


def test_whose_roots_are_is_checked_without_us(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines of before the key, lines that are signed; then one byte of anything is another."""
    seed = bytes(range(32))
    key = ed25519.public_key(seed).hex()
    early = Root(1, "ab" * 32, "2026-11-20T00:00:00Z", "first")
    lines = [early, *(signed(seed, key, size) for size in (5, 9))]
    program = tmp_path / "signatures.py"
    program.write_text(told(capsys, "proof", "--signatures"))

    def run(roots: list[Root], *options: str, as_reply: bool = False) -> tuple[int, str]:
        texts = [msgspec.json.encode(each).decode() for each in roots]
        joined = f'{{"items":[{",".join(texts)}],"next":9}}' if as_reply else "\n".join(texts)
        (tmp_path / "roots").write_text(joined)
        command = [sys.executable, "-I", "-S", str(program), *options, "roots"]
        ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=30)
        assert not ended.stderr, ended.stderr
        return ended.returncode, ended.stdout

    status, out = run(lines, "--key", key.upper())
    assert (status, out.count(f"signed by {key}"), out.count("before the key")) == (0, 2, 1)
    assert run(lines, as_reply=True) == (0, out)
    change = msgspec.structs.replace
    forged = ed25519.public_key(bytes(32)).hex()
    for wrong in (
        [*lines[:2], change(lines[2], root="cd" * 32)],
        [*lines[:2], change(lines[2], size=10)],
        [*lines[:2], change(lines[2], at="2026-11-22T00:00:00Z")],
        [*lines[:2], change(lines[2], signature="00" * 64)],
        [*lines[:2], change(lines[2], signature=lines[2].signature[:-2])],
        [*lines[:2], change(lines[2], signature="", key="")],
        [lines[0], lines[2], lines[1]],
        [*lines[:2], signed(bytes(32), forged, 9)],
        [change(each, signature="", key="") for each in lines],
    ):
        status, out = run(wrong, "--key", key)
        assert (status, out.count("NOT PROVEN")) == (1, 1), wrong
    assert run([])[0] == 0
    assert run([], "--key", key)[0] == 1


def signed(seed: bytes, key: str, size: int) -> Root:
    root = Root(size, f"{size:064x}", "2026-11-21T00:00:00Z", "due", key)
    text = f"fondaco root {root} {root.at} {root.why} {root.key}\n".encode()
    return msgspec.structs.replace(root, signature=ed25519.sign(seed, text).hex())
