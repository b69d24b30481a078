"""Limits and FIX sequence numbers need a second person: no door lets one do both halves."""

import asyncio
import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from websockets.sync.client import connect

from fondaco.app.approvals import ApprovalsDesk
from fondaco.app.files import Files
from fondaco.app.house import Kernel
from fondaco.app.offline import create_key, explain
from fondaco.app.policies.authority import Authority
from fondaco.app.secrets import sealing_at
from fondaco.cli import main
from fondaco.domain.evaluation.offering.api import A_TEXT
from fondaco.domain.identity.approvals.events import Approve
from fondaco.domain.identity.approvals.model import stream_of
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.kyc.risk import BUILT_IN
from fondaco.domain.identity.model import Role
from fondaco.domain.identity.policy.api import A_TEST, AN_OWN
from fondaco.domain.market.feeds.synthetic import SyntheticFeed
from fondaco.domain.trading import api as trading_api
from fondaco.domain.trading.events import LimitsSet, OpenAccount
from fondaco.domain.trading.model import AccountId, account_stream
from fondaco.domain.trading.rules import decider
from fondaco.kernel.errors import Denied
from fondaco.kernel.event import CommandId
from fondaco.kernel.operation import Do, Stamp
from fondaco.ports.cache.memory import MemoryCache
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.settings import load
from running import Client, Reply, Running, house

SESSION: Final = "FIX.4.4:HOUSE->BROKER"
AGREED: Final = """
[[session]]
begin_string = "FIX.4.4"
sender_comp_id = "HOUSE"
target_comp_id = "BROKER"
role = "acceptor"
application = "echo"
"""
LIMITS: Final = {"limits": {"orders_max": 77}, "reason": "as agreed"}
# Every operation that needs a second person, with a request that would pass.
GUARDED: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "trading.set_account_limits": ("PUT", "/accounts/demo/limits", LIMITS),
    "risk.set_limits": ("PUT", "/risk/limits", LIMITS),
    "fix.set_sequence": (
        "POST",
        "/fix/sessions/sequence",
        {"session": SESSION, "next_out": 9, "next_in": 8, "reason": "as agreed"},
    ),
    "identity.set_roles": (
        "PUT",
        "/users/tim/roles",
        {"roles": ["risk", "admin"], "reason": "as agreed"},
    ),
    "identity.reset_second_factor": (
        "POST",
        "/users/tim/second-factor/reset",
        {"reason": "as agreed"},
    ),
    "identity.create_service_account": (
        "POST",
        "/service-accounts",
        {"user": "svc-bot", "roles": ["trader"], "reason": "as agreed"},
    ),
    "identity.rotate_signing_key": (
        "POST",
        "/oauth-keys/rotate",
        {"alg": "EdDSA", "reason": "as agreed"},
    ),
    "policy.publish": (
        "PUT",
        "/policy",
        {"modules": {"own.rego": AN_OWN, "own_test.rego": A_TEST}, "note": "as agreed"},
    ),
    "policy.rollback": ("POST", "/policy/rollback", {"version": 0, "note": "as agreed"}),
    "identity.hold_person": (
        "PUT",
        "/users/tim/hold",
        {"until": 1_900_000_000_000_000_000, "reason": "as agreed"},
    ),
    "identity.lift_hold": ("POST", "/users/tim/hold/lift", {"reason": "as agreed"}),
    "partners.define_tier": (
        "PUT",
        "/partner-tiers/gold",
        {"requests_per_s": 100, "burst": 200},
    ),
    "partners.set_tier": ("PUT", "/partners/demo", {"tier": "gold"}),
    "identity.erase_person": ("POST", "/users/tim/erasure", {"reason": "as agreed"}),
    "kyc.clear_hit": (
        "POST",
        f"/kyc/cases/CASE/hits/hit_{sha256(b'demo/demo-1').hexdigest()[:16]}/clear",
        {"basis": "birth_date"},
    ),
    "tiers.publish": ("POST", "/tiers/agreed/versions/1/publish", {"note": "as agreed"}),
    "kyc.publish_questionnaire": (
        "PUT",
        "/risk-assessment/questionnaire",
        msgspec.to_builtins(BUILT_IN),
    ),
    "purchases.refund": ("POST", "/purchases/PURCHASE/refund", {"reason": "as agreed"}),
    "purchases.submit_evidence": ("POST", "/disputes/DISPUTE/evidence", {"text": "as agreed"}),
}
# Who lacks the scope, the account or the tenant for a second opinion about it.
UNFIT: Final = {
    "trading.set_account_limits": ("tim/first", "kim/first", "zed/first"),
    "risk.set_limits": ("tim/first", "sue/first", "zed/first"),
    "fix.set_sequence": ("tim/first", "sue/first", "zed/first"),
    "identity.set_roles": ("tim/first", "sue/first", "zed/first"),
    "identity.reset_second_factor": ("tim/first", "sue/first", "zed/first"),
    "identity.create_service_account": ("tim/first", "sue/first", "zed/first"),
    "identity.rotate_signing_key": ("tim/first", "sue/first", "zed/first"),
    "policy.publish": ("tim/first", "sue/first", "zed/first"),
    "policy.rollback": ("tim/first", "sue/first", "zed/first"),
    "identity.hold_person": ("tim/first", "sue/first", "zed/first"),
    "identity.lift_hold": ("tim/first", "sue/first", "zed/first"),
    "partners.define_tier": ("tim/first", "sue/first", "zed/first"),
    "partners.set_tier": ("tim/first", "sue/first", "zed/first"),
    "identity.erase_person": ("tim/first", "sue/first", "zed/first"),
    "tiers.publish": ("tim/first", "sue/first", "zed/first"),
    "kyc.clear_hit": ("tim/first", "kim/first", "zed/first"),
    "kyc.publish_questionnaire": ("tim/first", "kim/first", "zed/first"),
    "purchases.refund": ("tim/first", "sue/first", "zed/first"),
    "purchases.submit_evidence": ("tim/first", "sue/first", "zed/first"),
}


