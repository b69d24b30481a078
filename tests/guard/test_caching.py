"""What a client may keep, and is told to ask about."""

from pathlib import Path

import pytest
from httpx2 import ASGITransport, AsyncClient
from hypothesis import given
from hypothesis import strategies as st

from fondaco.gateway.guard import caching
from gateway.desk import Person
from gateway.whole import a_house

pytestmark = pytest.mark.anyio
ADA, EVE = Person("ada", "demo", frozenset()), Person("eve", "demo", frozenset())


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_what_was_kept_is_asked_about_and_not_sent_again_until_it_changes(
    tmp_path: Path,
) -> None:
    async with (
        a_house(tmp_path) as (door, _),
        AsyncClient(transport=ASGITransport(door), base_url="http://test") as http,
    ):
        ada = {"authorization": "Bearer ada"}
        opened = {"account_id": "demo", "name": "Demo"}
        at = (await http.post("/api/accounts", json=opened, headers=ada)).json()["position"]

        async def look(who: str, tag: str = "") -> tuple[int, str, str, str]:
            headers = {"authorization": f"Bearer {who}"}
            if tag:
                headers["if-none-match"] = tag
            got = await http.get(f"/api/accounts?min_position={at}", headers=headers)
            return got.status_code, got.headers["etag"], got.headers["cache-control"], got.text

        status, tag, kept, text = await look("ada")
        assert (status, kept) == (200, "private, no-cache")
        assert tag.startswith('"')
        assert '"demo"' in text
        assert await look("ada", tag) == (304, tag, kept, "")
        assert await look("ada", f'"other", W/{tag}') == (304, tag, kept, "")
        assert (await look("ada", '"other"'))[0] == 200
        confined = await look("confined", tag)
        assert confined[0] == 200, "what one has kept says nothing to another"
        assert confined[1] != tag
        second = {"account_id": "second", "name": "Second"}
        at = (await http.post("/api/accounts", json=second, headers=ada)).json()["position"]
        changed = await look("ada", tag)
        assert (changed[0], changed[1] != tag) == (200, True)
        denied = await http.get(
            "/api/accounts", headers={"authorization": "Bearer x", "if-none-match": tag}
        )
        assert (denied.status_code, denied.headers["cache-control"]) == (401, "no-store")
        assert "etag" not in denied.headers
        refused = await http.post(
            "/api/accounts", json=opened, headers={**ada, "if-none-match": tag}
        )
        assert (refused.status_code, refused.headers["cache-control"]) == (201, "no-store")


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_a_tag_is_of_the_content_and_of_whoever_asks(one: bytes, other: bytes) -> None:
    assert (caching.tag_of(ADA, one) == caching.tag_of(ADA, other)) == (one == other)
    assert caching.tag_of(ADA, one) != caching.tag_of(EVE, one)


@pytest.mark.parametrize(
    ("asked", "same"),
    [
        (b'"a"', True),
        (b'W/"a"', True),
        (b'"b", "a"', True),
        (b"*", True),
        (b'"b"', False),
        (b"a", False),
        (b"", False),
        (b'"a', False),
    ],
)
def test_if_none_match(asked: bytes, same: bool) -> None:
    assert caching.is_same(asked, b'"a"') is same


def test_what_is_secret_or_about_a_person_is_kept_nowhere() -> None:
    assert caching.is_kept("trading.accounts", secret=False)
    assert not caching.is_kept("trading.accounts", secret=True)
    for name in ("users.profile", "kyc.case", "identity.keys", "approvals.list"):
        assert not caching.is_kept(name, secret=False)
