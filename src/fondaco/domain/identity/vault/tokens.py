"""Tokens that stand for accounts and owners where names must not be.

A token is a keyed hash (HMAC-SHA-256, RFC 2104; 120 bits of it), so the same name has the same one
in a tenant, whenever it is asked, and rows that bear it can be joined. Nothing that maps them back
is kept: who may ask has the names that are there hashed again. An account's token is under its
tenant's key. An owner's is under that person's own: once the key is destroyed nobody can make it,
not even who guesses the name.
"""

from base64 import b32encode
from collections.abc import Iterable
from hmac import digest
from typing import Final, Literal, NamedTuple, Protocol

from fondaco.domain.identity.subjects.keys import person

Kind = Literal["account", "owner"]
PREFIXES: Final = {"account": "acc_", "owner": "own_"}
TOKEN_PATTERN: Final = r"^(acc|own)_[a-z2-7]{24}$"  # noqa: S105
_BYTES: Final = 15
_USE: Final = b"fondaco tokens v1"  # the data key itself encrypts, and does nothing else


class Keys(Protocol):
    """What of `SubjectKeys` is used here."""

    def key_of(self, subject: str) -> tuple[str, bytes]: ...


class Revealed(NamedTuple):
    """Whom a token stands for."""

    token: str
    kind: Kind
    name: str


class TokenVault:
    """Of all tenants. Safe to call from any thread."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def account(self, tenant: str, account: str) -> str:
        return self._token("account", f"tenant/{tenant}", account)

    def owner(self, tenant: str, user: str) -> str:
        """Of a user who is there: for one who was forgotten it would begin a new key."""
        return self._token("owner", person(tenant, user), user)

    def reveal(
        self, tenant: str, tokens: Iterable[str], accounts: Iterable[str], owners: Iterable[str]
    ) -> list[Revealed]:
        """Those of `tokens` that stand for one of `accounts` or `owners`, in the order given. What
        is another tenant's, was forgotten or never was is not there, and is not told apart."""
        asked = list(dict.fromkeys(tokens))
        names: dict[str, tuple[Kind, str]] = {}
        if any(each.startswith(PREFIXES["account"]) for each in asked):
            names |= {self.account(tenant, each): ("account", each) for each in accounts}
        if any(each.startswith(PREFIXES["owner"]) for each in asked):
            names |= {self.owner(tenant, each): ("owner", each) for each in owners}
        return [Revealed(each, *names[each]) for each in asked if each in names]

    def _token(self, kind: Kind, subject: str, name: str) -> str:
        _, key = self._keys.key_of(subject)
        found = digest(digest(key, _USE, "sha256"), f"{kind}/{name}".encode(), "sha256")
        return PREFIXES[kind] + b32encode(found[:_BYTES]).decode().lower()