def a_purchase(running: Running, button: str = "pay", state: str = "completed") -> str:
    """One that is paid; or disputed."""
    client = running.client()
    purchase = client.ask("POST", "/api/purchases", {"tier": "two-step-100k"}).body
    name, page = purchase["purchase_id"], purchase["checkout_url"].removeprefix(running.url)
    assert client.ask("POST", page, f"button={button}".encode()).status == 303
    deadline = time.monotonic() + 20
    while client.get(f"/api/purchases/{name}")["state"] != state:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return str(name)


def a_dispute(running: Running) -> str:
    """One that may be answered."""
    name, deadline = a_purchase(running, "dispute", "disputed"), time.monotonic() + 20
    while True:
        for each in running.client().get("/api/disputes")["items"]:
            if each["purchase_id"] == name:
                return str(each["dispute"])
        assert time.monotonic() < deadline
        time.sleep(0.05)


def a_case(running: Running) -> str:
    """Of the user `demo`, who calls themselves as a list does."""
    client, path = running.client(), "/api/users/demo/kyc"
    person = {
        "given_name": "Zoltar", "family_name": "Quimbybrandt", "birth_date": "1990-01-01",
        "nationality": "IT", "residence": "IT", "street": "Via Roma 1", "city": "Torino",
    }  # fmt: skip
    profile = {"person": person, "version": 0}
    assert client.ask("PUT", "/api/users/demo/profile", profile).status == 200
    case = client.ask("POST", path, {}).body
    for kind in case["needed"]:
        paper = {"kind": kind, "media_type": "application/pdf", "content": "JVBERi0xLjQK"}
        assert client.ask("POST", f"{path}/documents", paper).status == 200
    found: str = case["case_id"]
    return found


def a_tier(client: Client) -> None:
    """One that lacks nothing but to be published."""
    text = A_TEXT.replace('"mine"', '"agreed"')
    assert client.ask("POST", "/api/tiers", {"text": text}).status == 200
    path = "/api/tiers/agreed/versions/1"
    assert client.ask("POST", f"{path}/simulate", {"paths": 100}).status == 200
    deadline = time.monotonic() + 60
    while (found := client.get(f"{path}/simulation"))["state"] == "running":
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    assert found["state"] == "attached", found


