"""Routes whose patterns are made when a path first begins as they do: most are never asked for, and
a house has a thousand."""

from functools import cached_property
from typing import Any

from starlette.routing import Match, Route, compile_path
from starlette.types import ASGIApp, Scope


class LateRoute(Route):
    """To an application that looks after methods by itself; served at the root."""

    def __init__(self, path: str, app: ASGIApp) -> None:
        self.path, self.endpoint, self.app = path, app, app
        self.name, self.include_in_schema, self.methods = path, False, None
        self._begins, parameters, _ = path.partition("{")
        self._is_literal = not parameters

    @cached_property
    def _compiled(self) -> tuple[Any, str, dict[str, Any]]:
        return compile_path(self.path)

    @property
    def path_regex(self) -> Any:  # type: ignore[override]
        return self._compiled[0]

    @property
    def path_format(self) -> str:  # type: ignore[override]
        return self._compiled[1]

    @property
    def param_convertors(self) -> dict[str, Any]:  # type: ignore[override]
        return self._compiled[2]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path = scope["path"]
        if scope["type"] != "http" or not path.startswith(self._begins):
            return Match.NONE, {}
        if not self._is_literal:
            return super().matches(scope)
        if path != self.path:
            return Match.NONE, {}
        return Match.FULL, {"endpoint": self.endpoint, "path_params": {}}
