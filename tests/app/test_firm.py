"""The prop firm as a stranger sees it: from a purchase to a payout, by the names of its topics."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.firm import (
    ACCOUNT,
    BRITTLE,
    INSTANT,
    OPTIONS,
    SWIFT,
    Firm,
    asked_payout,
    bought,
    decided,
    done,
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
from fondaco.app.offline import explaining
from fondaco.app.webhooks.catalog import TYPES, event_types
from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.payments.events import PayoutOrdered, PayoutPaid, PurchaseCompleted
from fondaco.domain.reports.events import ReportReady
from fondaco.domain.trading import events as tev
from fondaco.kernel.event import Entry, Event
from fondaco.kernel.trace import trace_of_correlation
from fondaco.ports.bus.files import FileBus
from notify.receiver import Came, Receiver, receiving
from running import Client, house, order

DOCUMENTED = {
    "payment.purchase-completed",
    "assessment.created",
    "assessment.completed",
    "assessment.failed",
    "assessment.abandoned",
    "trading.order-placed",
    "trading.order-filled",
    "rules.violation-detected",
    "report.ready",
    "montecarlo.simulation-completed",
}
FAMILIES = {"market data", "trading", "assessment", "rules", "payment", "monte carlo"}


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    data = tmp_path_factory.mktemp("firm")
    tokens = staffed(data)
    options = (*OPTIONS, "--set", "topics=file://")
    with house(data, options=options, log=data / "log") as running:
        found = Firm(running, tokens, data)
        opened(found, SWIFT, BRITTLE, INSTANT)
        yield found


def today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def hooked(client: Client, receiver: Receiver, *events: str) -> str:
    reply = client.ask("POST", "/api/webhooks", {"url": receiver.url, "events": list(events)})
    assert reply.status == 201, reply
    return str(reply.body["secret"])


def about(receiver: Receiver, name: str) -> list[Any]:
    """What was told of an assessment or its accounts, in the journal's order."""
    told = [each.said for each in list(receiver.came) if name in str(each.said["data"])]
    return sorted(told, key=lambda each: each["data"]["position"])


def test_the_catalogue_has_every_topic_and_family_of_the_documents(firm: Firm) -> None:
    items = firm.of("ada").get("/api/webhooks/event-types")["items"]
    assert {each["topic"] for each in items} - {""} == DOCUMENTED
    assert {each["family"] for each in items} >= FAMILIES
    by_topic = {each["topic"]: each for each in items if each["topic"]}
    assert by_topic["assessment.failed"]["aliases"] == ["assessment.abandoned"]
    assert by_topic["assessment.abandoned"]["aliases"] == []
    assert len({each["type"] for each in items}) == len(TYPES)
    for wrong in ("assessment.lost", "assessment.created.v2", "trading.order-*"):
        asked = {"url": "http://127.0.0.1:9/", "events": [wrong]}
        assert firm.of("ada").ask("POST", "/api/webhooks", asked).status == 422, wrong


def fits(came: Came) -> None:
    """What is delivered is what the catalogue says of its type."""
    said = came.said
    (found,) = [each for each in event_types() if said["type"] in (each.type, each.topic)]
    Draft202012Validator(found.data).validate(said["data"])


def on_the_bus(firm: Firm, topic: str) -> dict[str, Any]:
    """Values by id; each came once."""
    bus = FileBus(firm.data / "published")
    found = [
        e.record for n in range(bus.partitions(topic)) for e in bus.read(topic, n, limit=9_999)
    ]
    by_id = {each.headers["id"]: json.loads(each.value) for each in found}
    assert len(by_id) == len(found)
    return by_id


