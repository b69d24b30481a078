"""Purchases of a whole house: bought, paid at the provider in it, told of by its messages, and not
twice or lost whatever is repeated, forged or killed."""

import contextlib
import http.client
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from app.test_restart import wait_for
from fondaco.app.files import Files
from fondaco.app.machines import open_journal
from fondaco.app.payments.intake import from_tape
from fondaco.domain.payments.events import PurchaseCompleted, Refunded
from fondaco.ports.payments import signatures
from fondaco.ports.tape.segments import SegmentTape
from running import Client, Running, house

TIER: Final = "two-step-100k"
HOOK: Final = "/payments/webhooks/sandbox"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("purchases")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Running]:
    with house(folder, log=folder / "log") as found:
        yield found


@pytest.fixture(scope="module")
def demo(running: Running) -> Client:
    return running.client()


def bought(client: Client, **other: Any) -> dict[str, Any]:
    reply = client.ask("POST", "/api/purchases", {"tier": TIER, **other})
    assert reply.status == 201, reply
    return dict(reply.body)


def shown(client: Client, purchase_id: str) -> dict[str, Any]:
    return dict(client.get(f"/api/purchases/{purchase_id}"))


def post(port: int, path: str, body: bytes, headers: dict[str, str] | None = None) -> int:
    """As a browser or a provider would: no token."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as http_:
        http_.request("POST", path, body, headers or {})
        answer = http_.getresponse()
        answer.read()
        return answer.status


def press(running: Running, purchase: dict[str, Any], button: str) -> int:
    path = "/" + purchase["checkout_url"].partition("//")[2].partition("/")[2]
    return post(running.port, path, f"button={button}".encode())


def until(client: Client, purchase_id: str, state: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while (found := shown(client, purchase_id))["state"] != state:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def secret_of(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "sandbox.db")) as books:
        return str(books.execute("SELECT secret FROM secrets").fetchone()[0])


def paid_event(purchase: dict[str, Any], name: str, amount: int, payment: str = "pi_x") -> bytes:
    session = {
        "id": "cs_x", "object": "checkout.session", "payment_status": "paid",
        "payment_intent": payment, "amount_total": amount, "currency": "usd",
        "metadata": {"purchase_id": purchase["purchase_id"]},
    }  # fmt: skip
    kind = "checkout.session.completed"
    return json.dumps({"id": name, "type": kind, "data": {"object": session}}).encode()


def signed(folder: Path, body: bytes) -> dict[str, str]:
    return {"Stripe-Signature": signatures.header_of([secret_of(folder)], int(time.time()), body)}


def events_of(folder: Path, kind: type[Any]) -> list[Any]:
    with closing(open_journal(Files(folder))) as journal:
        position, found = 0, []
        while entries := journal.follow(position, 10_000):
            found += [each.event for each in entries if isinstance(each.event, kind)]
            position = entries[-1].position
        return found


def test_a_tier_is_bought_paid_and_each_message_is_on_the_tape_as_it_came(
    running: Running, demo: Client, folder: Path
) -> None:
    offer = demo.get(f"/api/purchases/offer?tier={TIER}")
    purchase = bought(demo)
    assert purchase["state"] == "awaiting_payment"
    assert (purchase["total"], purchase["currency"]) == (offer["total"], "USD")
    assert press(running, purchase, "pay") == 303
    done = until(demo, purchase["purchase_id"], "completed")
    assert done["checkout_url"] == ""
    assert done["refundable"] == offer["total"]
    (event,) = [
        each
        for each in events_of(folder, PurchaseCompleted)
        if each.purchase_id == purchase["purchase_id"]
    ]
    assert event.product.fingerprint == offer["fingerprint"]
    assert event.product.terms
    tape = SegmentTape(folder / "payments", quota_bytes=1 << 30)
    frames = [from_tape(frame.raw) for frame in tape.read(sources={"payments.sandbox"})]
    for headers, raw in frames:
        signatures.verify([secret_of(folder)], headers["stripe-signature"], raw, time.time())
    said = [json.loads(raw) for _, raw in frames]
    assert event.notice in {each["id"] for each in said}


def test_messages_that_are_repeated_reordered_and_at_once_complete_it_once(
    running: Running, demo: Client, folder: Path
) -> None:
    purchase = bought(demo)
    bodies = [paid_event(purchase, f"evt_{nth % 3}", 54_000) for nth in range(9)]
    answers: list[int] = []

    def tell(body: bytes) -> None:
        answers.append(post(running.port, HOOK, body, signed(folder, body)))

    threads = [threading.Thread(target=tell, args=(body,)) for body in bodies]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert answers == [200] * 9
    until(demo, purchase["purchase_id"], "completed")
    found = [each.purchase_id for each in events_of(folder, PurchaseCompleted)]
    assert found.count(purchase["purchase_id"]) == 1


def test_what_is_forged_or_of_another_amount_completes_nothing_and_is_loud(
    running: Running, demo: Client, folder: Path
) -> None:
    purchase = bought(demo)
    body = paid_event(purchase, "evt_forged", 54_000)
    now = int(time.time())
    good = signatures.header_of([secret_of(folder)], now, body)
    old = signatures.header_of([secret_of(folder)], now - 3_600, body)
    for header, told in (
        ({}, body),
        ({"Stripe-Signature": good.replace("v1=", "v0=")}, body),
        ({"Stripe-Signature": good}, body.replace(b"54000", b"54001")),
        ({"Stripe-Signature": old}, body),
        ({"Stripe-Signature": signatures.header_of(["whsec_other"], now, body)}, body),
    ):
        assert post(running.port, HOOK, told, header) == 400
    less = paid_event(purchase, "evt_less", 53_999)
    assert post(running.port, HOOK, less, signed(folder, less)) == 200
    assert post(running.port, "/payments/webhooks/stripe", body, signed(folder, body)) == 404
    assert post(running.port, HOOK, b"x" * 300_000, {}) == 413
    assert shown(demo, purchase["purchase_id"])["state"] == "awaiting_payment"
    log = (folder / "log").read_text("utf-8")
    assert log.count("is not believed") >= 5
    assert "expected 540.00, sandbox says 539.99" in log
    assert "DIFFERED" in str(demo.get("/ready")["checks"]["payments"])


def test_a_declined_card_may_be_tried_again_and_a_bank_may_be_late(
    running: Running, demo: Client
) -> None:
    purchase = bought(demo)
    assert press(running, purchase, "decline") == 303
    assert press(running, purchase, "later") == 303
    until(demo, purchase["purchase_id"], "pending")
    assert press(running, purchase, "pay") == 409  # that button is gone
    assert press(running, purchase, "arrive") == 303
    until(demo, purchase["purchase_id"], "completed")
    other = bought(demo)
    press(running, other, "later")
    press(running, other, "bounce")
    until(demo, other["purchase_id"], "expired")


def test_money_goes_back_to_the_cent_and_never_more_than_came(
    running: Running, demo: Client, folder: Path
) -> None:
    purchase = bought(demo)
    name = purchase["purchase_id"]
    path = f"/api/purchases/{name}/refund"
    early = demo.ask("POST", path, {"reason": "too early"})
    assert (early.status, early.body["code"]) == (409, "not_paid")
    press(running, purchase, "pay")
    until(demo, name, "completed")
    assert demo.ask("POST", path, {"reason": "a part", "amount": "39.99"}).status == 200
    assert until(demo, name, "partly_refunded")["refunded"] == "39.99"
    for amount, code in (("500.02", "beyond_paid"), ("0.001", "beyond_paid")):
        refused = demo.ask("POST", path, {"reason": "no", "amount": amount})
        assert (refused.status, refused.body["code"]) == (409, code)
    assert demo.ask("POST", path, {"reason": "the rest"}).status == 200
    assert until(demo, name, "refunded")["refundable"] == "0.00"
    again = demo.ask("POST", path, {"reason": "once more"})
    assert (again.status, again.body["code"]) == (409, "nothing_left")
    back = [each for each in events_of(folder, Refunded) if each.refunded_total >= 3_999_000_000]
    assert [each.is_whole for each in back[-2:]] == [False, True]


def test_a_dispute_is_opened_and_decided(running: Running, demo: Client) -> None:
    purchase = bought(demo)
    press(running, purchase, "dispute")
    until(demo, purchase["purchase_id"], "disputed")
    refused = demo.ask("POST", f"/api/purchases/{purchase['purchase_id']}/refund", {"reason": "no"})
    assert refused.body["code"] == "disputed"
    press(running, purchase, "win")
    until(demo, purchase["purchase_id"], "completed")
    other = bought(demo)
    press(running, other, "dispute")
    press(running, other, "lose")
    assert until(demo, other["purchase_id"], "charged_back")["refundable"] == "0.00"


def disputed_by(demo: Client, purchase_id: str) -> dict[str, Any] | None:
    found = [
        each for each in demo.get("/api/disputes")["items"] if each["purchase_id"] == purchase_id
    ]
    return found[0] if found else None


def test_a_dispute_is_answered_with_evidence_that_its_provider_gets_once(
    running: Running, demo: Client, folder: Path
) -> None:
    purchase = bought(demo)
    name = purchase["purchase_id"]
    press(running, purchase, "dispute")
    until(demo, name, "disputed")
    wait_for(lambda: disputed_by(demo, name) is not None)
    found = disputed_by(demo, name)
    assert found is not None
    wait_for(lambda: (disputed_by(demo, name) or {})["due_at"] != "")
    assert (found["state"], found["amount"], found["fee"]) == ("open", "540.00", "15.00")
    assert (found["reason"], found["assessment_id"][:4]) == ("product_not_received", "asm-")
    path = f"/api/disputes/{found['dispute']}/evidence"
    assert demo.ask("POST", path, {}).status == 422
    assert demo.ask("POST", "/api/disputes/dp_none/evidence", {"text": "x"}).status == 404
    said = {"product": "A challenge of two steps.", "activity": "Begun and traded."}
    assert demo.ask("POST", path, said).body["evidence"]["state"] in ("asked", "sent")
    wait_for(lambda: (disputed_by(demo, name) or {})["evidence"]["state"] == "sent")
    again = demo.ask("POST", path, {**said, "text": "and another thing"})
    assert (again.status, again.body["code"]) == (409, "evidence_given")
    with closing(sqlite3.connect(folder / "sandbox.db")) as theirs:
        kept = [
            bytes(row[0])
            for row in theirs.execute("SELECT body FROM objects WHERE id = ?", (found["dispute"],))
        ]
    assert json.loads(kept[0])["evidence"]["access_activity_log"] == "Begun and traded."
    press(running, purchase, "lose")
    wait_for(lambda: (disputed_by(demo, name) or {})["state"] == "lost")
    over = demo.get("/api/disputes?state=lost")["items"]
    assert name in {each["purchase_id"] for each in over}
    assert name not in {
        each["purchase_id"] for each in demo.get("/api/disputes?state=open")["items"]
    }


ABROAD: Final = """\
name = "abroad"
title = "In euro"
effective_from = 2026-01-01
currency = "EUR"
account = "25000"
fee = "129"
leverage = 5
[[phases]]
name = "Only"
target = "6%"
overall_loss = { limit = "6%" }
"""


def test_a_retry_is_the_same_purchase_and_what_is_not_sold_is_not_found(
    running: Running, demo: Client
) -> None:
    key = {"Idempotency-Key": "buy-once"}
    first, second = (
        demo.ask("POST", "/api/purchases", {"tier": TIER}, headers=key).body["purchase_id"]
        for _ in "ab"
    )
    assert first == second
    assert demo.ask("POST", "/api/purchases", {"tier": "no-such"}).status == 404
    reset = {"tier": TIER, "purpose": "reset", "assessment_id": "as_0"}
    assert demo.ask("POST", "/api/purchases", reset).status == 404
    assert demo.ask("GET", "/api/purchases/pu_" + "0" * 24).status == 404
    # What is in another currency than the house's accounts is not put on sale.
    client = running.client()
    made = client.ask("POST", "/api/tiers", {"text": ABROAD})
    assert made.status == 200, made
    path = f"/api/tiers/{made.body['tier']}/versions/{made.body['version']}"
    asked = {"paths": 100, "days": 2, "traders": ["fair"]}
    assert client.ask("POST", f"{path}/simulate", asked).status < 300
    while client.get(f"{path}/simulation")["state"] != "attached":
        time.sleep(0.05)
    published = {"effective_from": 0, "note": "for all"}
    refused = client.ask("POST", f"{path}/publish", published)
    assert (refused.status, refused.body["code"]) == (409, "currency_of_house")
    unsold = demo.ask("POST", "/api/purchases", {"tier": made.body["tier"]})
    assert unsold.status in (404, 409), unsold


def test_a_house_that_is_killed_at_each_step_sells_once_and_loses_nothing(tmp_path: Path) -> None:
    """While it opens the checkout, when it is paid and not told, and while it hears of that."""
    key, ask = {"Idempotency-Key": "through-it-all"}, {"tier": TIER}

    def hasty(running: Running, act: Callable[[], Any], after_s: float) -> None:
        threading.Thread(target=swallowed, args=(act,), daemon=True).start()
        time.sleep(after_s)
        running.kill()

    with house(tmp_path) as running:
        client = running.client()
        hasty(running, lambda: client.ask("POST", "/api/purchases", ask, headers=key), 0.004)
    with house(tmp_path) as running:
        purchase = running.client().ask("POST", "/api/purchases", ask, headers=key).body
        press(running, purchase, "pay")
        running.kill()
    with house(tmp_path) as running:
        name = purchase["purchase_id"]
        until(running.client(), name, "completed")
        body = paid_event(purchase, "evt_again", 54_000, payment="")
        headers = signed(tmp_path, body)
        hasty(running, lambda: post(running.port, HOOK, body, headers), 0.002)
    with house(tmp_path) as running:
        assert post(running.port, HOOK, body, signed(tmp_path, body)) == 200
        client = running.client()
        assert client.ask("POST", f"/api/purchases/{name}/refund", {"reason": "all"}).status == 200
        running.kill()
    with house(tmp_path) as running:
        until(running.client(), name, "refunded")
    assert [each.purchase_id for each in events_of(tmp_path, PurchaseCompleted)] == [name]
    assert [each.is_whole for each in events_of(tmp_path, Refunded)] == [True]
    with closing(sqlite3.connect(tmp_path / "sandbox.db")) as books:
        moved = books.execute("SELECT kind, amount FROM moves ORDER BY number").fetchall()
    assert moved == [("sale", 54_000), ("refund", -54_000)]


def swallowed(act: Callable[[], Any]) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        act()
