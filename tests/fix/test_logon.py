"""What is agreed on at logon, and what is done about gaps: tables, message by message."""

from hashlib import sha256
from typing import Any

import pytest

from fix.link import BEGINS, SECOND, Link, terms
from fondaco.app.fix.agreements import Session
from fondaco.domain.fix.api import (
    Close,
    Framer,
    Law,
    Message,
    Numbers,
    SentInMemory,
    Up,
    Write,
    encode,
    parse,
)
from fondaco.gateway.fix.switchboard import Agreement


def said(acts: Any) -> list[Message]:
    return [parse(act.raw) for act in acts if isinstance(act, Write)]


def logon(number: int = 1, *fields: tuple[int, bytes]) -> bytes:
    body = dict([(98, b"0"), (108, b"30"), *fields])
    head = [(35, b"A"), (34, b"%d" % number), (49, b"BROKER"), (52, b"20260101-00:00:00")]
    return encode("FIX.4.4", [*head, (56, b"HOUSE"), *sorted(body.items())])


def received(law: Law, raw: bytes) -> list[Any]:
    (frame,) = Framer().feed(raw)
    return list(law.received(frame, BEGINS))


def acceptor(numbers: Numbers = Numbers(), **agreed: Any) -> Law:  # noqa: B008  # it is frozen
    law = Law(terms("acceptor", **agreed), SentInMemory(), numbers=numbers)
    list(law.connected(BEGINS))
    return law


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ([(108, b"-1")], "HeartBtInt is -1, must be at least 0"),
        ([(98, b"1")], "EncryptMethod must be 0: use TLS"),
        (
            [(789, b"9")],
            "Tag 789 (NextExpectedMsgSeqNum) is higher than expected. Expected 5, Received 9",
        ),
    ],
)
def test_what_cannot_be_agreed_to_is_answered_with_a_logout(
    fields: list[tuple[int, bytes]], text: str
) -> None:
    law = acceptor(Numbers(5, 1), next_expected=True)
    acts = received(law, logon(1, *fields))
    (answer,) = said(acts)
    assert (answer.msg_type, answer.text(58)) == ("5", text)
    assert isinstance(acts[-1], Close)
    assert not law.is_up


@pytest.mark.parametrize(
    ("username", "password", "let_in"),
    [("me", "secret", True), ("me", "wrong", False), ("you", "secret", False), ("", "", False)],
)
def test_username_and_password(username: str, password: str, let_in: bool) -> None:
    agreed = Session(
        agreement=Agreement(terms=terms("acceptor", username="me")),
        password_sha256=sha256(b"secret").hexdigest(),
    )
    law = Law(agreed.agreement.terms, SentInMemory(), admit=agreed.admit)
    list(law.connected(BEGINS))
    acts = received(law, logon(1, (553, username.encode()), (554, password.encode())))
    assert law.is_up == let_in
    assert any(isinstance(act, Up) for act in acts) == let_in
    (answer,) = said(acts)
    assert answer.msg_type == ("A" if let_in else "5")
    assert answer.text(58) == (None if let_in else "username or password is wrong")


def test_an_initiator_says_who_it_is() -> None:
    law = Law(terms("initiator", username="me", password="secret"), SentInMemory())
    (message,) = said(law.connected(BEGINS))
    assert [message.text(tag) for tag in (35, 98, 108, 553, 554)] == [
        "A",
        "0",
        "30",
        "me",
        "secret",
    ]


def test_a_number_that_is_too_low_at_logon_is_told() -> None:
    (answer,) = said(received(acceptor(Numbers(4, 7)), logon(3)))
    assert answer.text(58) == "MsgSeqNum too low, expecting 7 but received 3"
    assert answer.integer(34) == 4


def test_with_next_expected_nobody_has_to_ask() -> None:
    """NextExpectedMsgSeqNum(789): what the other side lacks is sent behind the Logon."""
    link = Link(next_expected=True)
    for _ in range(3):
        link.ends[0].say(link.now)
        link.ends[1].say(link.now)
    link.settle()
    for end in link.ends:
        assert "2" not in {message.msg_type for message in said(end.acts)}


def test_every_message_says_what_was_received_last() -> None:
    link = Link(last_processed=True)
    link.connect()
    link.carry(0, 999)
    link.carry(1, 999)
    for _ in range(3):
        link.ends[0].say(link.now)
    link.carry(0, 999)
    link.ends[1].say(link.now)
    assert parse(bytes(link.ends[1].wire)).integer(369) == 4


@pytest.mark.parametrize(
    ("chunk", "asked"),
    [(0, [(1, 0)]), (5, [(1, 5), (6, 10), (11, 0)]), (11, [(1, 11), (12, 0)]), (12, [(1, 0)])],
)
def test_a_gap_is_asked_for_in_parts(chunk: int, asked: list[tuple[int, int]]) -> None:
    law = acceptor(resend_chunk=chunk)
    acts = received(law, logon(13))
    assert said(acts)[0].msg_type == "A"
    for number in range(1, 13):
        head = [(35, b"0"), (34, b"%d" % number), (43, b"Y"), (49, b"BROKER")]
        when = [(52, b"20260101-00:00:00"), (56, b"HOUSE"), (122, b"20260101-00:00:00")]
        acts += received(law, encode("FIX.4.4", head + when))
    requests = [(m.integer(7), m.integer(16)) for m in said(acts) if m.msg_type == "2"]
    assert requests == asked
    assert law.next_in == 14


def test_silence_is_asked_about_and_then_ended() -> None:
    law = acceptor()
    received(law, logon(1))
    for second, kinds in ((29, []), (30, ["0"]), (36, ["1"]), (60, []), (71, [])):
        assert [m.msg_type for m in said(law.tick(BEGINS + second * SECOND))] == kinds
        assert law.due() > BEGINS + second * SECOND
    (closed,) = list(law.tick(BEGINS + 72 * SECOND))
    assert isinstance(closed, Close)


def test_more_messages_than_were_agreed_on_are_refused_until_the_next_second() -> None:
    law = acceptor(receive_max_per_s=2)
    received(law, logon(1))

    def order(number: int) -> list[Any]:
        head = [(35, b"D"), (34, b"%d" % number), (49, b"BROKER"), (52, b"20260101-00:00:00")]
        return received(law, encode("FIX.4.4", [*head, (56, b"HOUSE"), (11, b"a")]))

    kinds = [type(act).__name__ for number in (2, 3, 4) for act in order(number)]
    assert kinds == ["Deliver", "Deliver", "Write"]
    assert law.next_in == 5


def test_nothing_is_sent_again_before_it_was_sent_first() -> None:
    """Others refuse a SendingTime before its OrigSendingTime (373=10), and log out."""
    law = acceptor()
    received(law, logon(1))
    list(law.send("8", [(37, b"o1")], BEGINS + 2 * SECOND))
    head = [(35, b"2"), (34, b"2"), (49, b"BROKER"), (52, b"20260101-00:00:01"), (56, b"HOUSE")]
    (frame,) = Framer().feed(encode("FIX.4.4", [*head, (7, b"1"), (16, b"0")]))
    again = said(law.received(frame, BEGINS + SECOND))[-1]
    assert (again.msg_type, again.get(43)) == ("8", b"Y")
    assert again.timestamp(52) == again.timestamp(122) == BEGINS + 2 * SECOND