def test_from_a_purchase_to_the_pass_each_topic_is_told_to_who_may_hear(firm: Firm) -> None:
    """P35, P56 to P59, P62: by the documents' names to the trader, by ours to who oversees it."""
    topics = sorted(DOCUMENTED - {"assessment.abandoned"})
    with receiving() as mine, receiving() as theirs, receiving() as others:
        secret = hooked(firm.of("tim"), mine, *topics)
        hooked(firm.of("ada"), theirs, "assessment.*", "payment.*")
        hooked(firm.of("zoe"), others, "assessment.*", "payment.*", "rules.*")
        purchase, name = bought(firm, "swift")
        earns(firm, name)
        mine.until(lambda: any(t == "assessment.completed" for t in mine.types()))
        told = [each["type"] for each in about(mine, name)]
        assert told[:2] == ["payment.purchase-completed", "assessment.created"]
        assert told.count("assessment.created") == told.count("payment.purchase-completed") == 1
        assert {"trading.order-placed", "trading.order-filled"} <= set(told)
        assert "assessment.failed" not in told
        paid = next(e for e in about(mine, name) if e["type"] == "payment.purchase-completed")
        assert (paid["data"]["purchase_id"], paid["data"]["amount"]) == (
            purchase["purchase_id"],
            "99.00",
        )
        for each in list(mine.came):
            each.verify(secret)
            fits(each)
        theirs.until(lambda: "'state': 'funded'" in str(about(theirs, name)))
        states = [
            each["data"]["state"]
            for each in about(theirs, name)
            if each["type"].startswith("assessment.") and "state" in each["data"]
        ]
        assert states == ["purchased", "purchased", "active", "funded"]
        assert len({each.msg_id for each in theirs.came}) == len(theirs.came)
        for each in list(theirs.came):
            fits(each)
        assert not others.came, "somebody else's"
        for each in list(mine.came):  # and the bus has the same, under the same names and ids
            topic = each.said["type"]
            until(lambda: each.msg_id in on_the_bus(firm, topic))  # noqa: B023
            told_there = on_the_bus(firm, topic)[each.msg_id]
            assert {**told_there, "type": topic} == each.said


def test_a_breach_is_told_in_order_with_its_evidence_and_to_old_consumers(firm: Firm) -> None:
    """P36, P60, P61, P67, P68 and X11: failed and abandoned are two, and one alias."""
    with receiving() as new, receiving() as old:
        hooked(firm.of("tim"), new, "rules.violation-detected", "assessment.failed")
        hooked(firm.of("tim"), old, "assessment.abandoned")
        _, name = bought(firm, "brittle")
        trades(firm, f"{name}-1", "buy", f"{name}.1")
        new.until(lambda: len(about(new, name)) == 2)
        assert [each.said["type"] for each in new.came][-2:] == [
            "rules.violation-detected",
            "assessment.failed",
        ], "one resource: told in order"
        violated, failed = about(new, name)
        assert (violated["type"], failed["type"]) == (
            "rules.violation-detected",
            "assessment.failed",
        )
        found = violated["data"]
        assert (found["rule"], found["tier"]) == ("overall_loss", "brittle")
        assert float(found["value"]) < float(found["limit"]) == 99_999.9
        assert [each["symbol"] for each in found["marks"]] == ["BTC-USD"]
        pack = firm.of("tim").get(found["evidence"])
        assert pack["assessment_id"] == name
        old.until(lambda: bool(about(old, name)))
        (told,) = about(old, name)
        assert (told["type"], told["data"]["state"]) == ("assessment.abandoned", "failed")
        for topic in ("assessment.abandoned", "assessment.failed"):
            until(lambda: name in str(on_the_bus(firm, topic)))  # noqa: B023
        # One that is given up is abandoned, to both.
        _, given = bought(firm, "brittle")
        path = f"/api/assessments/{given}/abandon"
        assert firm.of("tim").ask("POST", path, {"reason": "enough"}).status == 200
        old.until(lambda: bool(about(old, given)))
        (told,) = about(old, given)
        assert (told["type"], told["data"]["state"]) == ("assessment.abandoned", "abandoned")
        assert about(new, given) == []
    # That so many trades are still needed is a condition of passing, and no violation.
    assert [each["rule"] for each in shown(firm, name)["violations"]] == ["overall_loss"]


