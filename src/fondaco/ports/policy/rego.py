"""Rego in process: rego-cpp through regopy, rules compiled once to a bundle.

What it lacks, found by trying: `with` on a rule of several definitions ends the process, and so may
other constructs. So what nobody has tried is tried in a process of its own (`app/policies/trying`),
and tests of policies are taken apart there. A second `add_data` is ignored: a policy is made anew.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.ports.policy import Sources

_ERROR: Final = re.compile(r"\(error \d+:(?P<file>[^|]+)\|(?P<offset>\d+)\|\d+")
_MESSAGE: Final = re.compile(r"\(errormsg \d+:(?P<text>[^\n]*?)\)\s*$", re.MULTILINE)


class RegoPolicy:
    """Raises `Invalid` for sources that do not compile."""

    def __init__(self, sources: Sources, entrypoints: Sequence[str]) -> None:
        # Native code of some megabytes, which a command that asks no policy need not load.
        from regopy import Input, Interpreter, LogLevel
        from regopy.rego_shared import RegoError

        self.sources = sources
        self._input, self._error = Input, RegoError
        self._engine = Interpreter()
        self._engine.log_level = LogLevel.NONE
        try:
            self._engine.add_data_json(sources.data)
            for name, text in sources.modules:
                self._engine.add_module(name, text)
            self._bundle = self._engine.build(None, list(entrypoints))
        except RegoError as error:
            raise Invalid(located(str(error), sources)) from None

    def ask(self, entrypoint: str, given: Any) -> Any:
        try:
            self._engine.set_input(self._input(given))
            found = self._engine.query_bundle_entrypoint(self._bundle, entrypoint)
        except (self._error, ValueError) as error:  # an error within an answer is no JSON
            raise Unavailable(f"{entrypoint} cannot be worked out: {_said(str(error))}") from None
        if not found.ok():
            raise Unavailable(f"{entrypoint} cannot be worked out: {_said(str(found))}")
        text = str(found)
        if text == "undefined":
            return None
        values = msgspec.json.decode(text).get("expressions", ())
        return values[0] if values else None

    def close(self) -> None:
        """Memory goes with the object."""


def located(said: str, sources: Sources) -> str:
    """The engine's errors as "file:line: what", one a line."""
    texts = dict(sources.modules)
    places = [
        (each["file"], texts.get(each["file"], "").count("\n", 0, int(each["offset"])) + 1)
        for each in _ERROR.finditer(said)
    ]
    what = [each["text"].strip() for each in _MESSAGE.finditer(said)]
    lines = [
        f"{file}:{line}: {text}" for (file, line), text in zip(places, what, strict=False) if text
    ]
    return "; ".join(dict.fromkeys(lines)) or _said(said)


def _said(text: str) -> str:
    return " ".join(text.split())[:500]
