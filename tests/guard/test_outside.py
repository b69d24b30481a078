"""What browsers are told: whose pages may read, and what pages may do."""

from collections.abc import AsyncIterator

import pytest
from httpx2 import ASGITransport, AsyncClient

from fondaco.gateway.door import Door
from fondaco.gateway.guard.outside import Outside, origins
from fondaco.kernel.errors import Invalid
from gateway.desk import Desk, a_door

pytestmark = pytest.mark.anyio
APP = "https://app.example"
PREFLIGHT = {"access-control-request-method": "POST"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def opened() -> AsyncIterator[tuple[Door, Desk]]:
    async with a_door() as found:
        yield found


def outside(door: Door, allowed: str, scheme: str = "https") -> AsyncClient:
    transport = ASGITransport(Outside(door, origins(allowed)))
    return AsyncClient(transport=transport, base_url=f"{scheme}://house")


async def test_nobody_elses_page_reads_anything_unless_it_is_listed(
    opened: tuple[Door, Desk],
) -> None:
    for allowed in ("", "https://other.example"):
        async with outside(opened[0], allowed) as client:
            for method in ("GET", "OPTIONS"):
                found = await client.request(
                    method, "/api/health", headers={"origin": APP, **PREFLIGHT}
                )
                assert not [name for name in found.headers if name.startswith("access-control")]


async def test_a_page_that_is_listed_may_call_with_a_token_and_never_with_a_cookie(
    opened: tuple[Door, Desk],
) -> None:
    async with outside(opened[0], f"https://other.example, {APP}") as client:
        asked = await client.options("/api/orders", headers={"origin": APP, **PREFLIGHT})
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, APP)
        assert "Authorization" in asked.headers["access-control-allow-headers"]
        found = await client.get("/api/health", headers={"origin": APP})
        assert found.headers["access-control-allow-origin"] == APP
        assert "RateLimit" in found.headers["access-control-expose-headers"]
        assert "Origin" in found.headers["vary"]
        for answer in (asked, found):
            assert "access-control-allow-credentials" not in answer.headers
        same = await client.get("/api/health")
        assert same.headers["vary"] == "Origin"
        assert "access-control-allow-origin" not in same.headers


async def test_pages_say_what_they_may_and_tls_that_it_stays(opened: tuple[Door, Desk]) -> None:
    async with outside(opened[0], "") as client:
        page = await client.get("/docs")
        assert page.headers["strict-transport-security"].startswith("max-age=63072000")
        assert "camera=()" in page.headers["permissions-policy"]
        assert page.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    async with outside(opened[0], "", "http") as client:
        assert "strict-transport-security" not in (await client.get("/docs")).headers


@pytest.mark.parametrize("text", ["*", "app.example", "https://", "https://a/b", "ftp://a", "null"])
def test_an_origin_is_named_and_never_all(text: str) -> None:
    with pytest.raises(Invalid, match="list each"):
        origins(text)