def test_violations_are_listed_to_whose_they_are_and_to_who_oversees(firm: Firm) -> None:
    names = []
    for nth in range(2):
        _, name = bought(firm, "brittle")
        trades(firm, f"{name}-1", "buy", f"{name}.{nth}")
        until(lambda: shown(firm, name)["state"] == "failed")  # noqa: B023
        names.append(name)
    # Views come a moment behind.
    until(lambda: names[-1] in str(firm.of("tim").get("/api/violations?limit=1")))
    for who in ("tim", "ria"):
        items = firm.of(who).all("/api/violations?limit=1")
        mine = [each for each in items if each["assessment_id"] in names]
        assert [each["assessment_id"] for each in mine] == names[::-1], "the newest first"
        assert all(each["position"] > after["position"] for each, after in pairwise(items))
        for each in mine:
            [kept] = shown(firm, each["assessment_id"])["violations"]
            assert each | kept == each, "as the assessment says it"
            assert (each["user"], each["tier"]) == ("tim", "brittle")
    assert firm.of("zoe").get("/api/violations")["items"] == [], "somebody else's"
    assert firm.of("ria").get("/api/violations?rule=daily_loss")["items"] == []


def test_the_house_is_alive_says_if_it_is_ready_and_has_a_path_for_each_thing(firm: Firm) -> None:
    """P15: /health and /ready, and section 1.8's things of a prop firm."""
    nobody = Client(firm.running.port, token="")
    alive, ready = nobody.ask("GET", "/health"), nobody.ask("GET", "/ready")
    assert (alive.status, ready.status) == (200, 200)
    [(tier, found)] = [
        (each["tier"], each)
        for each in firm.of("ada").get("/api/tiers")["items"]
        if each["tier"] == "brittle"
    ]
    assert found["phases"][0]["overall_loss"], "its rules"
    for path in ("tiers", f"tiers/{tier}", "purchases", "assessments", "accounts", "violations",
                 "leaderboard", "reports", "simulations"):  # fmt: skip
        assert firm.of("ada").ask("GET", f"/api/{path}").status == 200, path
        assert nobody.ask("GET", f"/api/{path}").status in (200, 401), path


def test_a_payout_is_asked_refused_agreed_to_by_another_paid_once_and_posted(firm: Firm) -> None:
    _, name = bought(firm, "instant")
    earns(firm, name)
    asked = asked_payout(firm, name)
    own = f"/api/assessments/{name}/payouts/1"
    assert firm.of("tim").ask("POST", own, {"agrees": True, "reason": "mine"}).status == 403
    decided(firm, name, agrees=False)
    refused = payout_is(firm, name, "refused")
    assert refused["reason"] == "looked at it"
    asked = asked_payout(firm, name)

    def listed(who: str, query: str = "") -> list[Any]:
        items = firm.of(who).get(f"/api/assessments/payouts{query}")["items"]
        return [each for each in items if each["assessment_id"] == name]

    until(lambda: len(listed("ria")) == 2)  # views come a moment behind
    asked_of = listed("ria")
    assert [(e["number"], e["state"], e["user"]) for e in asked_of] == [
        (2, "asked", "tim"), (1, "refused", "tim"),
    ]  # fmt: skip
    assert {
        field: asked_of[0][field] for field in asked
    } == asked  # as the assessment itself says it
    assert [each["number"] for each in listed("tim", "?state=refused")] == [1]
    assert firm.of("zoe").get("/api/assessments/payouts")["items"] == []
    profit, amount = Decimal(asked["profit"]), Decimal(asked["amount"])
    assert amount == (profit * 8 / 10).quantize(Decimal("0.01"), ROUND_DOWN)
    decided(firm, name, agrees=True, number=2)
    payout_is(firm, name, "paid", 2)

    def paid_out() -> list[Any]:
        items = firm.of("tim").get("/api/payouts")["items"]
        return [e for e in items if (e["assessment_id"], e["state"]) == (name, "paid")]

    until(paid_out)
    (paid,) = paid_out()
    assert (paid["payout_id"], paid["state"]) == (f"{name}-2", "paid")
    assert Decimal(paid["amount"]) == amount
    assert moves(firm.data, "payout") == [(f"{name}-2", -int(amount * 100))]
    # It goes on with a fresh account of the size; nobody is told of another's.
    until(lambda: shown(firm, name)["account_id"] == f"{name}-2")
    assert Decimal(shown(firm, name)["balance"]) == ACCOUNT
    assert firm.of("zoe").ask("GET", f"/api/assessments/{name}").status == 404
    books = firm.of("ada").get(f"/api/purchases/reconciliation?day={today()}")
    assert books["is_right"], books


