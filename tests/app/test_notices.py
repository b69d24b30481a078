"""Notices of a whole house: by mail, push, pager and inbox, chosen, tested, and in the log; and
what a house does that has no mail server."""

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from fondaco import cli
from notify.post import Browser, Mailbox, mail_server
from notify.receiver import Receiver, receiving
from running import Client, Running, house

PASSWORD: Final = "correct horse battery staple"
LOW: Final = "password_memory_mib = 8\n"


class Told(NamedTuple):
    running: Running
    data: Path
    box: Mailbox
    pager: Receiver

    def signed_in(self, user: str, password: str = PASSWORD) -> Client:
        asked = {"tenant": "demo", "user": user, "password": password}
        found = self.running.client("").ask("POST", "/api/users/login", asked)
        assert found.status == 200, found.body
        return self.running.client(found.body["token"])


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    data = tmp_path_factory.mktemp("notices")
    with mail_server() as box, receiving() as pager:
        where = f'mail_server = "smtp://127.0.0.1:{box.port}?tls=none"\n'
        page = f'pager = "pagerduty+http://:key-1@127.0.0.1:{pager.port}"\n'
        (data / "fondaco.toml").write_text(LOW + where + page)
        with house(data) as running:
            yield Told(running, data, box, pager)


def until(holds: Callable[[], Any], within_s: float = 30.0) -> Any:
    end = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)
    return found


def subjects(box: Mailbox, to: str) -> list[str]:
    return [str(each["Subject"]) for each in box.got if to in str(each["To"])]


def test_a_person_hears_of_their_account_by_mail_and_in_the_inbox(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"tenant": "demo", "user": "ada", "password": PASSWORD, "name": "Ada"}
    asked["email"] = "ada@example.com"
    assert told.running.client("").ask("POST", "/api/users/register", asked).status == 200
    until(lambda: subjects(told.box, "ada@") == ["Your code"])
    code = told.box.text().partition("--code ")[2].split()[0]
    verify = {"tenant": "demo", "user": "ada", "code": code}
    assert told.running.client("").ask("POST", "/api/users/verify", verify).status == 200
    told.signed_in("ada")
    ada = told.signed_in("ada")  # from nothing that was seen before
    until(lambda: "New sign-in to ada" in subjects(told.box, "ada@"))
    change = {"old": PASSWORD, "new": f"{PASSWORD} 2"}
    assert ada.ask("PUT", "/api/users/password", change).status == 200
    until(lambda: "The password of ada was changed" in subjects(told.box, "ada@"))
    inbox = ada.get("/api/notifications")
    assert [each["kind"] for each in inbox["items"]] == [
        "security.password_changed",
        "security.new_device",
    ]
    assert inbox["unseen"] == 2
    first = inbox["items"][0]
    assert "ada@example.com" not in str(inbox)
    assert "the page Access" not in first["text"]
    assert first["leads_to"] == "you"
    up_to = {"up_to": first["number"]}
    assert ada.ask("POST", "/api/notifications/seen", up_to).body == {"unseen": 0}
    lines = ada.get("/api/notifications/deliveries")["items"]
    assert {(each["way"], each["state"]) for each in lines} == {
        ("inbox", "delivered"),
        ("email", "delivered"),
    }
    ids = {str(each["Message-ID"])[1:].partition("@")[0] for each in told.box.got}
    assert {each["notice_id"] for each in lines} < ids
    monkeypatch.setattr("sys.stdin", io.StringIO())  # a code lies nowhere once it was sent
    assert code.encode() not in (told.data / "notices.db").read_bytes()


