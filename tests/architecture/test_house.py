"""What a reader may rely on in every file of the house, whoever wrote it.

Floors between packages are contracts in pyproject.toml, which `lint-imports` holds; here stands
what it cannot see. Every rule names its offenders, so that a failure says where to look.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOUSE = ROOT / "src" / "fondaco"
DOMAIN = HOUSE / "domain"
FILES = sorted(HOUSE.rglob("*.py"))


def named(words: str) -> frozenset[str]:
    return frozenset(words.split())


LINES_MAX = 600
FUNCTION_LINES_MAX = 70

# design.md section 6. Words of a name, not parts of words.
FORBIDDEN_WORDS = named(
    "manager service helper helpers util utils processor handler data info impl base abstract "
    "common misc"
)
FORBIDDEN_FILES = frozenset({"repository", "schemas", "services"})

# design.md section 2, "Rooms in domain/".
ROOMS = named(
    "reference identity ledger fix market trading venues risk portfolio performance tax evaluation "
    "payments compliance surveillance insight learning notify lakehouse reports"
)
# Rooms that others use without starting a house: `from fondaco.domain.fix import parse`.
LIBRARIES = frozenset({"fix"})
DOORS = frozenset({"model", "events", "api"})  # of a room, to other rooms and to other floors
PURE = frozenset({"model", "events", "rules", "policies"})

# A pure file is given the time, the dice and the data; it fetches none of them.
IMPURE_MODULES = named(
    "asyncio concurrent datetime io multiprocessing os pathlib random secrets selectors shutil "
    "signal socket sqlite3 subprocess sys tempfile threading time uuid"
)
# The calendar of a session needs time zones: a date is worked out from command.at, never from now.
DATETIME_NAMES = frozenset({"date", "datetime", "timedelta", "timezone", "UTC", "time"})
IMPURE_CALLS = frozenset({"open", "print", "input", "exec", "eval", "now", "today", "utcnow"})
# It finds compiled kernels before anything else is imported, and is no law.
NOT_LAWS = frozenset({"kernel/compiled.py"})

# Who catches everything, and why that is no way to hide a failure. Cleaning up and raising again
# needs no entry.
CATCHES_ALL = {
    ("app/fix/hook.py", "_run"): "what the application's own function raises, for close to raise",
    ("runtime/actor.py", "take_turn"): "a broken `decide` fails one request, `evolve` one stream",
    ("runtime/committer.py", "settle"): "one caller's failure must not keep answers from others",
    ("runtime/committer.py", "_write"): "one bad decision must not take its group with it",
    ("runtime/reactor.py", "_try_to_hand"): "one message must not hold up those behind it",
    ("runtime/simulated.py", "_work"): "goes to whoever waits for the work, as an executor's does",
    ("gateway/carried.py", "carry"): "a poison request fails alone, and is logged",
    ("gateway/rest.py", "begin"): "a poison request fails alone, and is logged",
    ("gateway/rest.py", "_settled"): "a poison request fails alone, and is logged",
    ("gateway/rest.py", "serve"): "a poison request fails alone, and is logged",
}

UNFINISHED = re.compile(
    r"\b(TODO|FIXME|XXX|HACK|NotImplementedError|placeholder|stub(bed)?|dummy|for now|"
    r"not (yet )?implemented|in a real (system|world))\b",
    re.IGNORECASE,
)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def place(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


def module(path: Path) -> str:
    return ".".join(path.relative_to(HOUSE.parent).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a file imports, wherever in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{place(path)}:{node.lineno}: imports are absolute"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def part_of_room(path: Path) -> str:
    """ "rules" for domain/trading/rules.py and for domain/trading/rules/entry.py."""
    return path.relative_to(DOMAIN).parts[1].removesuffix(".py")


def is_pure(path: Path) -> bool:
    parts = path.relative_to(HOUSE).parts
    if parts[0] == "kernel":
        return place(path) not in NOT_LAWS
    return parts[0] == "domain" and len(parts) > 2 and part_of_room(path) in PURE


PURE_FILES = [path for path in FILES if is_pure(path)]


def test_the_rules_below_look_at_something() -> None:
    assert len(FILES) > 30
    assert len(PURE_FILES) > 5


def test_every_file_says_what_it_is() -> None:
    """Its first line is a docstring; a room's `__init__` is nothing else, but for the library."""
    silent = [place(path) for path in FILES if not ast.get_docstring(tree(path))]
    assert silent == []
    rooms = [DOMAIN / room.name / "__init__.py" for room in DOMAIN.iterdir() if room.is_dir()]
    busy = [
        place(path)
        for path in rooms
        if path.exists() and len(tree(path).body) != 1 and path.parent.name not in LIBRARIES
    ]
    assert busy == []


def test_rooms_are_those_of_the_plan_and_none_is_empty() -> None:
    rooms = {path.relative_to(DOMAIN).parts[0] for path in DOMAIN.rglob("*.py")} - {"__init__.py"}
    assert rooms <= ROOMS
    empty = [room for room in rooms if len(list((DOMAIN / room).rglob("*.py"))) < 2]
    assert empty == []
    doorless = [room for room in rooms if not (DOMAIN / room / "model.py").exists()]
    assert doorless == []


