"""`fondaco policy` and `fondaco audit`: who may do what, what would change, who did what."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlencode

from fondaco.app.as_whom import token_for
from fondaco.kernel.errors import Invalid

if TYPE_CHECKING:
    from fondaco.app.asking import Asking

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
DATA: Final = "data.json"
UNSIGNED: Final = "no root was signed yet"
_OFFLINE: Final = ("lint", "test")


def with_policies(commands: Commands) -> None:
    policy = commands.add_parser("policy", help="Who may do what: test, publish, ask what if.")
    asks = policy.add_subparsers(metavar="command", required=True)
    for name, help_ in (
        ("show", "The rules in force in a running house, and their versions."),
        ("lint", "Say what is wrong with rules, by file and line. Needs no house."),
        ("test", "Run the tests of rules, and say which rules no test holds. Needs no house."),
        ("what-if", "Who would lose, or gain, what, if these rules had decided what was decided."),
        ("publish", "Put rules in force, once somebody else has agreed; --dry-run only tries."),
        ("rollback", "Take the rules back to an earlier version; 0 is the house's own."),
        ("decisions", "Export what was decided, as lines of OPA's decision log."),
    ):
        sub = asks.add_parser(name, help=help_, description=help_)
        if name not in _OFFLINE:
            _with_house(sub)
        if name in ("lint", "test", "what-if", "publish"):
            text = "files .rego and data.json, or a folder of them"
            sub.add_argument("files", nargs="+", type=Path, help=text)
        if name == "rollback":
            sub.add_argument("version", type=int)
        if name in ("publish", "rollback"):
            sub.add_argument("--note", required=True, help="why; it is kept in the journal")
        if name == "publish":
            sub.add_argument("--dry-run", action="store_true")
            sub.add_argument("--effective-at", type=int, default=0, metavar="NS", help="[at once]")
        if name in ("what-if", "decisions"):
            sub.add_argument("--since", type=int, default=0, metavar="NS", help="since 1970, UTC")
            sub.add_argument("--limit", type=int, default=10_000)
        if name in ("show", "test", "what-if"):
            sub.add_argument("--json", action="store_true")
        sub.set_defaults(run=_policy, what=name)
    audit = commands.add_parser("audit", help="Who did what others rely on, and was denied what.")
    _with_house(audit)
    audit.add_argument("--form", choices=("jsonl", "csv"), default="jsonl")
    audit.add_argument("--kind", choices=("act", "denial", "approval", "access", "policy"))
    audit.add_argument("--since", type=int, default=0, metavar="NS")
    audit.add_argument("--limit", type=int, default=10_000)
    audit.set_defaults(run=_audit)
    text = "Write which controls answer which criteria, with their tests and the journal's proof."
    sub = audit.add_subparsers(metavar="[controls]").add_parser(
        "controls", help=text, description=text
    )
    sub.add_argument("--export", type=Path, required=True, metavar="FILE", help="JSON")
    sub.add_argument("--data", default=".fondaco", help="of the house whose journal is proven")
    sub.add_argument("--results", type=Path, metavar="XML", help="of pytest --junitxml")
    sub.set_defaults(run=_controls)


def _with_house(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--url", default="http://127.0.0.1:8000", help="of the house")
    sub.add_argument("--token", help="[FONDACO_TOKEN, or of `fondaco login`, or demo]")


def read(paths: Sequence[Path]) -> dict[str, Any]:
    """`modules` and `data` as operations take them. Raises `Invalid`."""
    files: list[Path] = []
    for path in paths:
        files += sorted(path.glob("*.rego")) + sorted(path.glob(DATA)) if path.is_dir() else [path]
    if not files:
        raise Invalid(f"{', '.join(map(str, paths))}: there is no .rego file and no {DATA}")
    found: dict[str, Any] = {"modules": {}, "data": {}}
    for file in files:
        try:
            text = file.read_text("utf-8")
            if file.name == DATA:
                found["data"] = json.loads(text)
            else:
                found["modules"][file.name] = text
        except (OSError, ValueError) as error:
            raise Invalid(f"{file}: {error}") from error
    return found


def _policy(asked: argparse.Namespace) -> int:
    if asked.what in _OFFLINE:
        return _try(asked)
    house = _house(asked)
    match asked.what:
        case "show":
            _show(house.get("/api/policy"), as_json=asked.json)
        case "decisions":
            query = urlencode({"since": asked.since, "limit": asked.limit})
            sys.stdout.write(house.text(f"/api/policy/decisions/export?{query}"))
        case "what-if":
            more = {"since": asked.since, "limit": asked.limit}
            _changes(house.post("/api/policy/what-if", {**read(asked.files), **more}), asked.json)
        case "rollback":
            order = {"version": asked.version, "note": asked.note}
            _print(house.post("/api/policy/rollback", order))
        case _:
            return _publish(house, asked)
    return 0


def _publish(house: "Asking", asked: argparse.Namespace) -> int:
    text = read(asked.files)
    if asked.dry_run:
        found = house.post("/api/policy/check", text)
        _print(found)
        return 1 if found["wrong"] else 0
    more = {"note": asked.note, "effective_at": asked.effective_at}
    _print(house.put("/api/policy", {**text, **more}))
    return 0


def _try(asked: argparse.Namespace) -> int:
    """Exit status 1 where the rules could not be published."""
    from fondaco.app.policies.trying import tried
    from fondaco.domain.identity.policy.reading import findings

    text = read(asked.files)
    modules = tuple(sorted(text["modules"].items()))
    if asked.what == "lint" and (said := findings(modules)):
        for each in said:
            print(each)
        if any(each.is_wrong for each in said):
            return 1
    trial = asyncio.run(tried(modules, json.dumps(text["data"]), covers=asked.what == "test"))
    if asked.what == "lint":
        # Tests are for `test`: what is asked here is whether it compiles.
        if not trial.tests and trial.wrong and "tests" not in trial.wrong:
            print(trial.wrong)
            return 1
        return 0
    if asked.json:
        print(json.dumps({"wrong": trial.wrong, "coverage_percent": trial.coverage_percent}))
        return 1 if trial.wrong else 0
    for test in trial.tests:
        print(f"{'pass' if test.passed else 'FAIL'}  {test.name}  {test.text}".rstrip())
    held = trial.rules - len(trial.uncovered)
    print(f"{held} of {trial.rules} rules are held by a test, {trial.coverage_percent} %")
    for place in trial.uncovered:
        print(f"{place}: no test would miss this rule")
    if trial.wrong:
        print(trial.wrong, file=sys.stderr)
    return 1 if trial.wrong else 0


def _show(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        _print(found)
        return
    print(f"in force: version {found['version']}, revision {found['revision']}")
    for each in found["versions"]:
        back = f", back to {each['like']}" if each["like"] else ""
        print(
            f"  {each['version']}  {each['state']}  by {each['published_by']}{back}: {each['note']}"
        )
    for name, text in found["modules"].items():
        print(f"\n# {name}\n{text}")


def _changes(found: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        _print(found)
        return
    print(f"{found['decisions']} decisions since {found['since'] or 'ever'}")
    for each in found["changes"]:
        why = f": {'; '.join(each['reasons'])}" if each["reasons"] else ""
        print(f"{each['caller']}  {each['effect']}  {each['operation']}  {each['count']}x{why}")
    if not found["changes"]:
        print("nobody would lose or gain anything")


def _audit(asked: argparse.Namespace) -> None:
    said = {"form": asked.form, "since": asked.since, "limit": asked.limit}
    if asked.kind:
        said["kind"] = asked.kind
    sys.stdout.write(_house(asked).text(f"/api/audit/export?{urlencode(said)}"))


def _controls(asked: argparse.Namespace) -> None:
    from fondaco.app.evidence import evidence, results_of
    from fondaco.app.files import Files
    from fondaco.app.offline import prove, published
    from fondaco.settings import load

    settings = load({"data": asked.data}, os.environ)
    files = Files(Path(settings.data), settings.journal, settings.store)
    signed = published(files)
    first = json.loads(prove(files, 1, 0))
    head = {"size": first["size"], "root": first["root"]}
    journal = {**head, "signed": signed[-1] if signed else UNSIGNED}
    try:
        results = results_of(asked.results.read_text("utf-8")) if asked.results else {}
    except OSError as error:
        raise Invalid(f"{asked.results}: {error}") from error
    found = evidence(journal, results)
    asked.export.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
    states = [each["state"] for each in found["criteria"]]
    counts = ", ".join(f"{states.count(each)} {each}" for each in dict.fromkeys(states))
    print(f"{asked.export}: {len(states)} criteria, {counts}; journal of {head['size']} entries")


def _house(asked: argparse.Namespace) -> "Asking":
    from fondaco.app.asking import Asking

    return Asking(asked.url, token_for(asked.token, asked.url))


def _print(found: Mapping[str, Any]) -> None:
    print(json.dumps(found, indent=2))
