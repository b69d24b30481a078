"""Contradictions are found, each by its own code; the words say what the rules do."""

import json
from pathlib import Path

import pytest

from fondaco.cli import main
from fondaco.domain.evaluation.lint import lint
from fondaco.domain.evaluation.reading import built_in, text_of, tier_of
from fondaco.domain.evaluation.wording import wording
from fondaco.kernel.errors import Invalid

HEAD = {
    "name": '"t"',
    "title": '"T"',
    "effective_from": "2026-01-01",
    "account": '"1000"',
    "fee": '"10"',
    "time_zone": '"Europe/Berlin"',
}
PHASE = {
    "name": '"P"',
    "target": '"10%"',
    "overall_loss": '{ limit = "10%" }',
    "daily_loss": '{ limit = "5%" }',
}
FUNDED = {
    "name": '"F"',
    "overall_loss": '{ limit = "10%" }',
    "daily_loss": '{ limit = "5%" }',
}
PAYOUT = {"split": '"80%"', "first_after_days": "14"}


def text(**changes: str) -> str:
    """A sound tier with changes such as `phase_target='"5%"'`; "" takes a key out."""
    parts = {"head": HEAD, "phase": PHASE, "funded": FUNDED, "payout": PAYOUT}
    said = {name: dict(keys) for name, keys in parts.items()}
    for name, value in changes.items():
        part, _, key = name.partition("_")
        said[part][key] = value

    def lines(part: str) -> str:
        return "\n".join(f"{key} = {value}" for key, value in said[part].items() if value)

    return (
        f"{lines('head')}\n[[phases]]\n{lines('phase')}\n[funded]\n{lines('funded')}\n"
        f"[payout]\n{lines('payout')}\n"
    )


def scaled(*steps: str) -> str:
    return text() + "".join(f"[[scaling]]\n{each}\n" for each in steps)


CONTRADICTIONS = [
    (text(head_effective_until="2025-12-31"), "never_sold"),
    (text(phase_overall_loss='{ limit = "101%" }'), "loss_over_account"),
    (
        text(phase_overall_loss='{ limit = "10%", follows = "trailing", locks_at = "850" }'),
        "lock_below_start",
    ),
    (text(phase_daily_loss='{ limit = "10%" }'), "daily_never_first"),
    (text(phase_daily_loss='{ limit = "10%", of = "day_start" }'), "daily_never_first"),
    (text(phase_daily_loss='{ limit = "5%", from = "initial" }'), "daily_is_static"),
    (text(phase_max_risk_per_trade='"6%"'), "risk_over_loss"),
    (text(phase_min_trading_days="8", phase_time_limit_days="7"), "days_over_limit"),
    (text(phase_inactivity_days="7", phase_time_limit_days="7"), "inactivity_over_limit"),
    (text(phase_news="{ before_minutes = 0 }"), "empty_news_window"),
    (text(phase_target='"0"'), "no_target"),
    (text(funded_min_trades="3"), "funded_has_conditions"),
    (text(phase_consistency='"101%"'), "consistency_over_all"),
    (text(phase_consistency='"20%"', phase_time_limit_days="4"), "consistency_over_limit"),
    (text(payout_split='"101%"'), "split"),
    (text(payout_split='"0"'), "split"),
    (text(funded_time_limit_days="10"), "paid_never"),
    (scaled('profit = "10%"', 'profit = "10%"\naccount = "150%"'), "scaling_order"),
    (scaled('profit = "10%"\naccount = "90%"'), "scaling_down"),
    (scaled('profit = "10%"\nsplit = "70%"'), "scaling_down"),
]
UNUSUAL = [
    (text(head_instruments='["BTC-USD", "BTC-USD"]'), "instrument_twice"),
    (text(head_reset_at='"02:30"'), "reset_on_clock_change"),
    (text(phase_overall_loss=""), "no_overall_loss"),
    (text(phase_daily_loss='{ limit = "5%", from = "equity" }'), "daily_from_open_equity"),
    (text(phase_max_risk_per_trade='"2%"', phase_max_positions="3"), "positions_over_loss"),
    (
        text(phase_max_risk_per_trade='"4%"', phase_target='"3%"'),
        "risk_over_target",
    ),
    (text(phase_consistency='"40%"', phase_min_trading_days="2"), "consistency_over_days"),
    (text(phase_consistency='"100%"'), "consistency_of_all"),
    (text(funded_daily_loss='{ limit = "4%" }'), "rule_changes"),
    (
        text() + '[[phases]]\nname = "Q"\ntarget = "11%"\noverall_loss = { limit = "10%" }\n',
        "target_rises",
    ),
    (text(head_fee="", payout_refunds_fee="true"), "refund_of_nothing"),
]


def codes(found: str, weight: str) -> set[str]:
    return {each.code for each in lint(tier_of(found)) if each.weight == weight}


def test_what_is_sound_is_found_so() -> None:
    assert lint(tier_of(text())) == []


@pytest.mark.parametrize(("found", "code"), CONTRADICTIONS)
def test_a_contradiction_is_found(found: str, code: str) -> None:
    assert code in codes(found, "contradiction")


@pytest.mark.parametrize(("found", "code"), UNUSUAL)
def test_what_is_unusual_is_told_and_keeps_nobody(found: str, code: str) -> None:
    assert code in codes(found, "unusual")
    assert codes(found, "contradiction") == set()


