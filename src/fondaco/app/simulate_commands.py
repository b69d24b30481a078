"""`fondaco simulate`: what may come of days like those traded, and whether they were luck; and
simulations that a house has kept, which are walked again here and compared."""

import argparse
import json
import os
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from fondaco.app.evaluation_commands import journal_trader, with_workers, workers_of

if TYPE_CHECKING:
    from fondaco.app.asking import Asking
    from fondaco.domain.performance.projection import Projection

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
_JOURNAL = "FILE[,unit=part][,size=AMOUNT], or account:ID of a running house; docs/tiers.md"


def with_simulations(commands: Commands) -> None:
    simulate = commands.add_parser(
        "simulate", help="What may come of a journal, and if it is luck."
    )
    asks = simulate.add_subparsers(metavar="command", required=True)
    for name, run, text in (
        ("project", _project, "Paths of days like these: how they fan out, and how far they fall."),
        ("validate", _validate, "Deflated Sharpe ratio, bootstrap, probability of overfitting."),
    ):
        sub = asks.add_parser(name, help=text, description=text)
        sub.add_argument("journal", help=_JOURNAL)
        sub.add_argument("--seed", type=int, default=1, metavar="N", help="[1]")
        sub.add_argument("--block", type=float, default=5.0, metavar="DAYS", help="[5]")
        _with_house(sub, "of account: journals")
        sub.add_argument("--json", action="store_true", help="one object, and nothing else")
        sub.set_defaults(run=run)
        if name == "project":
            sub.add_argument("--days", type=int, default=250, metavar="N", help="[250]")
            sub.add_argument("--paths", type=int, default=2_000, metavar="N", help="[2000]")
            with_workers(sub)
        else:
            sub.add_argument(
                "--against", action="append", default=[], metavar="JOURNAL",
                help="another strategy that was tried; may be said again",
            )  # fmt: skip
            sub.add_argument(
                "--trials", type=int, default=1, metavar="N", help="strategies tried in all [1]"
            )
    _with_kept(asks)


def _with_kept(asks: Commands) -> None:
    listed = asks.add_parser("list", help="Simulations that a running house has kept.")
    listed.add_argument("--kind", help="tier_odds, sensitivity, projection or validation")
    listed.add_argument("--tier")
    listed.add_argument("--state", help="running, interrupted, done, failed or canceled")
    listed.set_defaults(run=_list)
    shown = asks.add_parser("show", help="One of them: what it was made of, and what was found.")
    shown.set_defaults(run=_show)
    text = "Walk one of them again here, and compare; exit status 1 where the bytes differ."
    again = asks.add_parser("again", help=text, description=text)
    again.set_defaults(run=_again)
    with_workers(again)
    for sub in (listed, shown, again):
        _with_house(sub, "of the house")
        if sub is not listed:
            sub.add_argument("simulation_id", metavar="ID")
        sub.add_argument("--json", action="store_true", help="one object, and nothing else")


def _with_house(sub: argparse.ArgumentParser, of: str) -> None:
    sub.add_argument("--url", default="http://127.0.0.1:8000", help=of)
    sub.add_argument("--token", help="[the environment's FONDACO_TOKEN, or demo]")


def _days(asked: argparse.Namespace, journal: str) -> tuple[int, ...]:
    from fondaco.app.simulation_work import days_of

    text = journal if journal.startswith("account:") else f"journal:{journal}"
    trader = journal_trader(text, asked.url, asked.token)
    return days_of(trader)


def _project(asked: argparse.Namespace) -> None:
    from fondaco.app.projecting import projected
    from fondaco.domain.performance.projection import Plan

    plan = Plan(
        results=_days(asked, asked.journal),
        days=asked.days,
        paths=asked.paths,
        seed=asked.seed,
        block=asked.block,
    )
    with workers_of(asked) as pool:
        found = projected(plan, asked.workers, pool)
    if asked.json:
        print(json.dumps(msgspec.to_builtins(found), indent=2))
    else:
        _say(found)


