"""Who somebody is, at the doors of a running house: from an empty profile to being forgotten."""

import io
import json
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest

from fondaco.app.files import Files
from fondaco.app.machines import open_journal
from fondaco.app.offline import backup, prove, verify
from fondaco.cli import main
from fondaco.domain.identity.kyc.events import CaseEvent
from fondaco.domain.identity.kyc.model import Case
from fondaco.domain.identity.kyc.rules import after
from fondaco.domain.identity.model import IDENTITY_STREAM
from running import Client, Reply, Running, house

PASSWORD: Final = "correct horse battery staple"
PERSON: Final = {
    "given_name": "Wilhelmina",
    "family_name": "Pfefferkornblum",
    "birth_date": "1984-03-09",
    "nationality": "IT",
    "residence": "IT",
    "street": "Via dei Mulini Inventati 77",
    "city": "Montefinto",
    "phone": "+39 000 5550199",
}
EMAIL: Final = "wilhelmina@pfefferkornblum.example"
PASSPORT: Final = b"%PDF-1.7\n" + b"passport of Wilhelmina Pfefferkornblum X1234567\n" * 40
BILL: Final = b"\xff\xd8\xff\xe0" + b"electricity bill, Via dei Mulini Inventati 77\n" * 9
PERSONAL: Final = (
    EMAIL, "Pfefferkornblum", "Mulini Inventati", "Montefinto", "5550199", "X1234567", "1984-03-09",
)  # fmt: skip
HEAD: Final = "id,schema,name,aliases,birth_date,countries,sanctions\n"
ORDER: Final = {"account_id": "demo", "symbol": "BTC-USD", "side": "buy", "ord_type": "limit",
                "order_qty": "0.01", "price": "1000.00"}  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    data = tmp_path_factory.mktemp("kyc") / "house"
    data.mkdir()
    (data / "fondaco.toml").write_text("password_memory_mib = 8\n")
    listed = data.parent / "listed.csv"
    listed.write_text(f"{HEAD}x-1,Person,Vilhelmina Pfeferkornblum,,1931,zz,Invented\n")
    options = ["four_eyes=strict", "kyc_required=demo", f"screening_lists={listed}"]
    said = [word for each in options for word in ("--set", each)]
    with house(data, options=said, log=data.parent / "log") as running:
        yield running, data


def added(running: Running, data: Path, monkeypatch: Any, user: str, *roles: str) -> Client:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    email = EMAIL if user == "wil" else f"{user}@house.example"
    who = ["--data", str(data), "--tenant", "demo", "--user", user, "--email", email]
    named = [word for role in roles for word in ("--role", role)]
    assert main(["user", "add", *who, *named]) == 0
    login = {"tenant": "demo", "user": user, "password": PASSWORD}
    found = running.client("").ask("POST", "/api/users/login", login)
    assert found.status == 200, found.body
    return running.client(found.body["token"])


def put(client: Client, user: str, body: Any, tag: str = "") -> Reply:
    headers = {"If-Match": tag} if tag else {}
    return client.ask("PUT", f"/api/users/{user}/profile", body, headers=headers)


def upload(client: Client, kind: str, media_type: str, content: bytes, **more: Any) -> Reply:
    body = {"kind": kind, "media_type": media_type, "content": b64encode(content).decode(), **more}
    return client.ask("POST", "/api/users/wil/kyc/documents", body)


def order(client: Client, name: str) -> Reply:
    return client.ask("POST", "/api/orders", {**ORDER, "cl_ord_id": name})


def standing(client: Client) -> Any:
    return client.get("/api/users/wil/kyc")


def scanned(folder: Path) -> list[str]:
    """Where something personal stands, in clear, as hexadecimal digits or as base64."""
    found = []
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        for text in PERSONAL:
            raw = text.encode()
            forms = [raw, raw.hex().encode(), *(b64encode(b"\0" * n + raw)[4:-4] for n in range(3))]
            found += [f"{path.relative_to(folder)}: {text}" for each in forms if each in content]
    return found


def test_from_an_empty_profile_to_an_order_and_to_being_forgotten(
    served: tuple[Running, Path], monkeypatch: Any, tmp_path: Path
) -> None:
    running, data = served
    wil = added(running, data, monkeypatch, "wil", "trader")
    cora = added(running, data, monkeypatch, "cora", "compliance")
    carl = added(running, data, monkeypatch, "carl", "compliance")
    refused = order(wil, "w-1")
    assert (refused.status, refused.body["code"]) == (403, "kyc_required")
    assert "given_name" in refused.body["message"]
    a_profile_is_changed_as_it_was_seen(wil)
    a_document_is_what_it_says(wil)
    shown = standing(wil)
    assert shown["state"] == "in_review"
    assert "hit" not in json.dumps(shown), "who is told of it is warned"
    assert "looking at your case" in order(wil, "w-2").body["message"]
    case_id = shown["case_id"]
    a_hit_is_cleared_by_two(wil, cora, carl, case_id)
    done = cora.ask("POST", f"/api/kyc/cases/{case_id}/decide", {"decision": "approve"})
    assert (done.status, done.body["state"]) == (200, "approved"), done.body
    assert order(wil, "w-3").status == 201
    a_list_that_changes_takes_it_back(wil, cora, data, case_id)
    nothing_of_it_is_told_to_keys(wil)
    answers_are_scored_explained_and_scored_anew(wil, cora, carl)
    the_case_is_what_its_events_make_it(cora, data, case_id)
    forgotten(running, data, monkeypatch, tmp_path)