class House:
    """People of the tenant `demo`: ada and bob may set limits and run the house, with two keys
    each; tim trades; kim is confined to another account."""

    def __init__(self, data: Path) -> None:
        (data / "fix.toml").write_text(AGREED)
        self.tokens: dict[str, str] = {}
        for name, roles, accounts in (
            ("ada", ["risk", "admin", "compliance"], None),
            ("bob", ["risk", "admin", "compliance"], None),
            ("tim", ["trader"], None),
            ("sue", ["compliance"], None),
            ("kim", ["risk", "admin"], ["demo2"]),
        ):
            for nth, key in enumerate(("first", "second")):
                made = create_key(data, "demo", name, key, roles if not nth else [], accounts)
                self.tokens[f"{name}/{key}"] = made["token"]
        with contextlib.closing(sqlite3.connect(data / "records.db")) as records, records:
            phone = sealing_at(Files(data)).seal(b"phone", "demo/tim")
            passkey = ("00", "demo", "tim", b"", 0, phone, False, 0)  # a second factor, to be lost
            records.execute(
                "INSERT INTO identity_passkeys (passkey_id, tenant, user, public_key, sign_count, "
                "name, is_copied, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                passkey,
            )
        made = create_key(data, "other", "zed", "first", ["risk", "admin"], None)
        self.tokens["zed/first"] = made["token"]

    def of(self, running: Running, who: str) -> Client:
        return running.client(self.tokens[who])


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Running, Path]]:
    """One house in which also the tenant `demo` is several people."""
    data = tmp_path_factory.mktemp("strict")
    people = House(data)
    with house(data, options=["--set", "four_eyes=strict"], log=data / "log") as running:
        yield people, running, data


def decide(client: Client, what: str, approval_id: str) -> Reply:
    path = f"/api/approvals/{approval_id}/{what}"
    return client.ask("POST", path, {"reason": "looked at it"})


def limits_of(client: Client) -> Any:
    return client.get("/api/risk/limits?account_id=demo")