def test_a_browser_that_asked_is_told_of_a_fill_and_so_is_nobody_else(told: Told) -> None:
    demo, browser = told.running.client(), Browser()
    chosen = {"ways": {"orders": ["push", "inbox"]}, "accounts": ["demo"]}
    shown = demo.ask("PUT", "/api/notifications/preferences", chosen).body
    with receiving() as service:
        sub = demo.ask("POST", "/api/notifications/push", browser.subscription(service.url))
        assert sub.status == 201, sub.body
        time.sleep(2.5)  # a change of records is seen within two seconds
        order = {
            "account_id": "demo", "cl_ord_id": "n-1", "symbol": "BTC-USD", "side": "buy",
            "ord_type": "market", "order_qty": "0.001", "time_in_force": "ioc",
        }  # fmt: skip
        assert demo.ask("POST", "/api/orders", order).status == 201
        service.until(lambda: bool(service.came))
        (came,) = service.came
        said = browser.read(came)
        assert said["title"].startswith("buy 0.001 BTC-USD filled at ")
        assert said["leads_to"].startswith("order/demo.")
        assert browser.claims(came, shown["push_key"])["sub"] == "mailto:fondaco@localhost"
        assert came.headers["topic"] == said["id"]
        until(lambda: demo.get("/api/notifications")["items"][0]["notice_id"] == said["id"])
        path = f"/api/notifications/push/{sub.body['subscription_id']}"
        assert demo.ask("DELETE", path).status == 200
        assert demo.ask("DELETE", path).status == 404
    assert not [each for each in told.box.got if "filled" in str(each["Subject"])]


def test_the_pager_hears_of_the_kill_switch_and_a_test_says_what_came_of_it(
    told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = told.running.client()
    for path, action in (("kill", "trigger"), ("unkill", "resolve")):
        reply = demo.ask("POST", f"/api/risk/{path}", {"reason": "a drill"})
        assert reply.status < 300, reply.body
        wanted = action
        until(lambda: wanted in [each.said["event_action"] for each in told.pager.came])  # noqa: B023
    for way in ("email", "pager", "inbox"):
        assert cli.main(["notify", "test", "--url", told.running.url, "--way", way]) == 0
    said = capsys.readouterr().out
    assert "email  demo test: delivered" in said
    assert "pager  demo test: delivered, answered 202" in said or "answered 204" in said
    assert subjects(told.box, "demo@")[-1] == "A test from Fondaco"
    assert cli.main(["notify", "log", "--url", told.running.url, "--everybody"]) == 0
    assert "test: delivered" in capsys.readouterr().out


def test_what_is_asked_wrongly_is_told_so(told: Told) -> None:
    demo = told.running.client()
    for method, path, body, status, code in (
        ("PUT", "preferences", {"ways": {"security": []}}, 422, "way_needed"),
        ("PUT", "preferences", {"ways": {"security": ["pager"]}}, 422, "invalid"),
        ("PUT", "preferences", {"accounts": ["nobodys"]}, 404, "not_found"),
        ("POST", "push", Browser().subscription("http://10.1.2.3/"), 422, "invalid"),
        ("POST", "test", {"way": "push"}, 409, "conflict"),
        ("POST", "test", {"way": "smoke"}, 422, "invalid"),
    ):
        found = demo.ask(method, f"/api/notifications/{path}", body)
        assert (found.status, found.body["code"]) == (status, code), found.body
    stranger = told.running.client("")
    assert stranger.ask("GET", "/api/notifications").status == 401
    ada = told.signed_in("ada", f"{PASSWORD} 2")
    asked = ada.ask("GET", "/api/notifications/deliveries?everybody=true")
    assert asked.status == 403
    assert ada.ask("POST", "/api/notifications/test", {"way": "pager"}).status == 403


def test_without_a_mail_server_mails_are_kept_and_the_log_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with house(tmp_path / "data") as running:
        assert cli.main(["notify", "test", "--url", running.url]) == 0
        said = capsys.readouterr().out
        assert "kept, no mail server configured: mail/" in said
        (mail,) = (tmp_path / "data" / "mail").glob("*.eml")
        assert mail.name in said
        assert b"Subject: A test from Fondaco" in mail.read_bytes()
        preferences = running.client().get("/api/notifications/preferences")
        assert (preferences["mail"], preferences["email"]) == ("folder", "demo@localhost")
