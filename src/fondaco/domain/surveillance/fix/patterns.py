"""The thirty patterns, and three of behaviour: their names, and the ATT&CK techniques they show.

Sources: FIX Security White Paper rev. 1.9 (2016), FIXS 1.1, and what engines were hurt by.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from fondaco.domain.surveillance.model import Pattern

_TABLE: Final = (
    ("F01", "Logon brute force", "T1110", "logons that fail, again and again, from one address"),
    ("F02", "CompID enumeration", "T1110.003 T1046", "many CompIDs tried from one address"),
    ("F03", "Credentials in the clear", "T1552 T1040", "a password or signature without TLS"),
    ("F04", "CompID from elsewhere", "T1078 T1036", "a CompID from an address it never had"),
    ("F05", "CompID changes in a session", "T1036", "identity differs from the logon's"),
    ("F06", "Session hijack", "T1557 T1563", "two sessions of one identity, or one that moves"),
    ("F07", "Message outside a session", "T1190", "business before logon or after logout"),
    ("F08", "Sequence jump or rewind", "T1565.002", "MsgSeqNum leaps ahead or comes again"),
    (
        "F09",
        "Unexpected sequence reset",
        "T1070 T1565",
        "numbers set outside a session's start",
    ),
    ("F10", "Resend storm", "T1499", "the same messages are asked for over and over"),
    ("F11", "Replay", "T1557", "an order that was sent before, under a new number"),
    ("F12", "PossDup abuse", "T1565", "a possible duplicate of what was never sent"),
    ("F13", "Field tampering", "T1565.002 T1557", "the order that is confirmed is not that sent"),
    ("F14", "Checksum and length errors", "T1499", "frames that do not add up"),
    ("F15", "Malformed messages", "T1190", "values and counts that try what a parser bears"),
    ("F16", "Tag shadowing", "T1027 T1190", "a message that two parsers read differently"),
    ("F17", "Heartbeat flood", "T1499.002", "heartbeats and test requests by the hundred"),
    ("F18", "Connection flood", "T1499.001", "connections opened and dropped, or left silent"),
    ("F19", "Session squatting", "T1499", "an identity is held while its owner cannot log on"),
    ("F20", "Clock tampering", "T1070.006", "times that cannot be true"),
    ("F21", "Exfiltration in free text", "T1048 T1001", "text fields that carry something else"),
    ("F22", "Unusual hours", "T1078", "logons and orders when there never were any"),
    ("F23", "Novelty", "T1078 T1657", "an account, symbol, side or type that is new here"),
    ("F24", "Fat finger", "T1565", "a size or price far outside what is usual (SEC 15c3-5)"),
    ("F25", "Order burst", "T1499", "orders and cancels far faster than usual"),
    ("F26", "Drop copy abuse", "T1040", "a listener that asks for the whole day again"),
    (
        "F27",
        "Reassembly evasion",
        "T1027",
        "segments that two readers put together differently",
    ),
    ("F28", "Weak TLS", "T1557", "old versions, broken ciphers, bad certificates"),
    ("F29", "Algorithm parameters changed", "T1565", "a strategy with parameters it never had"),
    ("F30", "Mass cancel misuse", "T1489", "everything is canceled, more than once"),
)

_BEHAVIOUR: Final = (
    ("B01", "Unusual behaviour", "T1078", "a line is far from all that its baseline has seen"),
    ("B02", "Behaviour drifts", "T1078", "a line moves away from its baseline, step by step"),
    ("B03", "Anomaly", "T1078", "an isolation forest finds a window unlike the baseline's"),
)


def _patterns(table: Iterable[tuple[str, str, str, str]]) -> Mapping[str, Pattern]:
    return {
        name: Pattern(id=name, title=title, attack=tuple(attack.split()), says=says)
        for name, title, attack, says in table
    }


PATTERNS: Final = _patterns(_TABLE)
BEHAVIOUR: Final = _patterns(_BEHAVIOUR)  # only looked for where there is a baseline
