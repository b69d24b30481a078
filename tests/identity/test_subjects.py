"""A key for each subject: what it seals is theirs alone, and is forgotten with it."""

from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.app.files import Files
from fondaco.app.journal_sealing import sealing_codec
from fondaco.app.secrets import open_keys, open_ring
from fondaco.domain.identity.events import SessionEnded
from fondaco.domain.identity.model import IDENTITY_STREAM
from fondaco.domain.identity.subjects.keys import Forgotten, SubjectKeys, is_sealed, person
from fondaco.kernel.codec import Unread
from fondaco.kernel.errors import Corrupt, Unavailable
from fondaco.kernel.event import CommandId, Decision, Instant
from fondaco.ports.secrets import KEY_BYTES
from fondaco.ports.secrets.sealed_file import SealedFile
from fondaco.ports.store.sqlite import SqliteStore

ADA, EVE = person("acme", "ada"), person("acme", "eve")


def keys_in(folder: Path) -> tuple[SubjectKeys, SealedFile]:
    ring = SealedFile(folder, lambda: b"k" * KEY_BYTES, is_key=True)
    return SubjectKeys(SqliteStore(folder / "keys.db"), ring, lambda: Instant(1)), ring


@given(text=st.binary(max_size=200), about=st.text(max_size=20))
def test_what_was_sealed_is_read_about_the_same_and_nobody_else(
    text: bytes, about: str, tmp_path_factory: Any
) -> None:
    keys, _ = keys_in(tmp_path_factory.mktemp("keys"))
    sealed = keys.seal(text, about, ADA)
    assert is_sealed(sealed)
    assert keys.unseal(sealed, about) == text
    assert sealed != keys.seal(text, about, ADA)
    assert len(text) < 4 or text not in sealed
    with pytest.raises(Corrupt):
        keys.unseal(sealed, about + "x")


def test_a_master_that_changes_leaves_what_was_sealed_as_it_is(tmp_path: Path) -> None:
    keys, ring = keys_in(tmp_path)
    sealed = {who: keys.seal(b"secret", who, who) for who in (ADA, EVE)}
    before = (tmp_path / "keys.db").read_bytes() + (tmp_path / "keys.db-wal").read_bytes()
    ring.rotate()
    assert keys.rewrap(dry_run=True).rewrapped == 2
    assert keys.rewrap().rewrapped == 2
    assert keys.rewrap().rewrapped == 0
    ring.retire()
    again, _ = keys_in(tmp_path)
    for who, text in sealed.items():
        assert again.unseal(text, who) == b"secret"
    assert b"secret" not in before


def test_a_key_that_is_destroyed_is_nowhere_and_takes_its_subject_with_it(tmp_path: Path) -> None:
    keys, _ = keys_in(tmp_path)
    ada, eve = keys.seal(b"Lovelace", "ada", ADA), keys.seal(b"Moneypenny", "eve", EVE)
    key_id, _ = keys.key_of(ADA)
    wrapped = bytes(keys._ring.wrap(b"x" * KEY_BYTES, ADA))
    assert len(wrapped) > KEY_BYTES
    with keys._kept.reading() as conn:
        from fondaco.domain.identity.subjects import store

        [kept] = [row.wrapped for row in store.all_keys(conn) if row.key_id == key_id]
    assert keys.destroy(ADA)
    assert not keys.destroy(ADA)
    other, _ = keys_in(tmp_path)
    for each in (keys, other):
        with pytest.raises(Forgotten):
            each.unseal(ada, "ada")
        assert each.unseal(eve, "eve") == b"Moneypenny"
        assert each.forgotten_at(ADA) == 1
        assert each.forgotten_at(EVE) is None
    on_disk = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert kept not in on_disk, "free pages and the log included"
    assert ADA.encode() not in on_disk
    fresh = keys.seal(b"again", "ada", ADA)
    assert keys.unseal(fresh, "ada") == b"again", "who comes back has another key"


def test_an_old_copy_of_the_keys_learns_who_was_forgotten(tmp_path: Path) -> None:
    keys, _ = keys_in(tmp_path / "now")
    sealed = keys.seal(b"Lovelace", "ada", ADA)
    keys._kept.copy(tmp_path / "copy.db")
    keys.destroy(ADA)
    ring = SealedFile(tmp_path / "now", lambda: b"k" * KEY_BYTES, is_key=True)
    old = SubjectKeys(SqliteStore(tmp_path / "copy.db"), ring, lambda: Instant(2))
    assert old.unseal(sealed, "ada") == b"Lovelace"
    assert old.take_tombstones(keys) == 1
    with pytest.raises(Forgotten):
        old.unseal(sealed, "ada")


def test_keys_of_another_house_are_told_from_those_that_were_destroyed(tmp_path: Path) -> None:
    keys, _ = keys_in(tmp_path / "one")
    other, _ = keys_in(tmp_path / "two")
    with pytest.raises(Unavailable):
        other.unseal(keys.seal(b"x", "ada", ADA), "ada")


def test_what_the_journal_seals_is_written_one_way_and_copied_unread(tmp_path: Path) -> None:
    files = Files(tmp_path)
    said = (SessionEnded("acme", "ada", "ses_1", "ada"),)
    decision = Decision(IDENTITY_STREAM, 4, CommandId("c"), Instant(1), 0, said)
    codec, other = sealing_codec(files), sealing_codec(files)
    written = codec.encode([decision])
    assert b"ada" not in written
    assert other.encode([decision]) == written, "a copy of a journal keeps its hashes"
    later = msgspec.structs.replace(decision, expected_version=5)
    assert codec.encode([later])[-40:] != written[-40:]
    assert other.decode(written) == [decision]
    with closing(open_ring(files)) as ring:
        open_keys(files, ring).destroy(ADA)
    [unread] = sealing_codec(files).decode(written)
    assert {type(event) for event in unread.events} == {Unread}
    assert sealing_codec(files).encode([unread]) == written
