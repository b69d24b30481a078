"""The house's key ring at the machine: what was a key in a file, and the commands on it."""

import io
import json
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fondaco.app.files import Files
from fondaco.app.secrets import SubjectSealing, belongs, open_keys, open_ring, signing_seed
from fondaco.cli import EXIT_USAGE, EXIT_WRONG, main
from fondaco.domain.identity.people import store as people
from fondaco.kernel.errors import Conflict, Corrupt, Denied, Unavailable
from fondaco.kernel.event import Instant
from fondaco.ports.secrets.audited import audit_of
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.proofs import signing
from fondaco.settings import Settings

OLD = bytes(range(32))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "house")


def older(text: bytes, about: str) -> bytes:
    """As the one key for everybody has sealed it."""
    return b"n" * 12 + AESGCM(OLD).encrypt(b"n" * 12, text, about.encode())


def test_keys_that_were_files_go_into_the_ring_and_nothing_is_lost(files: Files) -> None:
    files.proofs.mkdir(parents=True)
    (files.root / "records.key").write_bytes(OLD)
    public = signing.signer(files.proofs).key
    records = SqliteStore(files.records)
    records.create(people.metadata)
    nothing = dict.fromkeys(("totp", "totp_at", "verified_at"))
    with records.writing() as conn:
        people.add_person(
            conn, tenant="acme", user="ada", email=older(b"ada@x.org", "acme/ada"),
            name=older(b"Ada Lovelace", "acme/ada"), password="", password_at=0,
            verify_digest="", verify_until=0, totp_step=0, created_at=0, **nothing,
        )  # fmt: skip
    with closing(open_ring(files)) as ring:
        assert signing.signer(files.proofs, signing_seed(ring)).key == public
        sealing = SubjectSealing(open_keys(files, ring), ring)
        assert sealing.unseal(older(b"Ada", "acme/ada"), "acme/ada") == b"Ada", "of an old backup"
        assert sealing.move(records) == 2
        assert sealing.move(records) == 0
        with records.reading() as conn:
            row = people.person(conn, "acme", "ada")
        assert sealing.unseal(row.name, "acme/ada") == b"Ada Lovelace"
        assert sealing.unseal(row.email, "acme/ada") == b"ada@x.org"
        with pytest.raises(Unavailable):
            sealing.unseal(b"n" * 12 + AESGCM(b"x" * 32).encrypt(b"n" * 12, b"", b""), "acme/ada")
    assert not (files.root / "records.key").exists()
    assert not (files.proofs / signing.KEY).exists()
    (files.root / "records.key").write_bytes(OLD[::-1])
    with pytest.raises(Conflict):
        open_ring(files)
    (files.root / "records.key").write_bytes(OLD)
    open_ring(files).close()


def test_a_directory_knows_its_ring(files: Files) -> None:
    open_ring(files).close()
    assert belongs(files).unseal == "key"
    with pytest.raises(Conflict):
        open_ring(files, Settings(unseal="env:OTHER"))
    (files.secrets / "unseal.key").write_bytes(bytes(32))
    with pytest.raises(Denied):
        open_ring(files)


def run(capsys: Any, *arguments: str) -> str:
    assert main([str(each) for each in arguments]) == 0
    return str(capsys.readouterr().out)


def typed(monkeypatch: Any, text: bytes) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=bool, buffer=io.BytesIO(text)))


def test_secrets_are_kept_given_and_audited(files: Files, capsys: Any, monkeypatch: Any) -> None:
    at = ("--data", str(files.root))
    typed(monkeypatch, b"hunter2\n")
    run(capsys, "secrets", "put", "feed/kalshi", *at)
    assert run(capsys, "secrets", "list", *at) == "feed/kalshi\n"
    monkeypatch.setattr("sys.stdout", out := SimpleNamespace(buffer=io.BytesIO()))
    assert main(["secrets", "get", "feed/kalshi", *at]) == 0
    monkeypatch.undo()
    assert out.buffer.getvalue() == b"hunter2\n"
    assert main(["secrets", "get", "feed/none", *at]) == EXIT_WRONG
    run(capsys, "secrets", "remove", "feed/kalshi", *at)
    said = run(capsys, "secrets", "audit", *at)
    assert "hunter2" not in said
    lines = [(each.what, each.name, each.outcome) for each in audit_of(files.secrets / "audit")]
    assert lines == [
        ("put", "feed/kalshi", "ok"),
        ("get", "feed/kalshi", "ok"),
        ("get", "feed/none", "not_found"),
        ("remove", "feed/kalshi", "ok"),
    ]
    audit = files.secrets / "audit"
    first, *rest = audit.read_bytes().splitlines(keepends=True)
    audit.write_bytes(b"".join([first, *rest[1:]]))
    with pytest.raises(Corrupt):
        audit_of(audit)


