"""What a report costs: each of the five kinds, of an account with a year of trades.

    python benchmarks/reports.py [--days 250] [--trips 6] [--times 20] [--out DIR]

From the account's history to the bytes of the PDF: statistics, charts, page and paper, as the
house does it when a report is made. Beside it in the same run is a Chromium that has been started
before (`--group dev`, and Debian's chromium), which is given the finished page and prints only
that. Prints JSON: milliseconds at the middle, at 99 of 100 and at the most, the bytes, and how many
times as long the peer takes for its part. Ends with 1 where a PDF of ours takes more than a second.
"""

import argparse
import json
import platform
import random
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from build import ASSETS, BTC, BTC_USD, USD, btc_usd
from fondaco.domain.evaluation.api import ConditionLine, HeadroomLine, ViolationLine, WordingPart
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.evaluation.wording import wording
from fondaco.domain.performance.sheet import Asked, Intervals, Sheet
from fondaco.domain.reports import assessment
from fondaco.domain.reports.assessment import Broken, Priced, Summary
from fondaco.domain.reports.content import Writer
from fondaco.domain.reports.model import Document, ReportKind, digest, encoded
from fondaco.domain.reports.page import html
from fondaco.domain.reports.paper import pdf
from fondaco.domain.trading.model import AccountHistory, BalanceFlow, Refusal, TradedFill
from fondaco.kernel.event import Instant
from fondaco.kernel.money import half_even_div
from web.chromium import chromium

BEGAN: Final = 1_767_225_600_000_000_000  # 2026-01-01
DAY_NS: Final = 86_400_000_000_000
LIMIT_MS: Final = 1_000.0
DOLLAR: Final = 10 ** ASSETS[USD].decimals


def history(days: int, trips: int, seed: int = 7) -> AccountHistory:
    """Trips of an hour or so each day, of a price that walks; some lose, a few more win."""
    dice, terms = random.Random(seed), btc_usd(taker=1_000)
    fills: list[TradedFill] = []
    px, cash, position, base = 6_000_000.0, 100_000 * DOLLAR, 1, 0
    for day in range(days):
        at = BEGAN + day * DAY_NS + 8 * 3_600_000_000_000
        for _ in range(trips):
            lots, side = dice.randint(5, 60), dice.choice((1, -1))
            for sign in (side, -side):
                position += 1
                gross = half_even_div(
                    round(px) * lots * terms.cost_num, terms.cost_den
                )  # fmt: skip
                fee = gross // 2_000
                name = f"x{position}"
                fills.append(
                    TradedFill(position, Instant(at), BTC_USD, sign * lots, gross, fee, name)
                )
                cash -= sign * gross + fee
                base += sign * lots * terms.base_per_lot
                at += dice.randint(60, 5_000) * 1_000_000_000
                px *= 1 + dice.gauss(0.0002 * side * (sign == side), 0.004)
    flows = [BalanceFlow(1, Instant(BEGAN), "deposit", "", USD, 100_000 * DOLLAR)]
    return AccountHistory(
        account_id="asm-0123456789abcdef-1", name="One step", currency=USD,
        opened_at=Instant(BEGAN), begins_at=Instant(BEGAN), opening={}, fills=fills, flows=flows,
        balances={USD: cash, BTC: base}, orders=len(fills) + 3, canceled=2,
        refusals=[Refusal(Instant(BEGAN + DAY_NS), BTC_USD, "exceeds_buying_power")],
        instruments={BTC_USD: terms}, assets={USD: ASSETS[USD], BTC: ASSETS[BTC]},
        position=position,
    )  # fmt: skip