def a_profile_is_changed_as_it_was_seen(wil: Client) -> None:
    first = wil.ask("GET", "/api/users/wil/profile")
    assert (first.headers["etag"], first.body["version"]) == ('"0"', 0)
    empty = wil.ask("POST", "/api/users/wil/kyc", {})
    assert (empty.status, empty.body["code"]) == (422, "kyc_incomplete")
    assert put(wil, "wil", {"person": PERSON}).status == 428
    assert put(wil, "wil", {"person": PERSON}, '"7"').status == 412
    assert put(wil, "wil", {"person": PERSON}, "W/x").status == 422
    assert put(wil, "wil", {"person": {**PERSON, "residence": "UK"}}, '"0"').status == 422
    assert put(wil, "wil", {"person": {**PERSON, "birth_date": "1984-02-30"}}, '"0"').status == 422
    done = put(wil, "wil", {"person": PERSON}, '"0"')
    assert (done.status, done.headers["etag"]) == (200, '"1"'), done.body
    again = put(wil, "wil", {"person": PERSON, "version": 0})
    assert (again.status, again.body["state"]) == (412, {"version": 1})
    assert put(wil, "wil", {"person": PERSON, "version": 1}).body["version"] == 2
    assert wil.ask("POST", "/api/users/wil/kyc", {}).body["needed"] == ["identity", "address"]


def a_document_is_what_it_says(wil: Client) -> None:
    wrong = upload(wil, "identity", "image/png", PASSPORT)
    assert (wrong.status, wrong.body["code"]) == (422, "bad_document")
    old = upload(wil, "identity", "application/pdf", PASSPORT, expires_on="2020-01-01")
    assert (old.status, "has expired" in old.body["message"]) == (422, True)
    whole = {"size": len(PASSPORT), "sha256": sha256(PASSPORT).hexdigest()}
    first = upload(wil, "identity", "application/pdf", PASSPORT[:500], offset=0, **whole)
    assert (first.body["state"], first.body["received"]) == ("more", 500)
    bad = upload(wil, "identity", "application/pdf", PASSPORT[501:] + b"x", offset=500, **whole)
    assert (bad.status, bad.body["code"]) == (422, "bad_document"), "it did not arrive whole"
    last = upload(wil, "identity", "application/pdf", PASSPORT[500:], offset=500, **whole)
    assert (last.body["state"], last.body["needed"]) == ("kept", ["address"]), last.body
    assert upload(wil, "address", "image/jpeg", BILL).body["kyc_state"] == "in_review"


def a_hit_is_cleared_by_two(wil: Client, cora: Client, carl: Client, case_id: str) -> None:
    path = f"/api/kyc/cases/{case_id}"
    assert wil.ask("GET", path).status == 403
    [line] = cora.get("/api/kyc/cases")["items"]
    assert (line["case_id"], line["open_hits"], line["codes"]) == (case_id, 1, ["hits"])
    assert "Pfefferkornblum" not in json.dumps(line)
    shown = cora.get(path)
    assert (shown["person"]["family_name"], shown["may_decide"]) == ("Pfefferkornblum", True)
    [hit] = shown["hits"]
    assert (hit["name"], hit["topic"]) == ("Vilhelmina Pfeferkornblum", "sanction")
    assert "the birth year differs by 53 years" in hit["why"]
    document = cora.get(f"{path}/documents/{shown['documents'][0]['document_id']}")
    assert b64decode(document["content"]) == PASSPORT
    early = cora.ask("POST", f"{path}/decide", {"decision": "approve"})
    assert (early.status, early.body["code"]) == (409, "hits_open")
    held = cora.ask("POST", f"{path}/hits/{hit['hit_id']}/clear", {"basis": "birth_date"})
    assert held.status == 202
    approve = f"/api/approvals/{held.body['approval_id']}/approve"
    assert cora.ask("POST", approve, {"reason": "I say so"}).body["code"] == "own_approval"
    assert cora.get(path)["hits"][0]["basis"] == ""
    assert carl.ask("POST", approve, {"reason": "so do I"}).body["state"] == "executed"
    assert cora.get(path)["case"]["open_hits"] == 0