def test_a_lease_ends(files: Files) -> None:
    now = [Instant(5)]
    with closing(open_ring(files)) as ring:
        ring._clock = lambda: now[0]
        ring.put("feed/kalshi", b"hunter2", "feed")
        lease = ring.lease("feed/kalshi", "feed", 60)
        assert lease.value == b"hunter2"
        now[0] = lease.ends_at
        with pytest.raises(Unavailable) as found:
            _ = lease.value
        assert found.value.code == "lease_ended"


def test_the_ring_is_unsealed_by_a_passphrase(files: Files, capsys: Any, monkeypatch: Any) -> None:
    at = ("--data", str(files.root))
    typed(monkeypatch, b"hunter2")
    run(capsys, "secrets", "put", "feed/kalshi", *at)
    monkeypatch.setenv("HOUSE_WORDS", "nine plain words help")
    run(capsys, "secrets", "reseal", "--unseal", "env:HOUSE_WORDS", *at)
    assert not (files.secrets / "unseal.key").exists()
    assert run(capsys, "secrets", "list", *at) == "feed/kalshi\n"
    monkeypatch.setenv("HOUSE_WORDS", "guess")
    assert main(["secrets", "list", *at]) == EXIT_WRONG
    monkeypatch.delenv("HOUSE_WORDS")
    assert main(["secrets", "list", *at]) == EXIT_WRONG
    assert "HOUSE_WORDS" in capsys.readouterr().err
    monkeypatch.setenv("HOUSE_WORDS", "nine plain words help")
    run(capsys, "secrets", "reseal", "--unseal", "key", *at)
    monkeypatch.delenv("HOUSE_WORDS")
    assert run(capsys, "secrets", "list", *at) == "feed/kalshi\n"
    assert main(["secrets", "put", "x", *at]) == EXIT_USAGE, "nothing was typed"


def test_the_master_changes_and_nothing_is_written_again(files: Files, capsys: Any) -> None:
    at = ("--data", str(files.root))
    with closing(open_ring(files)) as ring:
        keys = open_keys(files, ring)
        sealed = keys.seal(b"Lovelace", "acme/ada", "person/acme/ada")
    would = json.loads(run(capsys, "keys", "rotate", "--dry-run", *at))
    assert would == {"keys": 1, "would_rewrap": 1, "data_written_again": 0}
    assert json.loads(run(capsys, "keys", "status", *at)) == {"keys": 1, "rewrapped": 0}
    done = json.loads(run(capsys, "keys", "rotate", "--retire", *at))
    assert done == {"master": "m2", "keys": 1, "rewrapped": 1, "masters_destroyed": ["m1"]}
    with closing(open_ring(files)) as ring:
        assert open_keys(files, ring).unseal(sealed, "acme/ada") == b"Lovelace"


def test_every_setting_says_which_layer_it_comes_from(
    tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    (tmp_path / "fondaco.toml").write_text(
        'port = 8181\njournal = "postgresql://ada:hunter2@db/x"\n'
    )
    monkeypatch.setenv("FONDACO_LOG_LEVEL", "INFO")
    text = run(capsys, "settings", "--json", "--data", str(tmp_path))
    rows = {row["name"]: row for row in json.loads(text)}
    sources = {name: rows[name]["source"] for name in ("port", "log_level", "data", "host")}
    assert list(sources.values()) == ["file", "environment", "command line", "default"]
    assert "hunter2" not in text
    assert "hunter2" not in run(capsys, "settings", "--data", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".fondaco").mkdir()
    (tmp_path / ".fondaco" / "fondaco.toml").write_text("port = 8282\n")
    rows = {row["name"]: row for row in json.loads(run(capsys, "settings", "--json"))}
    assert (rows["port"]["value"], rows["port"]["source"]) == (8282, "file"), "the usual folder"