@pytest.mark.parametrize("name", built_in())
def test_what_comes_with_the_house_contradicts_itself_nowhere(name: str) -> None:
    assert codes(text_of(name), "contradiction") == set()


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (text(head_account="1000.0"), "stand in quotes"),
        (text(head_account='"1e3.5"'), "account is 1e3.5"),
        (text(head_account='"0"'), "account is 0, must be above 0"),
        (text(head_account='"1.00001"'), "at most 4 decimals"),
        (text(head_time_zone='"Europe/Atlantis"'), "time_zone is Europe/Atlantis"),
        (text(head_reset_at='"24:00"'), "reset_at"),
        (text(phase_dayly_loss="5"), "dayly_loss"),
        (text(phase_target='"-5%"'), "phases[0].target is below 0"),
        (text(phase_daily_loss='{ limit = "0%" }'), "phases[0].daily_loss.limit is 0"),
        (text(phase_overall_loss='{ limit = "5%", locks_at = "account" }'), "does not move"),
        (text(phase_consistency='"0.4"'), 'such as "80%"'),
        ("name = ", "no TOML"),
        (text().replace("[payout]", "[other]"), "other"),
        ('name = "t"\ntitle = "T"\neffective_from = 2026-01-01\naccount = "1"', "neither"),
    ],
)
def test_a_text_that_is_no_tier_is_refused_with_its_place(found: str, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        tier_of(found)
    assert said in refused.value.message


def test_parts_become_amounts_that_never_favour_the_trader() -> None:
    found = tier_of(text(head_account='"333.3333"', phase_target='"10%"')).phases[0]
    assert found.target == 33_3334 * 10**4
    assert found.overall_loss is not None
    assert found.overall_loss.amount == 33_3333 * 10**4


def sentences(found: str) -> str:
    return "\n".join(each for _, said in wording(tier_of(found)) for each in said)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"phase_target": '"12.5%"'}, "a profit of USD 125: a balance of USD 1,125"),
        ({"head_broken_at": '"touch"'}, "equity that touches it"),
        ({"phase_daily_loss": '{ limit = "5%", of = "day_start" }'}, "at most 5 % of that under"),
        ({"phase_daily_loss": '{ limit = "7.5" }'}, "at most USD 7.50 under the balance"),
        ({"phase_daily_loss": '{ limit = "5%", from = "higher" }'}, "whichever is higher"),
        ({"phase_daily_loss": '{ limit = "5%", from = "equity" }'}, "the equity at that time"),
        ({"phase_daily_loss": '{ limit = "5%", from = "initial" }'}, "the same every day"),
        ({"head_reset_at": '"17:00"'}, "show 17:00, also on the days when they are changed"),
        (
            {"phase_overall_loss": '{ limit = "10%", follows = "end_of_day" }'},
            "begins at USD 900, rises with it, and never falls",
        ),
        (
            {"phase_overall_loss": '{ limit = "10%", follows = "trailing", locks_at = "account" }'},
            "until it is USD 1,000, and never falls",
        ),
        ({"phase_min_trades": "3"}, "What is still missing to pass breaks no rule."),
        ({"phase_consistency": '"40%"'}, "the best day made at most 40 % of all profit"),
        ({"phase_max_lots": '"2.5"'}, "At most 2.5 lots"),
        ({"phase_max_positions": "1"}, "At most 1 position may be open"),
        ({"phase_news": "{ before_minutes = 2, after_minutes = 1 }"}, "from 2 minutes before to 1"),
        ({"phase_weekend": '"flat"'}, "when the weekend begins"),
        ({"phase_time_limit_days": "30"}, "It ends after 30 days of the calendar."),
        ({"phase_inactivity_days": "9"}, "It ends after 9 days without a trade."),
        ({"payout_minimum": '"50"'}, "From a profit of USD 50 on."),
        ({"payout_refunds_fee": "true"}, "gives back the USD 10"),
        ({"head_instruments": '["BTC-USD", "ETH-USD"]'}, "traded: BTC-USD, ETH-USD."),
        ({"head_effective_until": "2026-06-30"}, "Sold from 2026-01-01 to 2026-06-30."),
    ],
)
def test_words_are_made_of_the_rules(changes: dict[str, str], said: str) -> None:
    assert said in sentences(text(**changes))
    assert said not in sentences(text())


def test_the_commands_show_and_judge_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text())
    assert main(["tier", "lint", str(file)]) == 0
    assert capsys.readouterr().out == "nothing contradicts itself\n"
    assert main(["tier", "show", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "Phase 1: P" in shown
    assert main(["tier", "show", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["terms_sha256"] in shown

    file.write_text(text(phase_daily_loss='{ limit = "11%" }'))
    assert main(["tier", "lint", str(file)]) == 1
    line = file.read_text().splitlines().index('daily_loss = { limit = "11%" }') + 1
    said = f"contradiction  line {line}  phases[0].daily_loss  daily_never_first"
    assert said in capsys.readouterr().out
    assert main(["tier", "lint", str(file), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["wrong"] is True
    assert main(["tier", "lint", str(tmp_path / "none.toml")]) == 2
    assert main(["tier", "list"]) == 0
    assert "two-step-100k" in capsys.readouterr().out
