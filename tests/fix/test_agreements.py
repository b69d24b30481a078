"""The file that says with whom FIX is spoken: what is checked is what was agreed."""

from pathlib import Path

import pytest

from fix.test_dictionary import OWN
from fondaco.app.fix.agreements import Session, read_agreements
from fondaco.domain.fix import encode
from fondaco.domain.fix.api import Message
from fondaco.domain.fix.message import parse
from fondaco.kernel.errors import Invalid

HEADER = [(34, b"2"), (49, b"BROKER"), (52, b"20260102-10:11:12"), (56, b"HOUSE")]


def agreed(folder: Path, more: str) -> Session:
    (folder / "own.xml").write_bytes(OWN)
    (folder / "fix.toml").write_text(
        "[[session]]\nbegin_string = 'FIXT.1.1'\nsender_comp_id = 'HOUSE'\n"
        f"target_comp_id = 'BROKER'\ndefault_appl_ver_id = '9'\n{more}"
    )
    (session,) = read_agreements(folder / "fix.toml", {}).sessions
    return session


def said(msg_type: str, *fields: tuple[int, bytes]) -> Message:
    return parse(encode("FIXT.1.1", [(35, msg_type.encode()), *HEADER, *fields]))


def refused(session: Session, message: Message) -> tuple[int, int | None] | None:
    found = session.checking(session.agreement.terms)(message)
    return None if found is None else (found.reason, found.ref_tag)


def test_a_session_has_a_dictionary_of_its_own(tmp_path: Path) -> None:
    usual, own = agreed(tmp_path, ""), agreed(tmp_path, "dictionary = 'own.xml'\n")
    ping = said("U1", (9001, b"n"))
    assert refused(usual, ping) is not None
    assert refused(own, ping) is None
    assert refused(own, said("U1", (9005, b"1"))) == (1, 9001)
    heartbeat = said("0")
    assert refused(own, heartbeat) is None, "FIXT says what sessions say to each other"


def test_a_session_says_what_messages_are_held_to(tmp_path: Path) -> None:
    order = said("D", (11, b"A"), (55, b"X"), (54, b"1"), (60, b"20260102-10:11:12"), (40, b"1"))
    more = said(
        "D",
        *((11, b"A"), (55, b"X"), (54, b"1"), (60, b"20260102-10:11:12"), (40, b"1")),
        (5_001, b"x"),
    )
    strict, open_ = agreed(tmp_path, ""), agreed(tmp_path, "checks = { user_defined = false }\n")
    assert [refused(each, order) for each in (strict, open_)] == [None, None]
    assert refused(strict, more) is not None
    assert refused(open_, more) is None


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ("dictionary = 'none.xml'\n", r"fix\.toml: dictionary none\.xml cannot be read"),
        ("dictionary = 'fix.toml'\n", r"fix\.toml: "),
        ("checks = { strict = true }\n", "checks has strict, must be of fields_in_order, "),
        ("checks = { have_values = 'no' }\n", r"Expected `bool`"),
    ],
)
def test_what_cannot_be_agreed_is_said_with_its_place(tmp_path: Path, more: str, text: str) -> None:
    with pytest.raises(Invalid, match=text):
        agreed(tmp_path, more)