def test_a_payout_that_cannot_be_paid_is_tried_again_elsewhere(firm: Firm) -> None:
    path = "/api/payouts/destination"
    assert firm.of("zoe").get(path) == {"destination": "", "provider": "", "changed_at": ""}
    done(firm, "zoe", "PUT", path, {"destination": "acct_closed"})
    _, name = bought(firm, "instant", "zoe")
    earns(firm, name, who="zoe")
    asked_payout(firm, name, "zoe")
    decided(firm, name, agrees=True)
    failed = payout_is(firm, name, "failed", who="zoe")
    assert "closed" in failed["reason"]
    done(firm, "zoe", "PUT", path, {"destination": "acct_open"})
    assert firm.of("zoe").get(path)["destination"] == "acct_open"
    assert firm.of("tim").get(path)["destination"] == ""
    decided(firm, name, agrees=True)
    paid = payout_is(firm, name, "paid", who="zoe")
    assert Decimal(paid["amount"]) > 0
    found = [each for each in moves(firm.data, "payout") if each[0].startswith(name)]
    assert found == [(f"{name}-1-2", -int(Decimal(paid["amount"]) * 100))]
    again = {"agrees": True, "reason": "once more"}
    refused = firm.of("ria").ask("POST", f"/api/assessments/{name}/payouts/1", again)
    assert (refused.status, refused.body["code"]) == (409, "unknown_payout")
    for file in firm.data.rglob("*"):
        if file.is_file() and file.name != "sandbox.db" and "sandbox" not in file.name:
            assert b"acct_open" not in file.read_bytes(), file


def test_what_is_paid_back_ends_and_what_is_disputed_stops(firm: Firm) -> None:
    purchase, name = bought(firm, "swift")
    path = f"/api/purchases/{purchase['purchase_id']}/refund"
    done(firm, "ada", "POST", path, {"reason": "as agreed"})
    until(lambda: shown(firm, name)["state"] == "abandoned")
    assert (purchase["purchase_id"], -9_900) in moves(firm.data, "refund")
    disputed, other = bought(firm, "swift")
    pressed(firm.running, disputed, "dispute")
    until(lambda: shown(firm, other)["frozen"])
    pressed(firm.running, disputed, "win")
    until(lambda: not shown(firm, other)["frozen"])
    assert shown(firm, other)["state"] == "active"


def entries_of(firm: Firm, name: str) -> list[Entry]:
    """All that was written of an assessment, its accounts, and its purchase, so far."""
    return [each for each in every_entry(firm) if name in each.stream]


def every_entry(firm: Firm) -> list[Entry]:
    with closing(open_journal(Files(firm.data))) as journal:
        position, found = 0, []
        while entries := journal.follow(position, 10_000):
            found += entries
            position = entries[-1].position
    return found


def is_one_trace(firm: Firm, positions: list[int]) -> bool:
    """What was asked is noted behind what became of it: until then it is another one."""
    with explaining(Files(firm.data)) as explained:
        traces = {explained(str(each)).trace_id for each in positions}
    return len(traces) == 1 and traces != {""}


