"""kill -9 as soon as a privileged act is answered: the journal has who was allowed it."""

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fondaco.app.files import Files
from fondaco.app.kinds import ROOMS
from fondaco.app.machines import open_journal
from fondaco.domain.identity.audit.events import ActNoted
from fondaco.domain.identity.audit.model import stream_of
from fondaco.domain.identity.model import PRIVILEGED
from running import Client, house, order


def owner(client: Client, nth: int) -> Any:
    """A row of the records: nothing else of it goes through the journal before the answer."""
    body = {"user": "demo" if nth % 2 else None}
    return client.ask("PUT", "/api/accounts/demo/owner", body)


def opened(client: Client, nth: int) -> Any:
    """An entry of another stream."""
    return client.ask("POST", "/api/accounts", {"account_id": f"noted-{nth}"})


def by_graphql(client: Client, nth: int) -> Any:
    query = 'mutation { it: vault_set_owner(account_id: "demo", user: "demo") { user } }'
    return client.ask("POST", "/graphql", {"query": query})


@pytest.mark.parametrize(
    ("operation", "ask"),
    [
        ("vault.set_owner", owner),
        ("trading.open_account", opened),
        ("vault.set_owner", by_graphql),
    ],
    ids=["records", "journal", "graphql"],
)
def test_what_was_answered_was_noted(
    operation: str, ask: Callable[[Client, int], Any], tmp_path: Path
) -> None:
    with house(tmp_path / "house") as running:
        client = running.client()
        replies = [ask(client, nth) for nth in range(5)]
        running.kill()
    assert {reply.status for reply in replies} <= {200, 201}, replies
    with closing(open_journal(Files(tmp_path / "house"))) as journal:
        events = [entry.event for entry in journal.read(stream_of("demo"))]
    acts = Counter(e.operation for e in events if isinstance(e, ActNoted) and e.user == "demo")
    assert acts[operation] == len(replies)
    door = "graphql" if ask is by_graphql else "rest"
    assert {e.door for e in events if isinstance(e, ActNoted)} == {door}


def test_whatever_changes_a_fix_session_a_capture_or_a_case_is_noted() -> None:
    changing = [
        each
        for room in ROOMS
        for each in room.operations
        if each.name.startswith("fix.") and each.method != "GET"
    ]
    assert len(changing) >= 9
    unnoted = {each.name for each in changing if each.scope not in PRIVILEGED}
    assert unnoted == set()


def test_an_order_waits_for_no_note(tmp_path: Path) -> None:
    with house(tmp_path / "house") as running:
        client = running.client()
        replies = [client.ask("POST", "/api/orders", order(f"n-{nth}")) for nth in range(3)]
        assert {reply.status for reply in replies} == {201}
        running.kill()
    with closing(open_journal(Files(tmp_path / "house"))) as journal:
        assert not list(journal.read(stream_of("demo")))
