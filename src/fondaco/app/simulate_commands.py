"""`fondaco simulate`: what may come of days like those traded, and whether they were luck."""

import argparse
import json
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from fondaco.app.evaluation_commands import journal_trader

if TYPE_CHECKING:
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
        sub.add_argument("--url", default="http://127.0.0.1:8000", help="of account: journals")
        sub.add_argument("--token", help="[the environment's FONDACO_TOKEN, or demo]")
        sub.add_argument("--json", action="store_true", help="one object, and nothing else")
        sub.set_defaults(run=run)
        if name == "project":
            sub.add_argument("--days", type=int, default=250, metavar="N", help="[250]")
            sub.add_argument("--paths", type=int, default=2_000, metavar="N", help="[2000]")
            sub.add_argument("--workers", type=int, default=0, metavar="N", help="[all cores]")
        else:
            sub.add_argument(
                "--against", action="append", default=[], metavar="JOURNAL",
                help="another strategy that was tried; may be said again",
            )  # fmt: skip
            sub.add_argument(
                "--trials", type=int, default=1, metavar="N", help="strategies tried in all [1]"
            )


def _days(asked: argparse.Namespace, journal: str) -> tuple[int, ...]:
    """Results of days, in millionths of the account; a day without a trade has 0."""
    text = journal if journal.startswith("account:") else f"journal:{journal}"
    trader = journal_trader(text, asked.url, asked.token)
    begins = (0, *trader.ends)
    return tuple(
        sum(trader.results[begin:end]) for begin, end in zip(begins, trader.ends, strict=False)
    )


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
    found = projected(plan, asked.workers)
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