def test_each_flow_is_one_trace_and_rules_see_the_fill(firm: Firm) -> None:
    """P64 to P68: `fondaco why POSITION` names one trace for every step of a flow."""
    purchase, name = bought(firm, "brittle")
    trades(firm, f"{name}-1", "buy", f"{name}.1")
    until(lambda: any(isinstance(e.event, ev.AccountRetired) for e in entries_of(firm, name)))
    _, other = bought(firm, "swift")
    trades(firm, f"{other}-1", "buy", f"{other}.1")
    until(lambda: any(isinstance(e.event, ev.TradeCounted) for e in entries_of(firm, other)))
    entries, traded = entries_of(firm, name), entries_of(firm, other)

    def first(kind: type[Event], after: int = 0, among: list[Entry] = entries) -> Entry:
        return next(e for e in among if isinstance(e.event, kind) and e.position > after)

    paid = next(
        each
        for each in entries_of(firm, purchase["purchase_id"])
        if isinstance(each.event, PurchaseCompleted)
    )
    broken = first(ev.RuleViolated)
    flows = {
        "creation": [
            paid, first(ev.AssessmentCreated), first(ev.StageBegun), first(ev.AccountProvided),
            first(tev.AccountOpened), first(tev.CashDeposited), first(ev.AssessmentStarted),
        ],
        "trading": [
                first(each, among=traded)
                for each in (tev.OrderAccepted, tev.OrderFilled, ev.TradeCounted)
            ],
        "violation": [
            broken, first(ev.AssessmentFailed), first(ev.AccountStopped),
            first(tev.TradingStateSet), first(tev.OrderFilled, broken.position),
        ],
    }  # fmt: skip
    for flow, steps in flows.items():
        positions = [each.position for each in steps]
        assert positions == sorted(positions), flow
        until(lambda: is_one_trace(firm, positions))  # noqa: B023
    # The rules saw the position with the fill in it.
    fill, counted = first(tev.OrderFilled, among=traded), first(ev.TradeCounted, among=traded)
    assert isinstance(counted.event, ev.TradeCounted)
    assert counted.event.open_positions == 1
    assert counted.position > fill.position
    assert sum(isinstance(each.event, ev.AssessmentCreated) for each in entries) == 1


def test_a_payout_is_one_trace_from_who_asks_for_it_to_its_money(firm: Firm) -> None:
    """Who asks and who agrees are two, and name one correlation; what the provider then does is of
    the same trace, and so is the account that follows."""
    _, name = bought(firm, "instant")
    earns(firm, name)
    of = {"X-Correlation-ID": f"payout-of-{name}"}
    path = f"/api/assessments/{name}/payouts"
    assert firm.of("tim").ask("POST", path, headers=of).status < 300
    until(lambda: shown(firm, name)["payouts"])
    agreed = {"agrees": True, "reason": "looked at it"}
    assert firm.of("ria").ask("POST", f"{path}/1", agreed, headers=of).status < 300
    payout_is(firm, name, "paid")
    kinds = (ev.PayoutAsked, ev.PayoutAgreed, PayoutOrdered, PayoutPaid, ev.PayoutSettled)

    def traces() -> dict[type[Event], str]:
        with explaining(Files(firm.data)) as explained:
            return {
                type(each.event): explained(str(each.position)).trace_id
                for each in entries_of(firm, name)
                if isinstance(each.event, kinds)
            }

    # What was asked is noted behind what became of it.
    until(lambda: traces() == dict.fromkeys(kinds, trace_of_correlation(of["X-Correlation-ID"])))


def test_a_report_is_told_to_whom_it_is_about_and_to_who_oversees(firm: Firm) -> None:
    """Who may read reports of the same tenant hears nothing of somebody else's."""
    _, name = bought(firm, "instant")
    account = shown(firm, name)["account_id"]
    with receiving() as mine, receiving() as staff, receiving() as others:
        hooked(firm.of("tim"), mine, "report.ready")
        hooked(firm.of("ada"), staff, "report.ready")
        hooked(firm.of("zoe"), others, "report.ready", "account.opened.v1")
        asked = {"kind": "performance_metrics", "account_id": account}
        made = done(firm, "ada", "POST", "/api/reports", asked)
        for receiver in (mine, staff):
            receiver.until(lambda: bool(about(receiver, made["report_id"])))  # noqa: B023
            [told] = about(receiver, made["report_id"])
            assert (told["type"], told["data"]["account_id"]) == ("report.ready", account)
            fits(next(each for each in receiver.came if made["report_id"] in str(each.said)))
        # What comes later has come, and that has not.
        own = done(firm, "zoe", "POST", "/api/reports", {**asked, "account_id": "demo"})
        others.until(lambda: bool(about(others, own["report_id"])))
        assert about(others, made["report_id"]) == []
        assert about(mine, own["report_id"]) == []


