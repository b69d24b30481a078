"""What nobody has tried is tried in a process of its own: the engine is native code, which ends its
process where it meets what it cannot do, and a house must not end because of a rule.

The process is `python -m fondaco.app.policies.trying`: it reads one question on stdin and answers
on stdout, both JSON.
"""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from fondaco.domain.identity.policy.builtin import in_force, merged
from fondaco.domain.identity.policy.model import ENTRYPOINT, Decision, decision_of
from fondaco.domain.identity.policy.reading import bare, findings, is_test, rules_in
from fondaco.kernel.errors import FondacoError, Invalid, Unavailable
from fondaco.ports.policy.rego import RegoPolicy

WITHIN_S: Final = 60.0
_PLACE: Final = {"operation": "trading.place_order", "scope": "orders:write", "in_key": True}
_TRADER: Final = {"caller": "ada/k", "user": "ada", "tenant": "t", "roles": ["trader"]}
TYPICAL: Final[tuple[dict[str, Any], ...]] = tuple(
    {
        "subject": {**_TRADER, "kind": "key", "second_factor": ""},
        "action": {**_PLACE, "reads": False, "second": False, "way_back": False},
        "resource": resource,
        "environment": {"door": "rest", "address": "loopback", "alone": False, **clock},
    }
    for resource in ({}, {"account": "a", "own": True, "instrument": "X", "notional": 1})
    for clock in ({}, {"minute": 1, "weekday": 1})
)
_TEST: Final = re.compile(r"^(test_\w+)\s+if\s*(\{)?", re.MULTILINE)
_WITH: Final = re.compile(r"\s+with\s+input\s+as\s+")


class Tested(msgspec.Struct, frozen=True):
    """One test of a policy; `text` says what is wrong where it does not pass."""

    name: str
    passed: bool
    text: str = ""


class Trial(msgspec.Struct, frozen=True):
    """What a policy is worth before it is published. `uncovered` are rules, by file and line, that
    could be taken out without a test noticing."""

    findings: list[str]
    tests: list[Tested]
    rules: int
    uncovered: list[str]
    wrong: str = ""  # why it cannot be published; "" where it can

    @property
    def coverage_percent(self) -> int:
        return 100 if not self.rules else 100 * (self.rules - len(self.uncovered)) // self.rules


class Difference(msgspec.Struct, frozen=True):
    """An input that two policies decide otherwise; `nth` is its place among those that were
    given."""

    nth: int
    allowed: bool  # now
    would: bool
    reasons: tuple[str, ...]


class _Question(msgspec.Struct):
    modules: tuple[tuple[str, str], ...]
    data: str
    now: tuple[tuple[tuple[str, str], ...], str] | None = None  # what is in force
    inputs: list[Any] = []
    covers: bool = True


class _Answer(msgspec.Struct):
    trial: Trial | None = None
    differences: list[Difference] = []


async def tried(modules: tuple[tuple[str, str], ...], data: str, *, covers: bool = True) -> Trial:
    answer = await _ask(_Question(modules, data, covers=covers))
    if answer.trial is None:
        text = "the engine ended its process over these rules: write them in another way"
        return Trial([], [], 0, [], text)
    return answer.trial


async def compared(
    now: tuple[tuple[tuple[str, str], ...], str],
    then: tuple[tuple[tuple[str, str], ...], str],
    inputs: list[Any],
) -> list[Difference]:
    """What would be decided otherwise. Raises `Invalid` for rules that do not compile."""
    answer = await _ask(_Question(*then, now, inputs))
    if answer.trial is not None and answer.trial.wrong:
        raise Invalid(answer.trial.wrong)
    return answer.differences


async def _ask(question: _Question) -> _Answer:
    return await asyncio.to_thread(ask, question)


def ask(question: _Question) -> _Answer:
    """Raises `Unavailable` where it takes too long."""
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "fondaco.app.policies.trying"],
            input=msgspec.json.encode(question),
            capture_output=True,
            timeout=WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"the policy was not worked out within {WITHIN_S:.0f} s") from None
    if ran.returncode:
        return _Answer()
    return msgspec.json.decode(ran.stdout, type=_Answer)


# --- In the process of its own ----------------------------------------------------------------


def answered(question: _Question) -> _Answer:
    """What the process says; to be called where it may end."""
    wrong = [each for each in findings(question.modules) if each.is_wrong]
    said = [str(each) for each in findings(question.modules)]
    if wrong:
        return _Answer(Trial(said, [], 0, [], "; ".join(map(str, wrong))))
    try:
        whole = RegoPolicy(in_force(question.modules, question.data), [ENTRYPOINT])
        for given in TYPICAL:  # what a house will ask first
            whole.ask(ENTRYPOINT, given)
        tests = _run(question.modules, question.data)
    except FondacoError as error:
        return _Answer(Trial(said, [], 0, [], error.message))
    if question.now is not None:
        return _Answer(differences=list(_compare(question)))
    rules, uncovered = _covered(question, tests) if question.covers else (0, [])
    failed = [f"{each.name}: {each.text}" for each in tests if not each.passed]
    count = sum(len(rules_in(text)) for name, text in question.modules if not is_test(name))
    why = "; ".join(failed)
    if not tests and count:
        why = "it has no tests: add a file such as own_test.rego with rules test_…"
    return _Answer(Trial(said, tests, rules, uncovered, why))


