"""A house that sells tiers which are passed, or broken, within seconds: nothing is charged for a
trade, so the price has but to move."""

import http.client
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

from fondaco.app.offline import create_key
from fondaco.domain.evaluation.assessments.model import assessment_id_of
from running import Client, Running, order

ACCOUNT: Final = 100_000
SWIFT: Final = """\
name = "swift"
title = "Passed by a dollar"
effective_from = 2026-01-01
account = "100000"
fee = "99"
leverage = 5
[[phases]]
name = "Challenge"
target = "0.001%"
overall_loss = { limit = "10%" }
[funded]
name = "Funded"
overall_loss = { limit = "10%" }
[payout]
split = "80%"
first_after_days = 0
every_days = 1
"""
BRITTLE: Final = """\
name = "brittle"
title = "Broken by the spread"
effective_from = 2026-01-01
account = "100000"
fee = "49"
leverage = 5
[[phases]]
name = "Challenge"
target = "8%"
overall_loss = { limit = "0.0001%" }
"""
INSTANT: Final = """\
name = "instant"
title = "Funded at once"
effective_from = 2026-01-01
account = "100000"
fee = "29"
leverage = 5
[funded]
name = "Funded"
overall_loss = { limit = "10%" }
[payout]
split = "80%"
first_after_days = 0
every_days = 1
"""
OPTIONS: Final = ("--feed", "synthetic,rate=20", "--set", "four_eyes=strict")
PEOPLE: Final = {"ada": "admin", "ian": "admin", "ria": "risk", "tim": "trader", "zoe": "trader"}
PATIENCE_S: Final = 120.0
ANCHOR: Final = 50_000.0


class Firm(NamedTuple):
    """ada runs it, ian agrees, ria decides on payouts, tim and zoe trade."""

    running: Running
    tokens: dict[str, str]
    data: Path

    def of(self, who: str) -> Client:
        return self.running.client(self.tokens[who])

    def again(self, running: Running) -> "Firm":
        return self._replace(running=running)


def staffed(data: Path) -> dict[str, str]:
    """Tokens by name; before the house is begun."""
    return {
        who: create_key(data, "demo", who, "key", [role], None)["token"]
        for who, role in PEOPLE.items()
    }


def until(look: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    deadline = time.monotonic() + patience_s
    while not (found := look()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)
    return found


def done(firm: Firm, who: str, method: str, path: str, body: object) -> Any:
    """What is asked, with a second person where it needs one."""
    reply = firm.of(who).ask(method, path, body)
    if reply.status == 202 and "approval_id" in reply.body:
        agree = f"/api/approvals/{reply.body['approval_id']}/approve"
        reply = firm.of("ian").ask("POST", agree, {"reason": "looked at it"})
        assert reply.body["state"] == "executed", reply.body
        return reply.body["result"]
    assert reply.status < 300, (path, reply)
    return reply.body


def opened(firm: Firm, *texts: str) -> None:
    """Tiers on sale, and nothing charged for a trade."""
    fees = {"maker_fee_ppm": 0, "taker_fee_ppm": 0}
    done(firm, "ada", "PUT", "/api/instruments/BTC-USD/fees", fees)
    for text in texts:
        made = done(firm, "ada", "POST", "/api/tiers", {"text": text})
        path = f"/api/tiers/{made['tier']}/versions/{made['version']}"
        done(
            firm, "ada", "POST", f"{path}/simulate", {"paths": 100, "days": 2, "traders": ["fair"]}
        )
        until(lambda: firm.of("ada").get(f"{path}/simulation")["state"] == "attached")  # noqa: B023
        done(firm, "ada", "POST", f"{path}/publish", {"effective_from": 0, "note": "for all"})


def pressed(running: Running, purchase: dict[str, Any], button: str) -> None:
    """On the sandbox's page, as a browser would."""
    path = "/" + purchase["checkout_url"].partition("//")[2].partition("/")[2]
    with closing(http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)) as page:
        page.request("POST", path, f"button={button}".encode())
        answer = page.getresponse()
        answer.read()
        assert answer.status == 303


def bought(firm: Firm, tier: str, who: str = "tim") -> tuple[dict[str, Any], str]:
    """The purchase, and the assessment that it has made, once that is active."""
    purchase = done(firm, who, "POST", "/api/purchases", {"tier": tier})
    pressed(firm.running, purchase, "pay")
    name = assessment_id_of(purchase["purchase_id"])
    until(lambda: firm.of(who).ask("GET", f"/api/assessments/{name}").status == 200)
    until(lambda: shown(firm, name, who)["state"] in ("active", "funded"))
    return purchase, name


def shown(firm: Firm, name: str, who: str = "tim") -> dict[str, Any]:
    return dict(firm.of(who).get(f"/api/assessments/{name}"))


def trades(firm: Firm, account: str, side: str, key: str, who: str = "tim") -> dict[str, Any]:
    terms = {"account_id": account, "side": side, "order_qty": "2"}
    asked = {**order(key, **terms), "ord_type": "market", "time_in_force": "ioc"}
    del asked["price"]
    return dict(done(firm, who, "POST", "/api/orders", asked))


def earns(firm: Firm, name: str, least: float = 1.0, who: str = "tim") -> str:
    """Trades towards the price that the synthetic market is drawn to, until more than `least`
    dollars are earned, and closes: once it has no position again. The account."""
    account = shown(firm, name, who)["account_id"]
    before = float(shown(firm, name, who)["balance"])
    nth = 0
    while float(shown(firm, name, who)["balance"]) - before < least:
        nth += 1
        is_low = (
            float(firm.of(who).get("/api/market-data/prices/BTC-USD")["mark"]["price"]) < ANCHOR
        )
        opens, closes = ("buy", "sell") if is_low else ("sell", "buy")
        trades(firm, account, opens, f"{account}.open{nth}", who)
        until(lambda: float(shown(firm, name, who)["equity"]) > before + least + 1)
        trades(firm, account, closes, f"{account}.close{nth}", who)
        until(lambda: shown(firm, name, who)["open_positions"] == 0)
        if shown(firm, name, who)["account_id"] != account:
            break  # it has passed
    return str(account)


def asked_payout(firm: Firm, name: str, who: str = "tim") -> dict[str, Any]:
    """Of what it has earned, by its trader; as it is shown."""
    done(firm, who, "POST", f"/api/assessments/{name}/payouts", None)
    until(lambda: shown(firm, name, who)["payouts"])
    return dict(shown(firm, name, who)["payouts"][-1])


def decided(firm: Firm, name: str, agrees: bool, number: int = 1) -> None:
    body = {"agrees": agrees, "reason": "looked at it"}
    done(firm, "ria", "POST", f"/api/assessments/{name}/payouts/{number}", body)


def payout_is(firm: Firm, name: str, state: str, number: int = 1, who: str = "tim") -> Any:
    def found() -> Any:
        payouts = shown(firm, name, who)["payouts"]
        return len(payouts) >= number and payouts[number - 1]["state"] == state

    until(found)
    return shown(firm, name, who)["payouts"][number - 1]


def moves(data: Path, kind: str) -> list[tuple[str, int]]:
    """What the provider's own books say was moved: for what, and minor units."""
    with closing(sqlite3.connect(data / "sandbox.db")) as books:
        asked = "SELECT * FROM moves WHERE kind = ? ORDER BY number"
        cursor = books.execute(asked, (kind,))
        names = [each[0] for each in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
    return [(row["purchase_id"], row["amount"]) for row in rows]