def _say(found: "Projection") -> None:
    print(f"{found.paths} paths of {found.days} days, seed {found.seed}, inputs {found.inputs}")
    print(f"  ends at                {found.mean:+.2%} ± {2 * found.mean_se:.2%}")
    print(f"  ends with a loss       {found.loss_probability:.2%}")
    print(f"  falls, at its deepest  {found.drawdown_mean:.2%} ± {2 * found.drawdown_se:.2%}")
    for fall in found.falls:
        print(f"  falls {fall.fall:>4.0%} or more      {fall.probability:.2%} ± {2 * fall.se:.2%}")
    print("  day      5 of 100   25 of 100   50 of 100   75 of 100   95 of 100")
    for point in found.fan[:: max(len(found.fan) // 10, 1)]:
        print(f"  {point.day:<7}" + "".join(f"{each:>+10.2%}  " for each in point.quantiles))
    for each in found.scenarios:
        print(f"  {each.name:<7} path {each.path}: {each.result:+.2%}, falls {each.drawdown:.2%}")


def _validate(asked: argparse.Namespace) -> None:
    from fondaco.domain.performance.validation import validation

    found = validation(
        [each / 1e6 for each in _days(asked, asked.journal)],
        trials=asked.trials,
        others=[[each / 1e6 for each in _days(asked, other)] for other in asked.against],
        seed=asked.seed,
        block=asked.block,
    )
    if asked.json:
        print(json.dumps(msgspec.to_builtins(found), indent=2))
        return
    for name, value in (
        ("days", f"{found.days}"),
        ("Sharpe ratio of a day", f"{found.sharpe:.4f} ({found.sharpe_annual:.2f} a year)"),
        ("95 of 100 bootstraps", f"{found.sharpe_low:.4f} to {found.sharpe_high:.4f}"),
        ("is above 0", f"{found.probabilistic_sharpe:.2%}"),
        ("the best of as many without skill", f"{found.expected_max_sharpe:.4f}"),
        (f"is above that, of {found.trials} tried", f"{found.deflated_sharpe:.2%}"),
    ):
        print(f"  {name:<36}{value}")
    if found.overfit_probability is not None:
        print(f"  {'the best is overfitted':<36}{found.overfit_probability:.2%}")


def _list(asked: argparse.Namespace) -> None:
    wanted = {name: getattr(asked, name) for name in ("kind", "tier", "state")}
    query = "&".join(f"{name}={value}" for name, value in wanted.items() if value)
    found = _house(asked).get("/api/simulations" + (query and f"?{query}"))
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    for each in found["items"]:
        print(f"{each['simulation_id']}  {each['kind']:<12}{each['state']:<12}{_of(each)}")


def _show(asked: argparse.Namespace) -> None:
    found = _kept(asked)
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    item = found["item"]
    print(f"{item['kind']} of {_of(item)}: {item['state']} {item['error']}".rstrip())
    if item["state"] == "running":
        print(f"  {item['done']:,} of {item['total']:,}")
    print(f"  law {item['law']}, seed {item['seed']}, asked for by {item['asked_by']}")
    if found["result"]:
        print(f"  result, SHA-256 {item['result_sha256']}")
        print(json.dumps(json.loads(found["result"]), indent=2))


def _again(asked: argparse.Namespace) -> int:
    from fondaco.app.simulation_work import answered
    from fondaco.app.simulations import open_pool
    from fondaco.domain.evaluation.simulations.model import LAWS, digest, read
    from fondaco.kernel.errors import Refused

    found = _kept(asked)
    item = found["item"]
    if item["state"] != "done":
        raise Refused(f"simulation {asked.simulation_id} is {item['state']}: nothing to compare")
    question = read(item["kind"], item["law"], found["inputs"])
    if question.law != LAWS[question.kind]:
        raise Refused(
            f"it was walked by law {question.law} of {question.kind}, and this build walks by "
            f"{LAWS[question.kind]}: use a build of that time"
        )
    count = asked.workers or os.cpu_count() or 1
    if asked.compute == "processes" and count == 1:
        result = answered(question)
    else:
        pool = open_pool(asked.compute, count)
        try:
            result = answered(question, pool)
        finally:
            pool.close()
    is_named = question.simulation_id == asked.simulation_id
    is_same = is_named and digest(result) == item["result_sha256"] and result == found["result"]
    said = {
        "simulation_id": asked.simulation_id,
        "inputs_are_of_that_id": is_named,
        "result_sha256": item["result_sha256"],
        "again_sha256": digest(result),
        "workers": count,
        "same": is_same,
    }
    if asked.json:
        print(json.dumps(said, indent=2))
    else:
        print("the same, bit by bit" if is_same else "it differs")
        print(f"  kept   {said['result_sha256']}\n  again  {said['again_sha256']}")
    return int(not is_same)


def _of(item: dict[str, Any]) -> str:
    return f"{item['tier']} version {item['version']}" if item["tier"] else str(item["journal"])


def _kept(asked: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = _house(asked).get(f"/api/simulations/{asked.simulation_id}")
    return found


def _house(asked: argparse.Namespace) -> "Asking":
    from fondaco.app.asking import Asking

    return Asking(asked.url, asked.token or os.environ.get("FONDACO_TOKEN", "demo"))
