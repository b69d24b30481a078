"""A house that is killed at every step of a purchase, a breach and a payout: nothing is lost,
nothing happens twice, and the provider's books agree with ours to the cent.

A step is an entry of the journal: the house is killed as soon as it is durable, so before whatever
follows from it; or just before it is written, so after whatever has led to it. `make soak` kills at
each of them and on both sides, `make test` at one of each story.
"""

import contextlib
import http.client
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from app.firm import (
    ACCOUNT,
    BRITTLE,
    INSTANT,
    OPTIONS,
    Firm,
    asked_payout,
    bought,
    decided,
    earns,
    moves,
    opened,
    payout_is,
    pressed,
    shown,
    staffed,
    trades,
    until,
)
from fondaco.app.files import Files
from fondaco.app.machines import open_journal
from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.model import assessment_id_of
from fondaco.domain.payments import events as pay
from fondaco.domain.trading import events as tev
from fondaco.kernel.event import Entry, Event
from running import begin

KILLING: Final = Path(__file__).with_name("killing.py")
SOAK: Final = os.environ.get("FONDACO_SOAK") == "1"
LEDGER_CENT: Final = 10**6  # a dollar has eight decimals
BOUGHT: Final = (
    pay.PurchaseOpened,
    pay.CheckoutOpened,
    pay.PurchaseCompleted,
    ev.AssessmentCreated,
    tev.AccountOpened,
    tev.CashDeposited,
    ev.AssessmentStarted,
)
BROKEN: Final = (
    tev.OrderAccepted,
    tev.OrderFilled,
    ev.RuleViolated,
    tev.TradingStateSet,
    ev.AccountRetired,
)
PAID: Final = (
    ev.PayoutAsked,
    ev.PayoutAgreed,
    pay.PayoutOrdered,
    pay.PayoutPaid,
    ev.PayoutSettled,
)


class Step(NamedTuple):
    """`when` is what the killed house has of it: it is "written", or was "about" to be."""

    kind: type[Event]
    when: str

    def __str__(self) -> str:
        return f"{self.kind.__name__}-{self.when}"


def of(steps: tuple[type[Event], ...], usual: int, *others: Step) -> list[Step]:
    if SOAK:
        return [Step(each, when) for each in steps for when in ("written", "about")]
    return [Step(steps[usual], "written"), Step(steps[usual], "about"), *others]


class Killed:
    """A firm whose house is killed, and begun again on what is left."""

    def __init__(self, data: Path) -> None:
        self.data, tokens = data, staffed(data)
        self.firm = Firm(begin(data, options=OPTIONS).wait(), tokens, data)

    def restart(self) -> None:
        self.firm.running.kill()
        self.firm = self.firm.again(begin(self.data, options=OPTIONS).wait())

    def at(self, step: Step, act: Callable[[], Any]) -> None:
        """Does something, and kills the house as soon as that has led to a step."""
        if step.when == "about":
            self._before(step.kind, act)
        else:
            self._behind(step.kind, act)

    def _before(self, kind: type[Event], act: Callable[[], Any]) -> None:
        self.firm.running.kill()
        killing = (sys.executable, str(KILLING), str(kind.__struct_config__.tag))
        self.firm = self.firm.again(begin(self.data, options=OPTIONS, wrapper=killing).wait())
        doing = threading.Thread(target=swallowed, args=(act,), daemon=True)
        doing.start()
        assert self.firm.running.process.wait(60) == -signal.SIGKILL, f"never {kind.__name__}"
        self.restart()
        doing.join(30)

    def _behind(self, step: type[Event], act: Callable[[], Any]) -> None:
        with closing(open_journal(Files(self.data))) as journal:
            position = 0
            while entries := journal.follow(position, 10_000):
                position = entries[-1].position
            doing = threading.Thread(target=swallowed, args=(act,), daemon=True)
            doing.start()
            deadline = time.monotonic() + 60
            while True:
                entries = journal.follow(position, 1_000)
                if any(isinstance(each.event, step) for each in entries):
                    break
                position = entries[-1].position if entries else position
                assert time.monotonic() < deadline, f"it never came to {step.__name__}"
                time.sleep(0.0005)
        self.restart()
        doing.join(30)

    def entries(self) -> list[Entry]:
        with closing(open_journal(Files(self.data))) as journal:
            position, found = 0, []
            while entries := journal.follow(position, 10_000):
                found += entries
                position = entries[-1].position
            return found

    def count(self, kind: type[Event], name: str) -> int:
        """Entries of a kind in streams of that name."""
        return sum(isinstance(e.event, kind) and name in e.stream for e in self.entries())

    def _look(self, query: str, *given: Any) -> list[Any]:
        """Of the views, once they show all that is written."""

        head = self.entries()[-1].position
        views = f"file:{Files(self.data).views}?mode=ro"
        with closing(sqlite3.connect(views, uri=True)) as conn:
            seen = "SELECT MIN(position) FROM fondaco_views"
            until(lambda: conn.execute(seen).fetchone()[0] >= head)
            return conn.execute(query, given).fetchall()

    def postings(self, kind: type[Event], stream: str) -> list[tuple[str, str, str, int]]:
        """Debit, credit, asset and units of what entries of a kind post."""
        [entry] = [e for e in self.entries() if isinstance(e.event, kind) and e.stream == stream]
        query = "SELECT debit, credit, asset, units FROM ledger_postings_v1 WHERE position = ?"
        return [(*names, int(units)) for *names, units in self._look(query, entry.position)]

    def balances(self, account: str) -> int:
        """Dollars in ledger units, debits less credits."""
        query = "SELECT units FROM ledger_balances_v1 WHERE account = ? AND asset = 'USD'"
        return sum(int(units) for (units,) in self._look(query, account))

    def paid_out(self) -> int:
        """By the provider's books, in ledger units."""
        return -sum(cents for _, cents in moves(self.data, "payout")) * LEDGER_CENT


