"""What can be said of Rego without running it: what it looks at, and what is surely a mistake.

Not a parser: words, in their lines, without comments and strings. What cannot be told for sure is
taken for the worst.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Final, NamedTuple

# Also a raw string, and a comment.
_SKIPPED: Final = re.compile(r'"(?:\\.|[^"\\\n])*"|`[^`]*`|#[^\n]*')
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_INPUT: Final = re.compile(r"(?<![\w.])input\b((?:\s*\.\s*\w+|\s*\[\s*\"\w+\"\s*\])*)")
_DATA: Final = re.compile(r"(?<![\w.])data\b(?!\s*\.\s*(?:house|own)\b)")
_STEP: Final = re.compile(r"\w+")

SEEN: Final[dict[str, frozenset[str]]] = {
    "subject": frozenset({"caller", "user", "tenant", "kind", "roles", "second_factor"}),
    "action": frozenset({"operation", "scope", "in_key", "reads", "second", "way_back"}),
    "resource": frozenset({"account", "own", "instrument", "notional"}),
    "environment": frozenset({"door", "address", "alone", "minute", "weekday"}),
}
TIME: Final = frozenset({"minute", "weekday"})
# The two engines do not agree on these, or they give another answer each time.
UNSTEADY: Final = re.compile(
    r"\b(http\.send|opa\.runtime|rand\.\w+|uuid\.\w+|time\.now_ns|net\.\w+|trace|print)\s*\("
)
PACKAGE: Final = re.compile(r"^package\s+([\w.]+)", re.MULTILINE)
_RULE: Final = re.compile(
    r"^(?:default\s+)?([A-Za-z_]\w*)\s*(?:\(|:=|=|\bif\b|\bcontains\b|\[|\{|$)", re.MULTILINE
)


class Needs(NamedTuple):
    """What rules look at beyond who asks for which operation at which door."""

    resource: bool = False  # the request itself: they are run for every one
    time: bool = False  # the clock: they are run anew each minute


class Finding(NamedTuple):
    """Something about a file. `is_wrong`: it cannot be published so."""

    file: str
    line: int
    text: str
    is_wrong: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {'' if self.is_wrong else 'note: '}{self.text}"


def is_test(name: str) -> bool:
    return name.endswith("_test.rego")


def needs_of(modules: Iterable[tuple[str, str]]) -> Needs:
    resource = time = False
    for name, text in modules:
        if is_test(name):
            continue
        for path in _inputs(text):
            whole = not path  # `input` itself is looked at, or walked through
            resource = resource or whole or path[0] == "resource"
            time = (
                time or whole or (path[0] == "environment" and (len(path) < 2 or path[1] in TIME))
            )
    return Needs(resource, time)


def bare(text: str) -> str:
    """Without strings and comments, each as many blanks; lines stay lines."""
    return _SKIPPED.sub(_blank, text)


def _blank(found: "re.Match[str]") -> str:
    """A string stays one, of blanks."""
    text = re.sub(r"[^\n]", " ", found[0])
    return text if found[0].startswith("#") else f'"{text[1:-1]}"'


def _inputs(text: str) -> Iterator[tuple[str, ...]]:
    # Strings that name a step stay: input["resource"] is input.resource.
    kept = _SKIPPED.sub(_without_prose, text)
    for found in _INPUT.finditer(kept):
        yield tuple(_STEP.findall(found[1]))


def _without_prose(found: "re.Match[str]") -> str:
    text = found[0]
    if text.startswith('"') and _WORD.fullmatch(text[1:-1]) and text != '"input"':
        return text
    return re.sub(r"[^\n]", " ", text)


def findings(modules: Iterable[tuple[str, str]]) -> list[Finding]:
    """What lint says of a tenant's own modules."""
    found: list[Finding] = []
    for name, text in modules:
        found += _of_module(name, text)
    return found


def _of_module(name: str, text: str) -> Iterator[Finding]:
    plain = bare(text)

    def at(place: int) -> int:
        return text.count("\n", 0, place) + 1

    package = PACKAGE.search(plain)
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}\.rego", name):
        yield Finding(name, 1, "a file is called a-z, 0-9 and _, and ends in .rego", True)
    wanted = "own_test" if is_test(name) else "own"
    if package is None or package[1] != wanted:
        line = at(package.start()) if package else 1
        yield Finding(name, line, f"its first statement must be `package {wanted}`", True)
    if "import rego.v1" not in plain:
        yield Finding(name, 1, "add `import rego.v1`: both engines then read it alike", True)
    for each in UNSTEADY.finditer(plain):
        text_ = f"{each[1]} gives another answer each time, or in the other engine: leave it out"
        yield Finding(name, at(each.start()), text_, True)
    yield from _attributes(name, text, at)
    if is_test(name):
        return
    for each in _DATA.finditer(plain):
        yield Finding(name, at(each.start()), "data has `house` and `own` for you, no more", True)
    yield from _notes(name, text, plain, at)


def _notes(name: str, text: str, plain: str, at: Callable[[int], int]) -> Iterator[Finding]:
    needs = needs_of([(name, text)])
    if needs.resource:
        yield Finding(
            name,
            1,
            "it looks at input.resource itself, so it is run for every order (0.1 to 0.3 ms): say "
            "it as `checks contains {...}` and it is compiled",
            False,
        )
    for rule in _RULE.finditer(plain):
        if rule[1] in ("allow", "granted"):
            said = f"{rule[1]}: a tenant's own rules only take away; nothing reads this"
            yield Finding(name, at(rule.start()), said, False)


def _attributes(name: str, text: str, at: Callable[[int], int]) -> Iterator[Finding]:
    kept = _SKIPPED.sub(_without_prose, text)
    for each in _INPUT.finditer(kept):
        path = _STEP.findall(each[1])
        known: Iterable[str] = SEEN
        for step, whole in zip(path[:2], ("input", "input.%s"), strict=False):
            if step not in known:
                near = get_close_matches(step, known, 1)
                hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
                place = whole % path[0] if "%" in whole else whole
                said = f"{place} has no {step}, so nothing that asks for it ever holds{hint}"
                yield Finding(name, at(each.start()), said, True)
                break
            known = sorted(SEEN.get(step, ()))


def rules_in(text: str) -> list[tuple[int, int]]:
    """Where each rule begins and ends: what stands at the margin and goes on until brackets close.
    Neither package nor imports."""
    plain, found = bare(text), []
    depth, begin = 0, -1
    place = 0
    for line in plain.splitlines(keepends=True):
        if not depth and begin < 0 and _begins(line):
            begin = place
        depth += sum(line.count(each) for each in "([{") - sum(line.count(each) for each in ")]}")
        if begin >= 0 and not depth and not line.rstrip().endswith((":=", "=", "if", "|", ",")):
            found.append((begin, place + len(line)))
            begin = -1
        place += len(line)
    return found


def _begins(line: str) -> bool:
    first = _WORD.match(line)
    return first is not None and first[0] not in ("package", "import")
