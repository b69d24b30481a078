"""What sessions may agree on beyond the public scripts, in scripts of the same form.

`|` stands for SOH. Each runs against an acceptor of its own, whose terms and numbers it names. The
cases are those of the extra suites that the QuickFIX family of engines has for these settings.
"""

import asyncio
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from conformance.fix.runner import perform, read_formats
from fondaco.app.clock import Clock
from fondaco.app.fix.echo import Echo
from fondaco.app.listening import bind
from fondaco.domain.fix.api import Checking, Law, SentInMemory, SessionId, Terms
from fondaco.gateway.fix.acceptor import Acceptor
from fondaco.gateway.fix.line import Line
from fondaco.gateway.fix.switchboard import Agreement, Switchboard

FORMATS: Final = read_formats(Path(__file__).parent / "fix" / "fields.fmt")
LOGON: Final = """\
iCONNECT
I8=FIX.4.4|35=A|34=1|49=TW|52=<TIME>|56=ISLD|98=0|108=30|
E8=FIX.4.4|35=A|34=1|49=ISLD|52=00000000-00:00:00.000|56=TW|98=0|108=30|
"""
ORDER: Final = "11=ID|21=3|38=100|40=1|54=1|55=INTC|60=20260102-10:11:12|"


def says(what: str, version: str = "FIX.4.4") -> str:
    """`35=…|34=…` and what follows, from them."""
    return _line("I", what, version, "49=TW|52=<TIME>|56=ISLD|")


def hears(what: str, version: str = "FIX.4.4") -> str:
    return _line("E", what, version, "49=ISLD|52=00000000-00:00:00.000|56=TW|")


def _line(sign: str, what: str, version: str, names: str) -> str:
    """`~` is where CompIDs and time stand, if not behind the number."""
    if "~" not in what:
        kind, number, rest = what.split("|", 2)
        what = f"{kind}|{number}|~{rest}"
    return f"{sign}8={version}|{what.replace('~', names)}\n"


def ends(theirs: int, ours: int, more: str = "", version: str = "FIX.4.4") -> str:
    said = says(f"35=5|34={theirs}|", version) + hears(f"35=5|34={ours}|{more}", version)
    return said + "eDISCONNECT\n"


class Script(NamedTuple):
    terms: dict[str, Any]
    text: str
    numbers: tuple[int, int] = (1, 1)  # that we send and expect next
    version: str = "FIX.4.4"
    appl: str = ""


