"""Tokens that stand for names: the same within a tenant, nothing outside of it."""

from pathlib import Path
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.domain.identity.subjects.keys import SubjectKeys, person
from fondaco.domain.identity.vault.tokens import TokenVault
from fondaco.kernel.event import Instant
from fondaco.ports.secrets import KEY_BYTES
from fondaco.ports.secrets.sealed_file import SealedFile
from fondaco.ports.store.sqlite import SqliteStore

NAMES: Final = st.sets(st.from_regex(r"[a-z0-9][a-z0-9._-]{3,20}", fullmatch=True), max_size=20)


def keys_in(folder: Path) -> SubjectKeys:
    ring = SealedFile(folder, lambda: b"k" * KEY_BYTES, is_key=True)
    return SubjectKeys(SqliteStore(folder / "keys.db"), ring, lambda: Instant(1))


@settings(max_examples=40)
@given(names=NAMES)
def test_a_name_has_one_token_in_a_tenant_and_another_in_another(
    names: set[str], tmp_path_factory: Any
) -> None:
    """Requirement A51: rows can be joined by tokens, and tell nothing."""
    folder = tmp_path_factory.mktemp("vault")
    vault, again = TokenVault(keys_in(folder)), TokenVault(keys_in(folder))
    made = [(t, kind, n) for t in ("acme", "other") for kind in ("account", "owner") for n in names]
    tokens = [getattr(vault, kind)(tenant, name) for tenant, kind, name in made]
    assert tokens == [getattr(again, kind)(tenant, name) for tenant, kind, name in made]
    assert len(set(tokens)) == len(made), "no two are the same, not even of one name"
    assert not any(name in token for name in names for token in tokens)


@settings(max_examples=40)
@given(names=NAMES, asked=st.data())
def test_tokens_are_mapped_back_among_those_one_may_know_of(
    names: set[str], asked: Any, tmp_path_factory: Any
) -> None:
    vault = TokenVault(keys_in(tmp_path_factory.mktemp("vault")))
    mine = asked.draw(st.sets(st.sampled_from(sorted(names)))) if names else set()
    tokens = [vault.account("acme", name) for name in sorted(names)]
    foreign = [vault.account("other", name) for name in sorted(names)]
    found = vault.reveal("acme", [*tokens, *foreign, *tokens], mine, names)
    assert [(each.kind, each.name) for each in found] == [("account", n) for n in sorted(mine)]


def test_a_forgotten_owner_has_no_token_and_is_given_another(tmp_path: Path) -> None:
    keys = keys_in(tmp_path)
    vault = TokenVault(keys)
    ada, account = vault.owner("acme", "ada"), vault.account("acme", "desk-1")
    assert vault.reveal("acme", [ada], [], ["ada", "eve"])[0].name == "ada"
    keys.destroy(person("acme", "ada"))
    assert vault.reveal("acme", [ada], [], ["eve"]) == []
    assert vault.owner("acme", "ada") != ada, "somebody else of that name is somebody else"
    assert vault.account("acme", "desk-1") == account
