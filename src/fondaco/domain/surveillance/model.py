"""Nouns of surveillance: patterns, alerts, and the evidence that stands behind them."""

from enum import IntEnum

import msgspec


class Severity(IntEnum):
    """LOW is worth knowing, MEDIUM worth a look today, HIGH now, CRITICAL before anything else."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


class Pattern(msgspec.Struct, frozen=True):
    """What a detector looks for. `attack` are techniques of MITRE ATT&CK."""

    id: str
    title: str
    attack: tuple[str, ...]
    says: str


class Evidence(msgspec.Struct, frozen=True):
    """One message or packet that proves an alert: where it lies, and what it says without secrets.

    `offset` is in bytes of `file`; `sha256` is of the exact bytes, which may hold secrets.
    """

    file: str
    offset: int
    at: int
    connection: str
    sender: str
    seq: int
    msg_type: str
    text: str
    sha256: str


class Alert(msgspec.Struct):
    """Something found, once for each subject and reason; `count` says how often it came again.

    Times are nanoseconds since 1970 by the capture's clock; `number` is 1 for the first alert of
    whoever found it, and stays when the alert counts up or becomes more severe. `key` tells apart
    what one pattern finds of one subject.
    """

    pattern: str
    title: str
    attack: tuple[str, ...]
    severity: Severity
    subject: str
    reason: str
    first_at: int
    last_at: int
    count: int
    evidence: list[Evidence]
    number: int = 0
    key: str = ""