def test_no_door_lets_one_person_do_both_halves(
    strict: tuple[House, Running, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    people, running, _ = strict
    ada, adas = people.of(running, "ada/first"), people.of(running, "ada/second")
    bob = people.of(running, "bob/first")
    stopped = {"session": SESSION, "reason": "for the night"}
    assert ada.ask("POST", "/api/fix/sessions/stop", stopped).status == 200
    document = ada.get("/api/openapi.json")
    guarded = {
        (item["operationId"], path, method)
        for path, items in document["paths"].items()
        for method, item in items.items()
        if "202" in item["responses"]
    }
    assert {name for name, _, _ in guarded} == set(GUARDED)
    before, case_id = limits_of(ada), a_case(running)
    a_tier(ada)
    purchase_id = a_purchase(running)
    dispute = a_dispute(running)
    for name, (method, template, body) in GUARDED.items():
        path = template.replace("CASE", case_id).replace("PURCHASE", purchase_id)
        path = path.replace("DISPUTE", dispute)
        for prefix in ("/api", "/api/v1"):
            held = ada.ask(method, prefix + path, body)
            assert held.status == 202, (name, held.body)
            approval_id = held.body["approval_id"]
            assert held.headers["location"] == f"/api/approvals/{approval_id}"
            for client in (ada, adas):
                for what in ("approve", "reject"):
                    refused = decide(client, what, approval_id)
                    assert (refused.status, refused.body["code"]) == (403, "own_approval")
            for key in ("first", "second"):
                token = people.tokens[f"ada/{key}"]
                said = [approval_id, "--reason", "mine", "--url", running.url, "--token", token]
                assert main(["approvals", "approve", *said]) == 1
                assert "somebody other than ada" in capsys.readouterr().err
            for who in UNFIT[name]:
                refused = decide(people.of(running, who), "approve", approval_id)
                assert refused.status in (403, 404), (who, name, refused.body)
    no_socket_reaches_them(running, people.tokens["ada/first"])
    assert limits_of(ada) == before
    assert ada.get(f"/api/fix/session?session={SESSION}")["next_out"] == 1
    waiting = bob.get("/api/approvals?state=waiting")["items"]
    assert len(waiting) == 2 * len(GUARDED)
    assert all(each["may_decide"] for each in waiting)
    assert not any(each["may_decide"] for each in ada.get("/api/approvals")["items"])


def no_socket_reaches_them(running: Running, token: str) -> None:
    for path in ("/ws/trading", "/ws/market-data"):
        with connect(
            f"ws://127.0.0.1:{running.port}{path}",
            additional_headers={"Authorization": f"Bearer {token}"},
        ) as socket:
            for name, (_, _, body) in GUARDED.items():
                for op in (name, name.partition(".")[2]):
                    socket.send(json.dumps({"op": op, "id": 1, **body}))
                    assert json.loads(socket.recv(timeout=10))["status"] == 422


def test_a_second_person_agrees_and_it_is_done_once_with_its_evidence(
    strict: tuple[House, Running, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    people, running, data = strict
    ada, bob = people.of(running, "ada/first"), people.of(running, "bob/first")
    method, path, body = GUARDED["trading.set_account_limits"]
    held = ada.ask(method, f"/api{path}", body, headers={"Idempotency-Key": "k1"})
    again = ada.ask(method, f"/api{path}", body, headers={"Idempotency-Key": "k1"})
    assert held.body == again.body
    malformed = {**body, "limits": {"orders_max": 1, "position_max": {"NO-SUCH": "1"}}}
    assert ada.ask(method, f"/api{path}", malformed).status == 422, "told to who asks"
    approval_id = held.body["approval_id"]
    where = ["--url", running.url, "--token", people.tokens["bob/second"]]
    assert main(["approvals", "list", *where]) == 0
    listed = capsys.readouterr().out
    assert approval_id in listed
    assert '"orders_max": 77' in listed
    assert main(["approvals", "approve", approval_id, "--reason", "it is right", *where]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["state"], done["how"], done["decided_by"]) == (
        "executed",
        "second",
        "bob/second",
    )
    assert done["result"]["changed"]
    again = decide(bob, "approve", approval_id)
    assert (again.status, again.body["code"]) == (409, "not_waiting")
    shown = ada.get(f"/api/approvals/{approval_id}")
    assert (shown["asked_by"], shown["reason"]) == ("ada/first", "it is right")
    rejected = ada.ask(method, f"/api{path}", body).body["approval_id"]
    assert decide(bob, "reject", rejected).body["state"] == "rejected"
    # What fails when it is done says so, to both.
    started = {"session": SESSION, "reason": "the next day"}
    assert ada.ask("POST", "/api/fix/sessions/start", started).status == 200
    unstopped = ada.ask("POST", "/api/fix/sessions/sequence", GUARDED["fix.set_sequence"][2])
    failed = decide(bob, "approve", unstopped.body["approval_id"]).body
    assert failed["state"] == "failed"
    assert "is not stopped" in failed["error"]
    why = explain(data, str(done["result"]["position"]), as_json=False)
    assert "asked by ada/first, agreed by bob/second (second): it is right" in why


def test_broken_glass_is_loud_ends_and_is_reviewed_by_somebody_else(
    strict: tuple[House, Running, Path],
) -> None:
    people, running, data = strict
    ada, bob = people.of(running, "ada/first"), people.of(running, "bob/first")
    adas = people.of(running, "ada/second")
    method, path, body = GUARDED["trading.set_account_limits"]
    too_long = {"reason": "the desk burns", "minutes": 61}
    assert ada.ask("POST", "/api/approvals/break-glass", too_long).status == 422
    asked = {"reason": "the desk burns", "minutes": 5}
    glass = ada.ask("POST", "/api/approvals/break-glass", asked)
    assert (glass.status, glass.body["is_open"]) == (201, True)
    done = adas.ask(method, f"/api{path}", body)
    assert (done.status, done.body["changed"]) == (200, True)
    assert "glass" in done.headers["fondaco-approval"]
    assert bob.ask(method, f"/api{path}", body).status == 202, "it is hers alone"
    assert "GLASS BROKEN by ada" in json.dumps(running.client().get("/ready"))
    again = ada.ask("POST", "/api/approvals/break-glass", asked)
    assert (again.status, again.body["code"]) == (409, "glass_unreviewed")
    name = glass.body["approval_id"]
    verdict = {"verdict": "justified", "reason": "it burned"}
    for client in (ada, adas):
        own = client.ask("POST", f"/api/approvals/{name}/review", verdict)
        assert (own.status, own.body["code"]) == (403, "own_review")
    reviewed = bob.ask("POST", f"/api/approvals/{name}/review", verdict).body
    assert not reviewed["is_open"]
    assert reviewed["used_for"] == [done.headers["fondaco-approval"].partition(";")[0]]
    assert ada.ask(method, f"/api{path}", body).status == 202, "reviewed glass is no longer open"
    assert "GLASS" not in json.dumps(running.client().get("/ready"))
    assert "GLASS BROKEN by ada/first for 5 min: the desk burns" in (data / "log").read_text()


def test_somebody_asks_in_another_s_name_loudly_for_a_while_and_is_reviewed(
    strict: tuple[House, Running, Path],
) -> None:
    people, running, _ = strict
    ada, bob, tim = (people.of(running, f"{who}/first") for who in ("ada", "bob", "tim"))
    asked = {"user": "tim", "reason": "he is ill, and his stop must go", "minutes": 5}
    assert tim.ask("POST", "/api/break-glass", {**asked, "user": "ada"}).status == 403
    assert ada.ask("POST", "/api/break-glass", {**asked, "minutes": 61}).status == 422
    assert ada.ask("POST", "/api/break-glass", {**asked, "user": "zed"}).status == 404
    lent = ada.ask("POST", "/api/break-glass", asked)
    assert (lent.status, lent.body["caller"][:9]) == (201, "tim/!ada."), lent.body
    name, as_tim = lent.body["approval_id"], running.client(lent.body["token"])
    who = as_tim.get("/api/session")
    assert (who["user"], who["behind"], who["caller"]) == ("tim", "ada", lent.body["caller"])
    order = {"cl_ord_id": "lent-1", "symbol": "BTC-USD", "side": "buy", "ord_type": "limit"}
    limit = {**order, "order_qty": "0.01", "price": "50000", "account_id": "demo"}
    placed = as_tim.ask("POST", "/api/orders", limit)
    assert placed.status == 201, placed.body
    sue, seen = people.of(running, "sue/first"), []
    for _ in range(50):  # acts are gathered for a second
        seen = sue.get("/api/audit?caller=tim&limit=100")["items"]
        if any(each["operation"] == "trading.place_order" for each in seen):
            break
        time.sleep(0.1)
    done = {(each["operation"], each["caller"]) for each in seen}
    assert {("trading.place_order", who["caller"]), ("identity.session", who["caller"])} <= done
    assert f"GLASS BROKEN by ada/first in the name of tim, {name}" in json.dumps(
        running.client().get("/ready")
    )
    for method, path, body in (  # nothing by which one person could do both halves, or stay
        ("POST", "/api/keys", {"name": "mine"}),
        ("GET", "/api/approvals", None),
        ("POST", f"/api/approvals/{name}/review", {"verdict": "justified", "reason": "mine"}),
        ("POST", "/api/break-glass", {**asked, "user": "bob"}),
        ("GET", "/api/users/sessions", None),
        ("PUT", "/api/users/password", {"old": "x", "new": "y"}),
    ):
        refused = as_tim.ask(method, path, body)
        assert refused.status == 403, (path, refused.body)
    as_bob = {**asked, "user": "bob"}
    again = ada.ask("POST", "/api/break-glass", as_bob)
    assert (again.status, again.body["code"]) == (409, "glass_unreviewed")
    verdict = {"verdict": "justified", "reason": "his stop was moved"}
    own = people.of(running, "ada/second").ask("POST", f"/api/approvals/{name}/review", verdict)
    assert (own.status, own.body["code"]) == (403, "own_review")
    kim = people.of(running, "zed/first")
    assert kim.ask("POST", "/api/break-glass/end", {"approval_id": name}).status == 404
    assert tim.ask("POST", "/api/break-glass/end", {"approval_id": name}).status == 200
    assert as_tim.ask("GET", "/api/session").status == 401, "he has ended it"
    shown = bob.ask("POST", f"/api/approvals/{name}/review", verdict).body
    assert (shown["as_user"], shown["verdict"]) == ("tim", "justified")
    lent = ada.ask("POST", "/api/break-glass", as_bob)
    as_bob_ = running.client(lent.body["token"])
    method, path, body = GUARDED["trading.set_account_limits"]
    assert as_bob_.ask(method, f"/api{path}", body).status == 403, "no half at all"
    name = lent.body["approval_id"]
    assert bob.ask("POST", f"/api/approvals/{name}/review", verdict).status == 200
    assert as_bob_.ask("GET", "/api/session").status == 401, "what is reviewed is over"
    assert "GLASS" not in json.dumps(running.client().get("/ready"))


def test_with_demo_one_person_does_both_halves_and_the_answer_says_so(tmp_path: Path) -> None:
    people = House(tmp_path)
    with house(tmp_path) as running:
        method, path, body = GUARDED["risk.set_limits"]
        done = running.client().ask(method, f"/api{path}", body)
        assert done.status == 200
        assert done.headers["fondaco-approval"].endswith("was started with --demo")
        (case,) = running.client().get("/api/approvals")["items"]
        assert (case["state"], case["how"], case["asked_by"]) == ("executed", "alone", "demo")
        # That is said of the tenant demo alone.
        assert people.of(running, "zed/first").ask(method, f"/api{path}", body).status == 202


class OneRoom:
    """A house without doors: its journal, its people, and the operations of trading."""

    def __init__(self, data: Path) -> None:
        settings = load({"data": str(data)}, {})
        self.kernel = Kernel(settings, Files(data), SyntheticFeed())
        self.records = SqliteStore(data / "records.db")
        cache = MemoryCache(self.kernel.now)
        self.directory = Directory(self.records, cache, self.kernel.now, os.urandom)
        self.authority = Authority(self.kernel, self.directory)
        authorise = self.authority.authorise
        self.desk = ApprovalsDesk(self.kernel, self.directory, lambda _: None, authorise)
        every = trading_api.operations(lambda: self.kernel.refs, decider.decide)
        guarded = {each.name: each for each in self.desk.guarded(every)}
        self.set_limits: Any = guarded["trading.set_account_limits"]

    async def __aenter__(self) -> "OneRoom":
        await self.kernel.start(lambda _: None)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kernel.stop()
        self.records.close()

    def stamp(self, caller: str, key: str) -> Stamp:
        return Stamp(self.kernel.now(), key, caller, "acme", key)

    def times_set(self) -> int:
        entries = self.kernel.journal.read(account_stream(AccountId("a")))
        return sum(isinstance(each.event, LimitsSet) for each in entries)


def test_what_was_agreed_to_is_done_once_though_the_house_died_in_between(tmp_path: Path) -> None:
    body = {"account_id": "a", "limits": {"orders_max": 77}, "reason": "as agreed"}

    async def ask_and_agree() -> None:
        async with OneRoom(tmp_path) as room:
            for user in ("ada", "bob"):
                room.directory.create_user("acme", user, [Role.RISK])
                room.directory.create_key("acme", user, "first")
            opening = OpenAccount(CommandId("open"), room.kernel.now(), "acme", "A")
            await room.kernel.submit(account_stream(AccountId("a")), opening)
            request = msgspec.convert(body, room.set_limits.request)
            held = await room.set_limits.answer(request, room.stamp("ada/first", "k"), room.desk)
            assert held.status == 202
            agreed = Approve(CommandId("agreed"), room.kernel.now(), 1, "bob", "bob/first", "yes")
            await room.kernel.submit(stream_of("acme"), agreed)  # and here it dies
            assert room.times_set() == 0

    async def go_on(*, forgets: bool) -> None:
        async with OneRoom(tmp_path) as room:
            await room.desk.open()
            assert room.times_set() == 1
            (case,) = room.desk._of("acme")
            assert case.state == "executed"
            if forgets:  # that it was done: as if it had died before it could say so
                case.state = "approved"
                await room.desk.tick()
                assert room.times_set() == 1

    asyncio.run(ask_and_agree())
    asyncio.run(go_on(forgets=True))
    asyncio.run(go_on(forgets=False))


def test_what_is_being_done_is_not_done_again_beside_it(tmp_path: Path) -> None:
    """Records know of no entry that they were changed by; and what goes on is looked at each
    second."""

    class Order(msgspec.Struct, frozen=True):
        what: str = ""

    done: list[str] = []

    async def slowly(request: Order, stamp: Stamp, _: Any) -> str:
        done.append(request.what)
        await asyncio.sleep(0.05)
        return f"done {len(done)}"

    engraving: Do[Order, str] = Do(
        name="house.engrave", summary="Cut it in stone.", method="POST", path="/stone",
        request=Order, reply=str, scope="house:write", needs_second=True, source="stone",
        answer=slowly,
    )  # fmt: skip

    async def both() -> None:
        async with OneRoom(tmp_path) as room:
            for user in ("ada", "bob"):
                room.directory.create_user("acme", user, [Role.ADMIN])
                room.directory.create_key("acme", user, "first")
            (guarded,) = room.desk.guarded([engraving])
            asked: Any = guarded
            held = await asked.answer(Order("x"), room.stamp("ada/first", "k"), room.desk)
            assert held.status == 202
            agreed = Approve(CommandId("agreed"), room.kernel.now(), 1, "bob", "bob/first", "yes")
            await room.kernel.submit(stream_of("acme"), agreed)
            (case,) = room.desk._of("acme")
            carried = asyncio.ensure_future(room.desk.carry_out("acme", case))
            await asyncio.gather(room.desk.tick(), room.desk.tick())
            assert await carried == ("done 1", None)
            await room.desk.tick()
            assert done == ["x"]

    asyncio.run(both())


def test_what_a_revoked_key_has_asked_is_not_agreed_to(tmp_path: Path) -> None:
    body = {"account_id": "a", "limits": {"orders_max": 77}, "reason": "as agreed"}

    async def ask() -> None:
        async with OneRoom(tmp_path) as room:
            keys = {}
            for user in ("ada", "bob"):
                room.directory.create_user("acme", user, [Role.RISK])
                keys[user], _ = room.directory.create_key("acme", user, "first")
            opening = OpenAccount(CommandId("open"), room.kernel.now(), "acme", "A")
            await room.kernel.submit(account_stream(AccountId("a")), opening)
            request = msgspec.convert(body, room.set_limits.request)
            await room.set_limits.answer(request, room.stamp("ada/first", "k"), room.desk)
            room.directory.revoke_key("acme", keys["ada"].key_id)
            bob = room.stamp("bob/first", "b")
            with pytest.raises(Denied, match="no longer known"):
                await room.desk.decide(bob, "apr-1", "fine", agrees=True)
            rejected = await room.desk.decide(bob, "apr-1", "stolen", agrees=False)
            assert rejected.state == "rejected"

    asyncio.run(ask())


def test_a_listener_that_takes_itself_off_leaves_nobody_deaf(tmp_path: Path) -> None:
    """What others were told of one commit is told to who stands behind it as well."""
    heard: list[str] = []

    async def told() -> None:
        async with OneRoom(tmp_path) as room:
            listeners = room.kernel.listeners

            def once(entries: Any) -> None:
                heard.append("once")
                listeners.remove(once)

            listeners.insert(0, once)
            listeners.insert(1, lambda entries: heard.append("always"))
            for name in ("a", "b"):
                opening = OpenAccount(CommandId(name), room.kernel.now(), "acme", name)
                await room.kernel.submit(account_stream(AccountId(name)), opening)

    asyncio.run(told())
    assert heard[:2] == ["once", "always"]
    assert heard.count("once") == 1