def _compare(question: _Question) -> Iterable[Difference]:
    assert question.now is not None  # noqa: S101  # asked by who calls
    before = RegoPolicy(in_force(*question.now), [ENTRYPOINT])
    after = RegoPolicy(in_force(question.modules, question.data), [ENTRYPOINT])
    known: dict[bytes, tuple[Decision, Decision]] = {}
    for nth, given in enumerate(question.inputs):
        key = msgspec.json.encode(given, order="sorted")
        found = known.get(key)
        if found is None:
            found = known[key] = (_decided(before, given), _decided(after, given))
        one, other = found
        if one.allow != other.allow:
            reasons = (one if other.allow else other).reasons
            yield Difference(nth, one.allow, other.allow, tuple(each["text"] for each in reasons))


def _decided(policy: RegoPolicy, given: Any) -> Decision:
    return decision_of(policy.ask(ENTRYPOINT, given), policy.sources.revision)


def _covered(question: _Question, tests: Sequence[Tested]) -> tuple[int, list[str]]:
    """Each rule is taken out in turn: one that no test misses is not held by any."""
    count, uncovered = 0, []
    passing = {each.name for each in tests if each.passed}
    for nth, (name, text) in enumerate(question.modules):
        if is_test(name):
            continue
        for begin, end in rules_in(text):
            count += 1
            without = text[:begin] + re.sub(r"[^\n]", " ", text[begin:end]) + text[end:]
            modules = list(question.modules)
            modules[nth] = (name, without)
            try:
                left = {each.name for each in _run(tuple(modules), question.data) if each.passed}
            except FondacoError:
                continue  # nothing works without it
            if left >= passing:
                uncovered.append(f"{name}:{text.count(chr(10), 0, begin) + 1}")
    return count, uncovered


def _run(modules: tuple[tuple[str, str], ...], data: str) -> list[Tested]:
    """The tests as `opa test` would run them. Raises `Invalid`.

    The engine cannot do `with`, so each line of a test is asked by itself: its `with input as` is
    worked out first, then set as the input, then the rest of the line is asked.
    """
    rules = [(name, text) for name, text in modules if not is_test(name)]
    made, steps = list(rules), []
    for name, text in modules:
        if is_test(name):
            text, found = _apart(name, text)
            made.append((name, text))
            steps += found
    entries = [f"own_test/{each}" for _, lines in steps for pair in lines for each in pair if each]
    sources = merged(tuple(made), data)
    policy = RegoPolicy(sources, [ENTRYPOINT, *entries])
    return [_passed(policy, name, lines) for name, lines in steps]


def _passed(policy: RegoPolicy, name: str, lines: Sequence[tuple[str, str, str]]) -> Tested:
    for given, said, line in lines:
        value = policy.ask(f"own_test/{given}", {}) if given else {}
        if given and value is None:
            return Tested(name, False, f"what stands behind `with input as` is undefined: {line}")
        if policy.ask(f"own_test/{said}", value) is not True:
            return Tested(name, False, f"does not hold: {line}")
    return Tested(name, True)


def _apart(file: str, text: str) -> tuple[str, list[tuple[str, list[tuple[str, str, str]]]]]:
    """The module with every test in two rules a line: the input, and what must hold of it."""
    out, steps, place = [], [], 0
    for nth, (begin, end) in enumerate(rules_in(text)):
        rule = text[begin:end]
        head = _TEST.match(rule)
        if head is None:
            continue
        out.append(text[place:begin])
        place = end
        body = rule[head.end() :].strip()
        if head[2]:
            body = body.removesuffix("}").strip()
        lines: list[Any] = []
        for number, line in enumerate(_statements(body)):
            asked, *given = _WITH.split(line, maxsplit=1)
            at = f"{file}:{text.count(chr(10), 0, begin) + 1}"
            if ":=" in bare(asked):
                said = "a test has no variables of its own here: name them at the top of the file"
                raise Invalid(f"{at}: {said}")
            name = f"t{nth}_{number}"
            if given:
                out.append(f"g_{name} := {given[0]}\n\n")
            out.append(f"default s_{name} := false\n\ns_{name} if {{ {asked.strip()} }}\n\n")
            lines.append((f"g_{name}" if given else "", f"s_{name}", f"{at}: {line.strip()[:120]}"))
        steps.append((head[1], lines))
    out.append(text[place:])
    return "".join(out), steps


def _statements(body: str) -> Iterable[str]:
    """Lines, those that belong together as one."""
    depth, begun = 0, ""
    for line, plain in zip(body.splitlines(), bare(body).splitlines(), strict=True):
        begun += line + "\n"
        depth += sum(plain.count(each) for each in "([{") - sum(plain.count(e) for e in ")]}")
        if not depth:
            if plain.strip():
                yield begun.strip()
            begun = ""


def main() -> None:
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=_Question)
    sys.stdout.buffer.write(msgspec.json.encode(answered(question)))


if __name__ == "__main__":
    main()