SCRIPTS: Final[dict[str, Script]] = {
    "a gap is asked for in parts, each when the one before has come": Script(
        {"resend_chunk": 3},
        LOGON
        + says("35=1|34=10|112=later|")
        + hears("35=2|34=2|7=2|16=4|")
        + says("35=1|34=11|112=last|")
        + "".join(says(f"35=0|34={n}|43=Y|~122=<TIME>|") for n in (2, 3, 4))
        + hears("35=2|34=3|7=5|16=7|")
        + says("35=4|34=5|43=Y|~122=<TIME>|36=8|123=Y|")
        + hears("35=2|34=4|7=8|16=0|")
        + says("35=4|34=8|43=Y|~122=<TIME>|36=10|123=Y|")
        + hears("35=0|34=5|112=later|")
        + hears("35=0|34=6|112=last|")
        + ends(12, 7),
    ),
    "a gap fill that ends at the last number of a part has done it": Script(
        {"resend_chunk": 5},
        LOGON
        + says("35=0|34=15|")
        + hears("35=2|34=2|7=2|16=6|")
        + says("35=4|34=2|36=6|123=Y|")
        + hears("35=2|34=3|7=6|16=10|")
        + says("35=4|34=6|36=10|123=Y|")
        + hears("35=2|34=4|7=10|16=0|")
        + says("35=4|34=10|36=15|123=Y|")
        + says("35=1|34=16|112=TEST|")
        + hears("35=0|34=5|112=TEST|")
        + ends(17, 6),
    ),
    "a gap that is filled at once beyond the part is asked for no more": Script(
        {"resend_chunk": 2},
        LOGON
        + says("35=0|34=9|")
        + hears("35=2|34=2|7=2|16=3|")
        + says("35=4|34=2|36=9|123=Y|")
        + says("35=1|34=10|112=TEST|")
        + hears("35=0|34=3|112=TEST|")
        + ends(11, 4),
    ),
    "every message says which one was processed last": Script(
        {"last_processed": True},
        LOGON.replace("|56=TW|98=0", "|56=TW|369=1|98=0")
        + says("35=1|34=2|112=x|")
        + hears("35=0|34=2|~369=2|112=x|")
        + says(f"35=D|34=3|{ORDER}")
        + hears(f"35=D|34=3|~369=3|{ORDER}")
        + says("35=H|34=4|11=ID|54=1|55=INTC|")
        + hears("35=j|34=4|~369=4|45=4|58=Unsupported Message Type|372=H|380=3|")
        + says("35=2|34=5|7=1|16=0|")
        + hears("35=4|34=1|43=Y|~122=00000000-00:00:00.000|369=5|36=3|123=Y|")
        + hears(f"35=D|34=3|43=Y|~122=00000000-00:00:00.000|369=5|{ORDER}")
        + hears(
            "35=j|34=4|43=Y|~122=00000000-00:00:00.000|369=5|45=4|58=Unsupported Message Type"
            "|372=H|380=3|"
        )
        + says("35=0|34=8|")
        + hears("35=2|34=5|~369=5|7=6|16=0|")
        + says("35=4|34=6|36=8|123=Y|")
        + ends(9, 6, "").replace("|56=TW|\n", "|56=TW|369=9|\n"),
    ),
    "a Logon says what is expected next, and it is": Script(
        {"next_expected": True, "reset_on_logon": False},
        "iCONNECT\n"
        + says("35=A|34=7|98=0|108=30|789=5|")
        + hears("35=A|34=5|98=0|108=30|789=8|")
        + says("35=1|34=8|112=x|")
        + hears("35=0|34=6|112=x|")
        + ends(9, 7),
        (5, 7),
    ),
    "they expect a number that we have not come to": Script(
        {"next_expected": True, "reset_on_logon": False},
        "iCONNECT\n"
        + says("35=A|34=7|98=0|108=30|789=6|")
        + hears(
            "35=5|34=5|58=Tag 789 (NextExpectedMsgSeqNum) is higher than expected."
            " Expected 5, Received 6|"
        )
        + "eDISCONNECT\n",
        (5, 7),
    ),
    "what they have missed is filled without being asked for, our Logon's place included": Script(
        {"next_expected": True, "reset_on_logon": False},
        "iCONNECT\n"
        + says("35=A|34=7|98=0|108=30|789=2|")
        + hears("35=A|34=5|98=0|108=30|789=8|")
        + hears("35=4|34=2|43=Y|~122=00000000-00:00:00.000|36=6|123=Y|")
        + says("35=1|34=8|112=x|")
        + hears("35=0|34=6|112=x|")
        + ends(9, 7),
        (5, 7),
    ),
    "what we have missed comes without a ResendRequest": Script(
        {"next_expected": True, "reset_on_logon": False},
        "iCONNECT\n"
        + says("35=A|34=9|98=0|108=30|789=5|")
        + hears("35=A|34=5|98=0|108=30|789=7|")
        + says(f"35=D|34=7|43=Y|~122=<TIME>|{ORDER}")
        + hears(f"35=D|34=6|{ORDER}")
        + says("35=4|34=8|43=Y|~122=<TIME>|36=10|123=Y|")
        + says("35=1|34=10|112=x|")
        + hears("35=0|34=7|112=x|")
        + ends(11, 8),
        (5, 7),
    ),
    "both begin anew, and say so": Script(
        {"next_expected": True, "reset_on_logon": False},
        "iCONNECT\n"
        + says("35=A|34=1|98=0|108=30|141=Y|789=1|")
        + hears("35=A|34=1|98=0|108=30|141=Y|789=2|")
        + ends(2, 2),
        (5, 7),
    ),
    "without that agreement 789 is passed over, and a gap is asked for": Script(
        {"reset_on_logon": False},
        "iCONNECT\n"
        + says("35=A|34=9|98=0|108=30|789=2|")
        + hears("35=A|34=5|98=0|108=30|")
        + hears("35=2|34=6|7=7|16=0|")
        + says("35=4|34=7|36=10|123=Y|")
        + ends(10, 7),
        (5, 7),
    ),
    "too many messages in a second are refused, and counted": Script(
        {"receive_max_per_s": 2},
        LOGON
        + says("35=1|34=2|112=x|")
        + hears("35=0|34=2|112=x|")
        + "".join(says(f"35=D|34={n}|{ORDER}") + hears(f"35=D|34={n}|{ORDER}") for n in (3, 4))
        + says(f"35=D|34=5|{ORDER}")
        + hears("35=j|34=5|45=5|58=more than 2 messages in a second|372=D|380=8|")
        + says("35=1|34=6|112=y|")
        + hears("35=0|34=6|112=y|")
        + ends(7, 7),
    ),
    "what is not kept is filled as one gap": Script(
        {"keeps_messages": False},
        LOGON
        + says(f"35=D|34=2|{ORDER}")
        + hears(f"35=D|34=2|{ORDER}")
        + says("35=2|34=3|7=1|16=0|")
        + hears("35=4|34=1|43=Y|~122=00000000-00:00:00.000|36=3|123=Y|")
        + ends(4, 3),
    ),
    "an order that may have come before is taken once": Script(
        {},
        LOGON
        + says(f"35=D|34=2|~97=Y|{ORDER}")
        + hears(f"35=D|34=2|~97=Y|{ORDER}")
        + says(f"35=D|34=3|~97=Y|{ORDER}")
        + says("35=1|34=4|112=x|")
        + hears("35=0|34=3|112=x|")
        + ends(5, 4),
    ),
    "a Logon over FIXT without a version is hung up on": Script(
        {},
        "iCONNECT\n" + says("35=A|34=1|98=0|108=30|", "FIXT.1.1") + "eDISCONNECT\n",
        version="FIXT.1.1",
        appl="9",
    ),
    "a Logon over FIXT names a version that nobody has": Script(
        {},
        "iCONNECT\n" + says("35=A|34=1|98=0|108=30|1137=99|", "FIXT.1.1") + "eDISCONNECT\n",
        version="FIXT.1.1",
        appl="9",
    ),
    "they may speak another version than we, and another in one message": Script(
        {},
        "iCONNECT\n"
        + says("35=A|34=1|98=0|108=30|1137=6|", "FIXT.1.1")
        + hears("35=A|34=1|98=0|108=30|1137=9|", "FIXT.1.1")
        # FIX 4.4 has no MatchIncrement; 5.0 SP2 has
        + says(f"35=D|34=2|{ORDER}1089=1|", "FIXT.1.1")
        + hears(
            "35=3|34=2|45=2|58=Invalid tag number|371=1089|372=D|373=0|",
            "FIXT.1.1",
        )
        + says(f"35=D|34=3|~1128=9|{ORDER}1089=1|", "FIXT.1.1")
        + hears(f"35=D|34=3|~1128=9|{ORDER}1089=1|", "FIXT.1.1")
        + ends(4, 4, version="FIXT.1.1"),
        version="FIXT.1.1",
        appl="9",
    ),
}


async def performed(script: Script) -> None:
    name = SessionId(script.version, "ISLD", "TW")
    more = {"reset_on_logon": True, **script.terms}
    terms = Terms(id=name, default_appl_ver_id=script.appl, **more)

    def line(agreement: Agreement) -> Line:
        checking = Checking(terms)
        law = Law(terms, SentInMemory(), check=checking)
        law.next_out, law.next_in = script.numbers
        return Line(law, Echo(terms, checking), Clock())

    board = Switchboard(line)
    board.add(Agreement(terms=terms))
    acceptor = Acceptor(board)
    with bind("127.0.0.1", 0) as bound:
        await acceptor.listen(bound)
        try:
            text = script.text.replace("|", "\x01").encode()
            await perform(text, bound.getsockname()[1], FORMATS)
        finally:
            await acceptor.close()


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_was_agreed_is_done(name: str) -> None:
    asyncio.run(performed(SCRIPTS[name]))
