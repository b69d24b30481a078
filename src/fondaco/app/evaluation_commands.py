"""`fondaco tier`: the terms of a prop firm's tiers, what is wrong with them, and their odds."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from fondaco.app.tier_commands import tried, with_offers
from fondaco.kernel.errors import Invalid

if TYPE_CHECKING:
    from fondaco.app.simulating import Told
    from fondaco.domain.evaluation.model import Tier
    from fondaco.domain.evaluation.simulation.odds import Odds, RuleEffect
    from fondaco.domain.evaluation.simulation.traders import Trader
    from fondaco.ports.compute import Pool

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
_GAMBLE: Final = (
    ("start", "the balance to begin with, in place of the tier's account"),
    ("target", "the balance that passes, in place of the tier's target"),
    ("floor", "the balance that fails, in place of the tier's overall loss"),
)


def with_tiers(commands: Commands) -> None:
    tier = commands.add_parser("tier", help="What a prop firm sells: its rules, and their odds.")
    asks = tier.add_subparsers(metavar="command", required=True)
    listed = asks.add_parser("list", help="The tiers that come with the house.")
    listed.set_defaults(run=_list)
    with_offers(asks)
    for name, run, text in (
        ("show", _show, "The rules of a tier, in the words that a trader is shown."),
        ("lint", _lint, "Say what contradicts itself in a tier; exit status 1 where it does."),
    ):
        sub = asks.add_parser(name, help=text, description=text)
        sub.add_argument("tier", help="a built-in tier, or a file")
        sub.add_argument("--json", action="store_true", help="one object, and nothing else")
        if name == "lint":
            sub.add_argument("--url", help="of a house that it must fit, too [none]")
            sub.add_argument("--token", help="[the environment's FONDACO_TOKEN, or demo]")
        sub.set_defaults(run=run)
    simulate = asks.add_parser("simulate", help="The odds of a kind of trader. Needs no house.")
    simulate.set_defaults(run=_simulate)
    simulate.add_argument("tier", help="a built-in tier, or a file")
    simulate.add_argument(
        "--trader", default="fair", metavar="KIND[:NAME=VALUE,…]", help="[fair]; docs/tiers.md"
    )
    for name, text in _GAMBLE:
        simulate.add_argument(f"--{name}", default="", metavar="AMOUNT", help=text)
    simulate.add_argument("--paths", type=int, default=100_000, metavar="N", help="[100000]")
    simulate.add_argument("--seed", type=int, default=1, metavar="N", help="[1]")
    simulate.add_argument(
        "--days",
        type=int,
        help="how long a phase is watched; 0: until it ends [60, and 0 for a coin in such a tier]",
    )
    simulate.add_argument("--funded-days", type=int, default=180, metavar="N", help="[180]")
    with_workers(simulate)
    simulate.add_argument("--sales", type=int, default=1_000, metavar="N", help="of a book [1000]")
    simulate.add_argument(
        "--capital", type=float, metavar="AMOUNT", help="of the firm, of a book [one account]"
    )
    simulate.add_argument(
        "--sales-a-day", type=int, default=10, metavar="N", help="begun together [10]"
    )
    simulate.add_argument(
        "--crowd", type=float, default=0.5, metavar="PART",
        help="of their trades that buyers of a book take together [0.5]",
    )  # fmt: skip
    simulate.add_argument("--url", default="http://127.0.0.1:8000", help="of account: traders")
    simulate.add_argument("--token", help="[the environment's FONDACO_TOKEN, or demo]")
    simulate.add_argument(
        "--sensitivity", action="store_true", help="and what each rule does to the odds"
    )
    simulate.add_argument("--json", action="store_true", help="one object, and nothing else")


def with_workers(simulate: argparse.ArgumentParser) -> None:
    """Who walks the paths."""
    simulate.add_argument("--workers", type=int, default=0, metavar="N", help="[as many as cores]")
    simulate.add_argument(
        "--compute", default="processes", metavar="WHERE",
        help="processes, ray:local or ray:HOST:PORT [processes]; the numbers are the same",
    )  # fmt: skip


@contextmanager
def workers_of(asked: argparse.Namespace) -> "Iterator[Pool | None]":
    """None: processes, of which nobody needs more than there are cores."""
    from fondaco.app.simulations import PROCESSES, open_pool
    from fondaco.settings.places import fits

    if asked.compute == PROCESSES:
        yield None
        return
    if not fits("compute", asked.compute):
        raise Invalid(f"--compute is {asked.compute}, must be processes, or begin with ray:")
    pool = open_pool(asked.compute, asked.workers or os.cpu_count() or 1)
    try:
        yield pool
    finally:
        pool.close()


def _list(_: argparse.Namespace) -> None:
    from fondaco.domain.evaluation.reading import built_in, text_of, tier_of

    for name in built_in():
        print(f"{name:<16}{tier_of(text_of(name)).title}")


def _show(asked: argparse.Namespace) -> None:
    from fondaco.domain.evaluation.model import fingerprint
    from fondaco.domain.evaluation.reading import text_of, tier_of
    from fondaco.domain.evaluation.wording import wording

    tier = tier_of(text_of(asked.tier))
    said = wording(tier)
    if asked.json:
        rules = [{"heading": heading, "sentences": each} for heading, each in said]
        terms = msgspec.to_builtins(tier)
        print(json.dumps({"terms_sha256": fingerprint(tier), "rules": rules, "terms": terms}))
        return
    print(f"{tier.title} ({tier.name}, version {tier.version})")
    for heading, sentences in said:
        print(f"\n{heading}")
        for each in sentences:
            print(f"  {each}")
    print(f"\nterms {fingerprint(tier)}")


def _lint(asked: argparse.Namespace) -> int:
    from fondaco.domain.evaluation.lines import line_of
    from fondaco.domain.evaluation.lint import lint
    from fondaco.domain.evaluation.reading import text_of, tier_of

    text = text_of(asked.tier)
    found = [
        {**msgspec.to_builtins(each), "line": line_of(text, each.where)}
        for each in lint(tier_of(text))
    ]
    if asked.url:
        found = tried(text, asked.url, asked.token)["findings"]
    is_wrong = any(each["weight"] == "contradiction" for each in found)
    if asked.json:
        print(json.dumps({"wrong": is_wrong, "findings": found}))
    else:
        for each in found:
            place = f"line {each['line']}  {each['where']}"
            print(f"{each['weight']}  {place}  {each['code']}: {each['text']}")
        if not found:
            print("nothing contradicts itself")
    return int(is_wrong)


def _simulate(asked: argparse.Namespace) -> None:
    from fondaco.app.simulating import Run, sensitivity, simulate
    from fondaco.domain.evaluation.model import MONEY_DECIMALS
    from fondaco.domain.evaluation.reading import text_of, tier_of
    from fondaco.domain.evaluation.simulation.odds import as_gamble

    tier = as_gamble(tier_of(text_of(asked.tier)), asked.start, asked.target, asked.floor)
    trader = journal_trader(asked.trader, asked.url, asked.token)
    days = asked.days
    if days is None:
        days = 0 if trader.win and _ends(tier) else 60
    capital = asked.capital
    run = Run(
        paths=asked.paths,
        seed=asked.seed,
        days=days,
        funded_days=asked.funded_days,
        workers=asked.workers,
        sales=asked.sales,
        capital=tier.account / 10**MONEY_DECIMALS if capital is None else capital,
        crowd=asked.crowd,
        sales_a_day=asked.sales_a_day,
    )
    told = _told() if sys.stderr.isatty() else None
    with workers_of(asked) as pool:
        if asked.sensitivity:
            found, effects = sensitivity(tier, trader, run, told, pool)
        else:
            found, effects = simulate(tier, trader, run, told, pool), []
    if asked.json:
        print(json.dumps(_as_json(asked, tier, found, effects, days), indent=2))
        return
    print(f"{tier.title}, {asked.trader}, {run.paths} paths, seed {run.seed}")
    for name, value in _table(tier, found):
        print(f"  {name:<34}{value}")
    for each in effects:
        print(
            f"  {each.rule + ' ' + each.change:<34}pass {each.pass_probability:8.2%}"
            f" ({each.pass_change:+.2%} ± {2 * (each.pass_change_se or 0.0):.2%})"
            f"  paid {each.payout_mean:,.2f}"
            f" ({each.payout_change:+,.2f})  firm {each.firm_profit_mean:,.2f}"
            f" ({each.firm_profit_change:+,.2f})"
        )


def journal_trader(text: str, url: str, token: str | None) -> "Trader":
    """`account:ID` is asked of a house; everything else is known here. Raises `Invalid`."""
    from fondaco.domain.evaluation.simulation.traders import trader_of

    kind, _, rest = text.partition(":")
    if kind != "account":
        return trader_of(text)
    from fondaco.app.asking import Asking

    account, _, more = rest.partition(",")
    house = Asking(url, token or os.environ.get("FONDACO_TOKEN", "demo"))
    found = house.get(f"/api/accounts/{account}/journal")
    return trader_of(f"journal:size={found['size']}" + f",{more}" * bool(more), found["text"])


def _ends(tier: "Tier") -> bool:
    return all(each.target and each.overall_loss for each in tier.phases)


def _told() -> "Told":
    def told(done: int, total: int) -> None:
        end = "\n" if done >= total else ""
        print(f"\r{done:,} of {total:,} paths", end=end, file=sys.stderr, flush=True)

    return told


def _as_json(
    asked: argparse.Namespace,
    tier: "Tier",
    found: "Odds",
    effects: Sequence["RuleEffect"],
    days: int,
) -> dict[str, Any]:
    from fondaco.domain.evaluation.model import fingerprint

    said: dict[str, Any] = {
        "tier": tier.name,
        "version": tier.version,
        "terms_sha256": fingerprint(tier),
        "trader": asked.trader,
        "seed": asked.seed,
        "days": days,
        "funded_days": asked.funded_days,
        **msgspec.to_builtins(found),
    }
    if asked.sensitivity:
        said["sensitivity"] = msgspec.to_builtins(effects)
    return said


def _table(tier: "Tier", found: "Odds") -> list[tuple[str, str]]:
    """What a person reads first: odds with two standard errors."""
    money = tier.currency
    lines = [
        ("passes", f"{found.pass_probability:.2%} ± {2 * found.pass_se:.2%}"),
        ("breaks a limit before", f"{found.ruin_probability:.2%} ± {2 * found.ruin_se:.2%}"),
        ("  of it the daily loss", f"{found.daily_loss_probability:.2%}"),
        ("  of it the overall loss", f"{found.overall_loss_probability:.2%}"),
        ("trades too seldom", f"{found.abandoned_probability:.2%}"),
        ("runs out of time", f"{found.expired_probability:.2%}"),
        ("is still open", f"{found.open_probability:.2%}"),
    ]
    for phase, part in zip(tier.phases, found.phase_pass_probabilities, strict=True):
        lines.append((f"has passed {phase.name}", f"{part:.2%}"))
    if found.days_to_pass:
        shown = ", ".join(f"{each:.0f}" for each in found.days_to_pass)
        lines.append(("days to pass: 10, 50, 90 of 100", shown))
    if tier.payout:
        paid = f"{money} {found.payout_mean:,.2f} ± {2 * found.payout_se:,.2f}"
        lines += [
            ("is ever paid", f"{found.paid_probability:.2%}"),
            ("payouts to a trader, on average", f"{found.payouts_mean:.2f}"),
            ("paid to a trader, on average", paid),
        ]
    result = f"{money} {found.firm_profit_mean:,.2f} ± {2 * found.firm_profit_se:,.2f}"
    lines.append(("the firm's result of a sale", result))
    if found.firm_ruin_probability is not None and found.firm_ruin_se is not None:
        text = (
            f"{found.firm_ruin_probability:.2%} ± {2 * found.firm_ruin_se:.2%} of {found.books}"
            f" books of {found.sales} sales, {found.sales_a_day} a day, {found.crowd:.0%} of"
            f" trades in common"
        )
        lines.append((f"loses its capital of {found.capital:,.0f}", text))
        lines.append(("is enough in 99 of 100 books", f"{money} {found.firm_capital_99:,.2f}"))
    return lines