def test_a_room_is_entered_by_its_doors() -> None:
    """From another room only model, events and api; app may take everything, as it joins parts.

    Lower floors are left to the contracts. Rooms that compute are libraries and have doors of the
    field's names: whoever needs one adds it to its `api`.
    """
    offences = []
    for path in FILES:
        here = module(path).split(".")
        for line, name in imports(path):
            there = name.split(".")
            if there[:2] != ["fondaco", "domain"] or len(there) < 4 or here[1:2] == ["app"]:
                continue
            if here[:3] != there[:3] and there[3] not in DOORS:
                offences.append(f"{place(path)}:{line}: {name}")
    assert offences == []


def test_only_app_knows_what_a_room_shows_to_app() -> None:
    offences = [
        f"{place(path)}:{line}: {name}"
        for path in FILES
        for line, name in imports(path)
        if re.match(r"fondaco\.domain\.\w+\.room\b", name) and not place(path).startswith("app")
    ]
    assert offences == []


def test_pure_files_import_no_clock_dice_or_machine() -> None:
    offences = []
    for path in PURE_FILES:
        for line, name in imports(path):
            root, _, rest = name.partition(".")
            if root == "datetime" and rest.split(".")[0] in DATETIME_NAMES:
                continue
            if root in IMPURE_MODULES:
                offences.append(f"{place(path)}:{line}: {name}")
    assert offences == []


def test_pure_files_call_nothing_that_differs_from_run_to_run() -> None:
    offences = []
    for path in PURE_FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.AsyncFunctionDef | ast.Await):
                offences.append(f"{place(path)}:{node.lineno}: waits")
            if isinstance(node, ast.Call):
                called = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if called in IMPURE_CALLS:
                    offences.append(f"{place(path)}:{node.lineno}: {called}()")
                if called in ("hash", "id") and isinstance(node.func, ast.Name):
                    offences.append(
                        f"{place(path)}:{node.lineno}: {called}() is not the same twice"
                    )
    assert offences == []


def test_pure_files_do_not_walk_over_a_set() -> None:
    """Its order differs between processes. Seen where the set stands in the loop itself."""
    offences = []
    for path in PURE_FILES:
        for node in ast.walk(tree(path)):
            walked = getattr(node, "iter", None)
            if isinstance(walked, ast.Set | ast.SetComp) or (
                isinstance(walked, ast.Call)
                and getattr(walked.func, "id", "") in ("set", "frozenset")
            ):
                offences.append(f"{place(path)}:{walked.lineno}")
    assert offences == []


def test_files_and_functions_fit_in_a_head() -> None:
    long_files = [place(p) for p in FILES if len(p.read_text("utf-8").splitlines()) > LINES_MAX]
    assert long_files == []
    long_functions = [
        f"{place(path)}:{node.lineno} {node.name}"
        for path in FILES
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    ]
    assert long_functions == []


def words(name: str) -> set[str]:
    """The words of a CamelCase or snake_case name."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("OrderManager", {"manager"}),
        ("DataView", {"data"}),
        ("Metadata", set()),
        ("HTTPHandler", {"handler"}),
        ("Database", set()),
        ("base_rules", {"base"}),
    ],
)
def test_words_are_told_apart(name: str, found: set[str]) -> None:
    assert words(name) & FORBIDDEN_WORDS == found


def test_names_come_from_the_field() -> None:
    classes = [
        f"{place(path)}:{node.lineno} {node.name}"
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and words(node.name) & FORBIDDEN_WORDS
    ]
    assert classes == []
    paths = [
        place(path)
        for path in FILES
        for name in path.relative_to(HOUSE).with_suffix("").parts
        if words(name) & FORBIDDEN_WORDS or name in FORBIDDEN_FILES
    ]
    assert paths == []


def is_broad(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    caught = {getattr(kind, "id", "") for kind in kinds if kind is not None}
    return handler.type is None or bool(caught & {"Exception", "BaseException"})


def raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def catches_all() -> Iterator[tuple[str, str]]:
    """File and innermost function of every handler that swallows everything."""
    for path in FILES:
        owner = {
            id(node): function.name for function in functions(path) for node in ast.walk(function)
        }  # inner functions come later in the walk, and replace outer ones
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ExceptHandler) and is_broad(node) and not raises_again(node):
                yield place(path), owner.get(id(node), "")
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "suppress":
                names = {getattr(argument, "id", "") for argument in node.args}
                if names & {"Exception", "BaseException"}:
                    yield place(path), owner.get(id(node), "")


def test_who_catches_everything_has_a_reason() -> None:
    found = set(catches_all())
    assert found - set(CATCHES_ALL) == set()
    assert set(CATCHES_ALL) - found == set(), "these catch nothing any more; take them off the list"


def test_nothing_is_left_for_later() -> None:
    offences = [
        f"{place(path)}:{number}: {line.strip()}"
        for path in FILES
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert offences == []