def swallowed(act: Callable[[], Any]) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError, AssertionError):
        act()


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    found = Killed(tmp_path_factory.mktemp("killed"))
    try:
        opened(found.firm, BRITTLE, INSTANT)
        yield found
    finally:
        found.firm.running.kill()


# The provider has a checkout of which the house knows nothing, and by now it has another address.
UNSEEN: Final = Step(pay.CheckoutOpened, "about")


@pytest.mark.parametrize("step", of(BOUGHT, 2, UNSEEN), ids=str)
def test_a_purchase(killed: Killed, step: Step) -> None:
    key = {"Idempotency-Key": f"killed-at-{step}"}

    def buy() -> Any:
        ask = {"tier": "instant"}
        return killed.firm.of("tim").ask("POST", "/api/purchases", ask, headers=key).body

    if step.kind in BOUGHT[:2]:
        killed.at(step, buy)
        purchase = buy()
        pressed(killed.firm.running, purchase, "pay")
    else:
        purchase = buy()
        killed.at(step, lambda: pressed(killed.firm.running, purchase, "pay"))
    name = assessment_id_of(purchase["purchase_id"])
    until(lambda: killed.firm.of("tim").ask("GET", f"/api/assessments/{name}").status == 200)
    until(lambda: shown(killed.firm, name)["state"] == "funded")
    assert shown(killed.firm, name)["balance"] == "100000"
    assert killed.count(pay.PurchaseCompleted, purchase["purchase_id"]) == 1
    for once in (ev.AssessmentCreated, ev.StageBegun, ev.AssessmentStarted):
        assert killed.count(once, name) == 1, once
    for each in (tev.AccountOpened, tev.CashDeposited):
        assert killed.count(each, f"account/{name}-1") == 1, each
    sales = [
        amount for what, amount in moves(killed.data, "sale") if what == purchase["purchase_id"]
    ]
    assert sales == [2_900]


@pytest.mark.parametrize("step", of(BROKEN, 2), ids=str)
def test_a_breach(killed: Killed, step: Step) -> None:
    _, name = bought(killed.firm, "brittle")
    key = f"{step}-{name}"

    def trade() -> Any:
        return trades(killed.firm, f"{name}-1", "buy", key)

    killed.at(step, trade)
    # It was never heard of, or met a market that had not come back yet and ended without a fill.
    account = f"{name}-1"
    over = (tev.OrderFilled, tev.OrderCanceled, tev.OrderExpired, tev.OrderRefused)
    if killed.count(tev.OrderAccepted, account):
        until(lambda: any(killed.count(each, account) for each in over))
    if not killed.count(tev.OrderFilled, account):
        trades(killed.firm, account, "buy", f"{key}-again")
    until(lambda: shown(killed.firm, name)["state"] == "failed")
    until(lambda: killed.count(ev.AccountRetired, name) == 1)
    for once in (ev.RuleViolated, ev.AssessmentFailed):
        assert killed.count(once, name) == 1, once
    assert [each["rule"] for each in shown(killed.firm, name)["violations"]] == ["overall_loss"]
    filled = [
        each.event.last_lots if each.event.side.name == "BUY" else -each.event.last_lots
        for each in killed.entries()
        if isinstance(each.event, tev.OrderFilled) and name in each.stream
    ]
    assert filled
    assert sum(filled) == 0, "what was bought was sold, once"


@pytest.mark.parametrize("step", of(PAID, 2), ids=str)
def test_a_payout(killed: Killed, step: Step) -> None:
    _, name = bought(killed.firm, "instant")
    earns(killed.firm, name)

    def ask() -> Any:
        if not shown(killed.firm, name)["payouts"]:
            asked_payout(killed.firm, name)

    def agree() -> Any:
        if shown(killed.firm, name)["payouts"][0]["state"] == "asked":
            decided(killed.firm, name, agrees=True)

    if step.kind is ev.PayoutAsked:
        killed.at(step, ask)
    ask()
    if step.kind is not ev.PayoutAsked:
        killed.at(step, agree)
    agree()
    paid = payout_is(killed.firm, name, "paid")
    cents = round(float(paid["amount"]) * 100)
    assert [each for each in moves(killed.data, "payout") if each[0] == f"{name}-1"] == [
        (f"{name}-1", -cents)
    ]
    for once in (ev.PayoutAsked, ev.PayoutAgreed, ev.PayoutSettled):
        assert killed.count(once, name) == 1, once
    for each in (pay.PayoutOrdered, pay.PayoutPaid):
        assert killed.count(each, f"payout/{name}-1") == 1, each
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    books = killed.firm.of("ada").get(f"/api/purchases/reconciliation?day={day}")
    assert books["is_right"], books
    # In the ledger: out of what the provider holds, once and to the cent; the profit is closed.
    [posted] = killed.postings(pay.PayoutPaid, f"payout/{name}-1")
    assert posted == ("house/payouts", "provider/payouts", "USD", cents * LEDGER_CENT)
    assert killed.balances("house/payouts") == killed.paid_out()
    assert killed.balances(f"account/{name}-2") == ACCOUNT * 100 * LEDGER_CENT
