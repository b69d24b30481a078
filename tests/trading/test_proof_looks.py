"""Who may be given an entry's bytes: those who may read the entry."""

from types import SimpleNamespace
from typing import Any

import pytest

from fondaco.domain.trading.api import proofs
from fondaco.kernel.errors import NotFound
from fondaco.runtime.proofs.proving import Inclusion

OWNERS = {"mine": "us", "ours": "us", "theirs": "them"}


def asked(stream: str, accounts: frozenset[str] | None) -> Inclusion:
    found = Inclusion(
        position=1, nth=0, stream=stream, version=1, record="", size=1, root="", path=[]
    )
    log: Any = SimpleNamespace(inclusion=lambda position, size: found)
    on: Any = SimpleNamespace(source=log, tenant="us", accounts=accounts)
    return proofs.inclusion(OWNERS.get)(proofs.ProofRequest(1), on)


@pytest.mark.parametrize(
    ("stream", "accounts", "given"),
    [
        ("account/mine", None, True),
        ("account/mine", frozenset({"mine"}), True),
        ("account/ours", frozenset({"mine"}), False),
        ("account/theirs", None, False),
        ("account/theirs", frozenset({"theirs"}), False),
        ("account/nobodys", None, False),
        ("reference/house", None, True),
        ("venue/PAPER/BTC-USD", None, True),
        ("venue/PAPER/BTC-USD", frozenset({"mine"}), False),
    ],
)
def test_an_entry_is_proven_to_those_who_may_read_it(
    stream: str, accounts: frozenset[str] | None, given: bool
) -> None:
    if given:
        assert asked(stream, accounts).stream == stream
    else:
        with pytest.raises(NotFound, match="no entry 1 that you may read"):
            asked(stream, accounts)
