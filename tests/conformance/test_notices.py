"""The promises of the notices port, against every way of carrying one: SMTP with STARTTLS and a
password, a push service, a pager, a folder. All over real sockets."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pytest

from fix.certificates import make_pair
from fondaco.app.outbound import outbound
from fondaco.app.webhooks.sender import Sender
from fondaco.kernel.errors import Invalid
from fondaco.ports.notices import Carrier, Notice
from fondaco.ports.notices.mail import FolderCarrier, Server, SmtpCarrier, server_of
from fondaco.ports.notices.pager import PagerCarrier, pager_of
from fondaco.ports.notices.web_push import (
    Subscription,
    WebPushCarrier,
    b64,
    check,
    private_key_of,
    public_bytes,
)
from fondaco.settings import Settings
from notify.post import PASSWORD, USER, Browser, mail_server
from notify.receiver import receiving

NUMBER: Final = bytes(range(32))
FROM: Final = "Fondaco <house@fondaco.example>"
AT: Final = 1_795_000_000_000_000_000
HTML: Final = "<p>Who &lt;b&gt;was&lt;/b&gt; it?</p>"


def notice(number: int = 1, **more: Any) -> Notice:
    text = "Who <b>was</b> it?\n"
    usual: dict[str, Any] = {"subject": "A new sign-in", "text": text, "html": HTML, "at": AT}
    return Notice(notice_id=f"ntc_{number:028x}", **(usual | more))


class Way(NamedTuple):
    carrier: Carrier
    to: str
    far: Any  # Mailbox, Receiver or a folder
    name: str

    def ids(self) -> list[str]:
        """By which whoever gets it sees what came twice."""
        if self.name == "smtp":
            return [str(each["Message-ID"])[1:].partition("@")[0] for each in self.far.got]
        if self.name == "push":
            return [f"ntc_{each.headers['topic'].removeprefix('ntc_')}" for each in self.far.came]
        if self.name == "pager":
            return [each.said["dedup_key"] for each in self.far.came]
        return [each.stem.partition("-")[2] for each in self.far.iterdir()]

    def fail(self, *, passing: bool) -> None:
        if self.name == "smtp":
            self.far.refusing["*"] = "451 later" if passing else f"550 no {self.to} here"
        else:
            self.far.answer = lambda _: (503 if passing else 400, {}, 0.0)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return make_pair(tmp_path_factory.mktemp("tls"), "mail")


@pytest.fixture
def sender() -> Iterator[Sender]:
    with closing(Sender(outbound(Settings(demo=True)))) as found:
        yield found


@pytest.fixture(params=["smtp", "push", "pager", "folder"])
def way(request: pytest.FixtureRequest, tmp_path: Path, pair: Any, sender: Sender) -> Iterator[Way]:
    name = request.param
    if name == "smtp":
        with mail_server(pair) as box:
            server = Server("127.0.0.1", box.port, "starttls", USER, PASSWORD, str(pair[0]))
            carrier = SmtpCarrier(server, FROM, time.monotonic_ns, 5.0)
            yield Way(carrier, "ada@example.com", box, name)
    elif name == "folder":
        folder = tmp_path / "mail"
        yield Way(FolderCarrier(folder, FROM), "ada@example.com", folder, name)
    else:
        with receiving() as far:
            if name == "push":
                browser = Browser()
                to = msgspec.json.encode(browser.subscription(far.url)).decode()
                push = WebPushCarrier(
                    sender.post, NUMBER, "mailto:a@b.example", lambda: AT // 10**9
                )
                yield Way(push, to, far, name)
            else:
                pager = pager_of(f"pagerduty+http://:key-1@127.0.0.1:{far.port}")
                yield Way(PagerCarrier(sender.post, pager, "house"), "", far, name)


def test_1_what_is_carried_again_has_the_same_id(way: Way) -> None:
    for _ in range(2):
        found = way.carrier.carry(way.to, notice(7))
        assert found.said == ("kept" if way.name == "folder" else "delivered"), found
    ids = way.ids()
    assert set(ids) == {notice(7).notice_id}
    assert len(ids) == (1 if way.name == "folder" else 2)


def test_2_what_may_get_through_later_is_told_apart_from_what_never_will(way: Way) -> None:
    if way.name == "folder":
        way.far.write_text("a file, where a folder should be")
        assert way.carrier.carry(way.to, notice()).said == "again"
        return
    way.fail(passing=True)
    assert way.carrier.carry(way.to, notice()).said == "again"
    way.fail(passing=False)
    never = way.carrier.carry(way.to, notice())
    assert never.said == "refused"
    assert "ada@example.com" not in never.detail, "nobody's address stands in a log"


def test_3_a_place_that_fails_is_left_alone_and_that_is_no_attempt(way: Way) -> None:
    if way.name == "folder":
        return  # a disk is asked again
    way.fail(passing=True)
    found = [way.carrier.carry(way.to, notice(n)) for n in range(6)]
    assert found[0].postponed_s == 0
    assert 0 < found[-1].postponed_s <= 31
    assert found[-1].said == "again"


def test_4_text_is_data(way: Way) -> None:
    nasty = notice(9, subject="x\r\nBcc: eve@evil.example\n\n<script>", severity="critical")
    assert way.carrier.carry(way.to, nasty).said in ("delivered", "kept")
    if way.name == "smtp":
        (message,) = way.far.got
        assert message["Bcc"] is None
        assert message["Subject"] == "x Bcc: eve@evil.example <script>"
        assert message["Auto-Submitted"] == "auto-generated"
        html = message.get_body(("html",))
        assert HTML in html.get_content()
        assert way.far.text().splitlines() == nasty.text.splitlines()
        assert way.far.logins == [USER]
    elif way.name == "folder":
        (path,) = way.far.iterdir()
        assert b"\nBcc:" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("to", ["ada", "a@b@c", "ada@example.com\nBcc: eve@evil.example", ""])
def test_what_is_no_address_is_refused_and_nothing_is_sent(to: str, tmp_path: Path) -> None:
    found = FolderCarrier(tmp_path / "mail", FROM).carry(to, notice())
    assert found.said == "refused"
    assert not (tmp_path / "mail").exists()


def test_a_server_that_offers_no_tls_or_is_somebody_else_gets_no_password(
    pair: Any, tmp_path: Path
) -> None:
    with mail_server() as plain, mail_server(pair) as other:
        for port in (plain.port, other.port):  # the second one's authority is none of ours
            server = Server("127.0.0.1", port, "starttls", USER, PASSWORD)
            found = SmtpCarrier(server, FROM, time.monotonic_ns, 5.0).carry("a@b.example", notice())
            assert found.said == "again"
        assert plain.got == other.got == []
        assert plain.logins == other.logins == []


@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("smtps://mail.example", Server("mail.example", 465, "implicit")),
        ("smtp://u:p%2F1@mail.example", Server("mail.example", 587, "starttls", "u", "p/1")),
        ("smtp://localhost:1025?tls=none", Server("localhost", 1025, "none")),
        ("smtp://mail.example?tls=none", None),
        ("smtp://u:p@localhost?tls=none", None),
        ("smtp://mail.example?tls=maybe", None),
        ("smtp://mail.example?starttls=no", None),
        ("smtp://", None),
        ("smtp://mail.example:x", None),
    ],
)
def test_which_servers_there_may_be(address: str, server: Server | None) -> None:
    if server is None:
        with pytest.raises(Invalid):
            server_of(address)
    else:
        assert server_of(address) == server


def test_a_browser_reads_what_its_push_service_cannot_and_who_is_gone_is_told(
    sender: Sender,
) -> None:
    browser = Browser()
    with receiving() as far:
        to = msgspec.json.encode(browser.subscription(far.url)).decode()
        push = WebPushCarrier(sender.post, NUMBER, "mailto:a@b.example", lambda: AT // 10**9)
        assert push.carry(to, notice(3, is_urgent=True)).said == "delivered"
        (came,) = far.came
        assert browser.read(came) == {
            "id": notice(3).notice_id,
            "title": "A new sign-in",
            "text": notice().text,
            "at": AT // 1_000_000,
            "leads_to": "",
        }
        assert b"sign-in" not in came.body
        assert (came.headers["urgency"], came.headers["ttl"]) == ("high", "86400")
        ours = b64(public_bytes(private_key_of(NUMBER).public_key()))
        claims = browser.claims(came, ours)
        assert claims["aud"] == f"http://127.0.0.1:{far.port}"
        assert 0 < claims["exp"] - AT // 10**9 <= 86_400
        far.answer = lambda _: (410, {}, 0.0)
        gone = push.carry(to, notice(4))
        assert (gone.said, gone.is_gone) == ("refused", True)


@pytest.mark.parametrize(("p256dh", "auth"), [("A" * 87, "A" * 22), (b64(bytes(65)), "AAAA")])
def test_keys_that_encrypt_nothing_are_refused(p256dh: str, auth: str) -> None:
    with pytest.raises(Invalid):
        check(Subscription("https://push.example/1", p256dh, auth))


def test_a_pager_is_woken_and_told_when_it_is_over(sender: Sender) -> None:
    with receiving() as far:
        pager = pager_of(f"pagerduty+http://:key-1@127.0.0.1:{far.port}")
        carrier = PagerCarrier(sender.post, pager, "house")
        began = notice(5, severity="critical", about="check/books")
        assert carrier.carry("", began).said == "delivered"
        over = notice(6, about="check/books", is_over=True)
        assert carrier.carry("", over).said == "delivered"
        first, second = (each.said for each in far.came)
    assert first["routing_key"] == "key-1"
    assert (first["event_action"], second["event_action"]) == ("trigger", "resolve")
    assert first["dedup_key"] == second["dedup_key"] == "check/books"
    assert first["payload"]["severity"] == "critical"
    assert first["payload"]["timestamp"].startswith("2026-11-18T")
    for wrong in ("pagerduty://events.pagerduty.com", "https://:k@x", "pagerduty://:k@"):
        with pytest.raises(Invalid):
            pager_of(wrong)
