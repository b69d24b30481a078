"""What is not let in: rules of rules.toml over method, target and headers, before anything is read.

Bodies are not looked through: they are JSON of a known shape, and nothing in them is ever executed.
"""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple
from urllib.parse import unquote_to_bytes

from fondaco.kernel.errors import Invalid

Mode = Literal["off", "observe", "enforce"]
Header = tuple[bytes, bytes]
RULES: Final = Path(__file__).with_name("rules.toml")
_DECODED_MAX: Final = 4  # times; honest ones are decoded once


class Rule(NamedTuple):
    """`id` is permanent: logs and dashboards name it."""

    id: str
    title: str
    on: str
    pattern: re.Pattern[bytes] | None
    bytes_max: int
    once: frozenset[bytes]


class Filter:
    """Of one door. Counts what each rule has met, also while it only observes."""

    def __init__(self, mode: Mode = "enforce", path: Path = RULES) -> None:
        self.mode = mode
        self.rules = rules(path)
        self.met = {rule.id: 0 for rule in self.rules}

    def check(self, method: bytes, target: bytes, headers: Sequence[Header]) -> None:
        """Raises `Invalid`, code "filtered", with the rule's id."""
        if self.mode == "off":
            return
        rule = self.judge(method, target, headers)
        if rule is None:
            return
        self.met[rule.id] += 1
        if self.mode == "enforce":
            raise Invalid(
                f"not let in, by the rule {rule.id} ({rule.title}): if this is a mistake, tell "
                "whoever runs this house the rule and the request id",
                code="filtered",
                rule=rule.id,
            )

    def judge(self, method: bytes, target: bytes, headers: Sequence[Header]) -> Rule | None:
        """The first rule that this breaks."""
        given, _, query = target.partition(b"?")
        path = decoded(given)
        seen: dict[str, tuple[bytes, ...]] = {
            "method": (method,),
            "target": (target,),
            "path": (path,),
            "decoded": (path, decoded(query)),
            "name": tuple(name for name, _ in headers),
            "value": tuple(value for _, value in headers),
            "transfer-encoding": tuple(v for name, v in headers if name == b"transfer-encoding"),
        }
        return next((rule for rule in self.rules if _breaks(rule, seen[rule.on])), None)


def rules(path: Path = RULES) -> tuple[Rule, ...]:
    """In the order of the file."""
    found = tomllib.loads(path.read_text("utf-8"))
    return tuple(
        Rule(
            id_,
            each["title"],
            each["on"],
            re.compile(each["pattern"].encode(), re.IGNORECASE) if "pattern" in each else None,
            each.get("bytes", 0),
            frozenset(name.encode() for name in each.get("lines", ())),
        )
        for id_, each in found.items()
    )


def decoded(text: bytes) -> bytes:
    """Without %XX, also of what was written so twice."""
    for _ in range(_DECODED_MAX):
        if b"%" not in text:
            return text
        plain = unquote_to_bytes(text)
        if plain == text:
            return text
        text = plain
    return text


def _breaks(rule: Rule, seen: tuple[bytes, ...]) -> bool:
    if rule.once:
        named = [name for name in seen if name in rule.once]
        return len(named) != len(set(named))
    if rule.bytes_max:
        return any(len(each) > rule.bytes_max for each in seen)
    pattern = rule.pattern
    return pattern is not None and any(pattern.search(each) for each in seen)
