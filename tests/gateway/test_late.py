"""A route that is made late answers as one that was made at once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Match, Route

from fondaco.gateway.late import LateRoute

PATHS = ("/", "/a", "/a/b", "/a/{x}", "/a/{x}/b", "/a/{x}.json", "/{y}/{x}")


class App:
    async def __call__(self, *_: Any) -> None: ...


APP = App()


@given(
    path=st.sampled_from(PATHS),
    asked=st.one_of(
        st.sampled_from(["/", "/a", "/a/", "/a/b", "/a/1.json", "/a/b/b", "/b/c", "", "/a/b/c"]),
        st.text(alphabet="ab/.{}x", max_size=8).map(lambda text: "/" + text),
    ),
    kind=st.sampled_from(["http", "websocket"]),
)
def test_it_matches_what_starlette_matches_with_the_same_parameters(
    path: str, asked: str, kind: str
) -> None:
    scope = {"type": kind, "path": asked, "method": "GET"}
    late, soon = LateRoute(path, APP).matches(scope), Route(path, APP).matches(scope)
    assert late == soon


@pytest.mark.parametrize("path", ["/", "/a", "/a/b"])
def test_a_literal_path_is_that_to_the_letter(path: str) -> None:
    """Starlette's `$` lets a line end behind it."""
    for asked, wanted in ((path, Match.FULL), (path + "\n", Match.NONE)):
        found, _ = LateRoute(path, APP).matches({"type": "http", "path": asked, "method": "GET"})
        assert found is wanted