def a_list_that_changes_takes_it_back(wil: Client, cora: Client, data: Path, case_id: str) -> None:
    listed = data.parent / "listed.csv"
    told = listed.read_text()
    listed.write_text(f"{told}x-2,Person,PFEFFERKORNBLUM Wilhelmina,,1984,it,Invented\n")
    found = cora.ask("POST", "/api/kyc/rescreen", {}).body
    assert found == {"screened": 1, "reopened": 1, "lists_changed": True}
    assert (standing(wil)["state"], order(wil, "w-4").status) == ("in_review", 403)
    shown = cora.get(f"/api/kyc/cases/{case_id}")["hits"]
    hits = {each["entry_id"]: each["basis"] for each in shown}
    assert hits == {"x-1": "birth_date", "x-2": ""}, "what was cleared stays so"
    cancel = wil.ask("DELETE", "/api/orders?account_id=demo")
    assert cancel.status == 200, "what takes back is not refused"


def nothing_of_it_is_told_to_keys(wil: Client) -> None:
    made = wil.ask("POST", "/api/keys", {"name": "bot", "scopes": ["orders:write"]}).body["token"]
    key = Client(wil._http.port, made)
    for path in ("profile", "kyc", "risk-assessment"):
        assert key.ask("GET", f"/api/users/wil/{path}").status == 403
    assert order(key, "k-1").body["code"] == "kyc_required"


def answers_are_scored_explained_and_scored_anew(wil: Client, cora: Client, carl: Client) -> None:
    path, asked = "/api/users/wil/risk-assessment", "/api/risk-assessment/questionnaire"
    assert wil.get(path)["state"] == "none"
    first = wil.get(asked)
    answers = {each["question"]: each["choices"][-1]["choice"] for each in first["questions"]}
    lacking = wil.ask("POST", path, {"answers": {"horizon": "after_7y"}})
    assert (lacking.status, "loss_bearable" in lacking.body["message"]) == (422, True)
    bold = wil.ask("POST", path, {"answers": answers}).body
    assert (bold["profile"], bold["score"], bold["before"]) == ("dynamic", bold["score_max"], None)
    capped = wil.ask("POST", path, {"answers": {**answers, "horizon": "within_1y"}}).body
    assert (capped["profile"], capped["by_points"]) == ("cautious", "dynamic")
    assert capped["before"] == {"profile": "dynamic", "score": bold["score"]}
    assert sum(each["points"] for each in capped["explained"]) == capped["score"]
    assert "Within a year" in capped["caps"][0]
    milder = {"questions": first["questions"][1:], "bands": first["bands"]}
    published(cora, carl, asked, milder)
    anew = wil.get(path)
    assert (anew["profile"], anew["questionnaire"], anew["state"]) == ("dynamic", 1, "current")
    more = {"question": "more", "text": "And?", "choices": first["questions"][0]["choices"]}
    published(cora, carl, asked, {**milder, "questions": [*milder["questions"], more]})
    assert (wil.get(path)["state"], wil.get(path)["profile"]) == ("answer_again", "dynamic")


def published(cora: Client, carl: Client, path: str, asked: Any) -> None:
    wrong = {**asked, "bands": asked["bands"][:1] * 2}
    assert cora.ask("PUT", path, wrong).status == 422, "before anybody is asked to agree"
    held = cora.ask("PUT", path, asked)
    assert held.status == 202, held.body
    approve = f"/api/approvals/{held.body['approval_id']}/approve"
    assert carl.ask("POST", approve, {"reason": "better so"}).body["state"] == "executed"


def the_case_is_what_its_events_make_it(cora: Client, data: Path, case_id: str) -> None:
    line = cora.get("/api/kyc/cases?state=all")["items"][0]
    deadline, case, kinds = time.monotonic() + 30, Case(), list[str]()
    wanted = ("in_review", 2, 1)  # what is kept is told to the journal a moment later
    while (case.state, case.hits, case.open_hits) != wanted and time.monotonic() < deadline:
        time.sleep(0.1)
        case, kinds = Case(), []
        with closing(open_journal(Files(data))) as journal:
            for entry in journal.read(IDENTITY_STREAM):
                kinds.append(type(entry.event).__name__)
                if isinstance(entry.event, CaseEvent) and entry.event.case_id == case_id:
                    case = after(case, entry.event)
    assert case.case_id == case_id, kinds
    assert (case.state, case.hits, case.open_hits, case.documents) == ("in_review", 2, 1, 2)
    assert (line["hits"], line["open_hits"], line["documents"]) == (2, 1, 2)


def forgotten(running: Running, data: Path, monkeypatch: Any, tmp_path: Path) -> None:
    files = Files(data)
    root = added(running, data, monkeypatch, "root", "admin")
    reba = added(running, data, monkeypatch, "reba", "admin")
    found = scanned(data)
    assert found, "messages to her address say it"
    assert [each for each in found if not each.startswith("mail/")] == [], "before, too"
    backup(files, tmp_path / "before")
    position = json.loads(prove(files, 2, 0))["size"]
    proof = prove(files, position, position)
    held = root.ask("POST", "/api/users/wil/erasure", {"reason": "asked for it"})
    approve = f"/api/approvals/{held.body['approval_id']}/approve"
    done = reba.ask("POST", approve, {"reason": "so they did"}).body["result"]
    assert done["state"] == "done", done
    assert [*scanned(data), *scanned(tmp_path / "before")] == []
    assert prove(files, position, position) == proof
    assert verify(files)["wrong"] == []