def test_a_report_is_one_trace_from_who_asks_for_it_to_who_is_told(firm: Firm) -> None:
    """P69: asked for, allowed, gathered, written, hashed, kept, noted and told; and what was kept
    is what was hashed."""
    _, name = bought(firm, "instant")
    account = shown(firm, name)["account_id"]
    trades(firm, account, "buy", f"{account}.1")
    of = {"X-Correlation-ID": f"report-of-{name}"}
    asked = {"kind": "performance_metrics", "account_id": account}
    until(lambda: firm.of("tim").get(f"/api/accounts/{account}/statistics")["held"])
    assert firm.of("zoe").ask("POST", "/api/reports", {**asked, "account_id": "no"}).status == 404
    with receiving() as mine:
        secret = hooked(firm.of("tim"), mine, "report.ready")
        made = firm.of("tim").ask("POST", "/api/reports", asked, headers=of)
        assert made.status == 201, made.body
        report = made.body["report_id"]
        mine.until(lambda: bool(about(mine, report)))
        [noted] = [
            each
            for each in every_entry(firm)
            if isinstance(each.event, ReportReady) and each.event.report_id == report
        ]
        [told] = about(mine, report)
        mine.came[0].verify(secret)
        assert told["data"]["position"] == noted.position
        assert told["data"]["sha256"] == made.body["sha256"] == noted.event.sha256  # type: ignore[attr-defined]
    page = firm.of("tim").ask("GET", made.body["html_url"])
    assert sha256(page.body).hexdigest() == noted.event.html_sha256  # type: ignore[attr-defined]
    with explaining(Files(firm.data)) as explained:
        found = explained(str(noted.position)).trace_id
    assert found == trace_of_correlation(of["X-Correlation-ID"])


def test_all_eight_kinds_of_data_can_be_read_and_accounts_as_of_a_position(firm: Firm) -> None:
    """P70: users, sessions, tiers, purchases, assessments, positions, trades, violations."""
    _, name = bought(firm, "brittle")
    account = f"{name}-1"
    trades(firm, account, "buy", f"{name}.1")
    until(lambda: shown(firm, name)["state"] == "failed")
    ada, tim = firm.of("ada"), firm.of("tim")
    assert "tim" in str(ada.get("/api/users"))
    assert tim.get("/api/session")
    assert "brittle" in str(tim.get("/api/tiers"))
    assert tim.get("/api/purchases")["items"]
    assert name in str(tim.get("/api/assessments"))
    assert [each["rule"] for each in shown(firm, name)["violations"]] == ["overall_loss"]
    fills = [e for e in entries_of(firm, name) if isinstance(e.event, tev.OrderFilled)]
    bought_at = fills[0].position
    then = tim.get(f"/api/accounts/{account}/as-of/{bought_at}")
    assert "BTC" in str(then)
    assert tim.get(f"/api/accounts/{account}/as-of/{bought_at - 1}") != then
    assert tim.ask("GET", f"/api/orders?account_id={account}").body["items"]


def test_who_looks_after_people_sees_which_orders_of_whom_go_on_working(firm: Firm) -> None:
    _, name = bought(firm, "instant")
    account = shown(firm, name)["account_id"]
    resting = {**order("resting", account_id=account), "price": "30000"}
    made = done(firm, "tim", "POST", "/api/orders", resting)
    path = "/api/users/{}/left-working".format

    def theirs(user: str) -> list[str]:
        items = firm.of("ada").get(path(user))["theirs"]
        assert not any("price" in each for each in items)
        return [each["order_id"] for each in items]

    until(lambda: made["order_id"] in theirs("tim"))
    assert made["order_id"] not in theirs("zoe")
    before = firm.of("ada").get(path("zoe"))["shared"]
    common = {**order("common", account_id="demo"), "price": "30000"}
    resting_too = done(firm, "zoe", "POST", "/api/orders", common)
    until(lambda: firm.of("ada").get(path("tim"))["shared"] == before + 1)
    assert firm.of("zoe").ask("DELETE", f"/api/orders/{resting_too['order_id']}").status == 200
    assert firm.of("tim").ask("GET", path("tim")).status == 403
    assert firm.of("ada").ask("GET", path("nobody")).status == 404
    assert firm.of("tim").ask("DELETE", f"/api/orders/{made['order_id']}").status == 200
    until(lambda: made["order_id"] not in theirs("tim"))
