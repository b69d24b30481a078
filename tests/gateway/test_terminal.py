"""How the page is served: fresh where it must be, for ever where it may, packed, and fenced in."""

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx2 import ASGITransport, AsyncClient
from starlette.routing import Router

from fondaco.gateway import terminal

SCRIPT = b"console.log('the page')"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """What a build leaves, in small."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<meta name="csp-nonce" content="__NONCE__"><title>F')
    (tmp_path / "assets/index-abc.js").write_bytes(SCRIPT)
    (tmp_path / "assets/index-abc.js.gz").write_bytes(gzip.compress(SCRIPT))
    (tmp_path / "sw.js").write_text("// worker")
    (tmp_path / "stamp.sha256").write_text("of the build, and nobody else's business")
    return tmp_path


@pytest.fixture
async def page(built: Path) -> AsyncIterator[AsyncClient]:
    app = Router(list(terminal.routes(built)))
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://house") as found:
        yield found


pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_the_page_is_asked_for_anew_under_a_policy_of_its_own(page: AsyncClient) -> None:
    first, second = await page.get("/"), await page.get("/")
    assert first.headers["cache-control"] == "no-cache"
    nonces = []
    for answer in (first, second):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        [nonce] = re.findall(r"'nonce-([\w-]+)'", policy)
        assert f'content="{nonce}"' in answer.text
        nonces.append(nonce)
    assert nonces[0] != nonces[1]


async def test_hashed_files_are_kept_for_ever_and_others_are_not(page: AsyncClient) -> None:
    kept, worker = await page.get("/assets/index-abc.js"), await page.get("/sw.js")
    assert "immutable" in kept.headers["cache-control"]
    assert kept.headers["content-type"].startswith("text/javascript")
    assert worker.headers["cache-control"] == "no-cache"
    again = await page.get("/sw.js", headers={"if-none-match": worker.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await page.get("/stamp.sha256")).status_code == 404
    assert (await page.get("/assets/index-abc.js.gz")).status_code == 404


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip, br", "gzip"), ("br", None), ("gzip;q=0", None), ("", None), ("GZIP;q=0.5", "gzip")],
)
async def test_who_can_unpack_gets_it_packed(
    page: AsyncClient, accepted: str, encoding: str | None
) -> None:
    answer = await page.get("/assets/index-abc.js", headers={"accept-encoding": accepted})
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.content == SCRIPT


async def test_a_house_without_a_page_says_how_to_get_one(tmp_path: Path) -> None:
    app = Router(list(terminal.routes(tmp_path / "nothing")))
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://house") as asked:
        answer = await asked.get("/")
    assert answer.status_code == 200
    assert "pip install" in answer.text
    assert 'href="/docs"' in answer.text