def summary() -> Summary:
    """An assessment that a day's loss has failed."""
    tier = tier_of(text_of("one-step-50k"))
    broken = ViolationLine(
        rule="daily_loss", at=str(BEGAN + 9 * DAY_NS), position=4_711, stage=0,
        account_id="asm-0123456789abcdef-1", value="48999.99", limit="49000", balance="49120.5",
        equity="48999.99", day="20463", day_from="50500",
    )  # fmt: skip
    return Summary(
        assessment_id="asm-0123456789abcdef", tier=tier.name, version=1, fingerprint="ab" * 32,
        stage_name="The only phase", state="failed", reason="daily_loss", size="50000",
        headroom=[
            HeadroomLine(
                rule="daily_loss", title="Daily loss", level="49000", base="50500", limit="1500",
                headroom="-0.01", used_ppm=1_000_007, used="1.000007", state="broken",
            ),
        ],
        equity="48999.99",
        conditions=[ConditionLine("target", "4000", "1120.5", False)],
        broken=[Broken(broken, [Priced("BTC-USD", "60123.45", "binance", 99_123_456)])],
        payouts=[], wording=[WordingPart(head, each) for head, each in wording(tier)],
    )  # fmt: skip


def document(found: AccountHistory, kind: ReportKind) -> Document:
    sheet = Sheet(
        found, found.balances, Intervals({"1h": 3_600_000_000_000}, lambda *_: ()), Asked(),
        found.fills[-1].at + 1,
    )  # fmt: skip
    writer = Writer(sheet, found.position, sheet.now, "benchmark")
    told = summary()
    if kind is ReportKind.COMPLIANCE:
        return writer.write(kind, [assessment.violations(writer, told)])
    if kind is ReportKind.ASSESSMENT_SUMMARY:
        return writer.document(
            kind, assessment.tiles(writer, told), assessment.sections(writer, told),
            assessment.facts(told),
        )  # fmt: skip
    return writer.write(kind)


def timed(act: Callable[[], Any], times: int) -> tuple[list[float], float, Any]:
    """Milliseconds, sorted; those of a processor, each time; and what the last one gave."""
    took: list[float] = []
    made: Any = None
    spent = time.process_time()
    for _ in range(times):
        began = time.perf_counter()
        made = act()
        took.append((time.perf_counter() - began) * 1e3)
    return sorted(took), round((time.process_time() - spent) / times * 1e3, 1), made


def at(took: list[float], part: float) -> float:
    return round(took[min(len(took) - 1, int(len(took) * part))], 1)


def measured(
    found: AccountHistory, kind: ReportKind, times: int, out: Path | None, peer: Any
) -> Any:
    def ours() -> tuple[str, bytes]:
        made = document(found, kind)
        name = digest(encoded(made))
        return html(made, name), pdf(made, name)

    took, cpu, (page, paper) = timed(ours, times)
    made = document(found, kind)
    setting, setting_cpu, _ = timed(lambda: pdf(made, "ab" * 32), times)
    result = {
        "p50_ms": at(took, 0.5), "p99_ms": at(took, 0.99), "max_ms": at(took, 1.0),
        "cpu_ms": cpu, "pdf_alone_p50_ms": at(setting, 0.5),
        "pdf_alone_cpu_ms": setting_cpu, "pdf_bytes": len(paper), "page_bytes": len(page),
    }  # fmt: skip
    if peer is not None:

        def printed() -> bytes:
            peer.set_content(page)
            return bytes(peer.pdf(format="A4"))

        theirs, _, other = timed(printed, times)
        result["chromium_p50_ms"] = at(theirs, 0.5)
        result["chromium_bytes"] = len(other)
        result["chromium_times_as_long"] = round(at(theirs, 0.5) / at(setting, 0.5), 1)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{kind}.pdf").write_bytes(paper)
        (out / f"{kind}.html").write_text(page, "utf-8")
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=250)
    parser.add_argument("--trips", type=int, default=6, help="a day")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--out", type=Path, help="where the last of each is kept, to look at")
    asked = parser.parse_args()
    found = history(asked.days, asked.trips)
    with ExitStack() as stack:
        peer = None if asked.no_peer else stack.enter_context(chromium()).new_page()
        kinds = {
            kind.value: measured(found, kind, asked.times, asked.out, peer) for kind in ReportKind
        }
    slowest = max(each["max_ms"] for each in kinds.values())
    print(
        json.dumps(
            {
                "fills": len(found.fills), "days": asked.days, "python": platform.python_version(),
                "kinds": kinds, "limit_ms": LIMIT_MS, "slowest_ms": slowest,
            },
            indent=1,
        )
    )  # fmt: skip
    return int(slowest > LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())
