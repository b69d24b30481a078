"""The hook of other programs: what they say is kept, looked at, and told."""

import logging
import queue
from pathlib import Path

import pytest

from fondaco.app.fix.audit import audit
from fondaco.app.fix.hook import FromLogging, Hook, octets_of
from fondaco.domain.fix.capture.writing import fix
from fondaco.domain.surveillance.api import Alert
from fondaco.kernel.errors import Invalid

WAIT_S = 30


class Said:
    """As engines hand messages out: SWIG objects with toString."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def toString(self) -> str:  # noqa: N802 - the engine's name
        return self._raw.decode("latin-1")


def message(seq: int, kind: bytes, ours: bool, *more: tuple[int, bytes]) -> bytes:
    ends = (b"VENUE", b"BUYER") if ours else (b"BUYER", b"VENUE")
    return fix("FIX.4.4", [(35, kind), (34, b"%d" % seq), (49, ends[0]), (56, ends[1]), *more])


LOGON = ((98, b"0"), (108, b"30"))
ODD = message(2, b"D", False, (11, b"a"), (38, b"-5"))


def test_callbacks_of_an_engine_raise_alerts_while_it_runs(tmp_path: Path) -> None:
    told: queue.Queue[Alert] = queue.Queue()
    kept = tmp_path / "kept.pcap"
    with Hook(told.put, keep=kept) as hook:
        hook.connected("s", "10.0.0.7", 40_000)
        hook.received("s", Said(message(1, b"A", False, *LOGON)))
        hook.sent("s", message(1, b"A", True, *LOGON))
        hook.received("s", ODD.decode())
        alert = told.get(timeout=WAIT_S)
        hook.received("s", b"\x00garbage\x01")
        hook.disconnected("s")
    assert (alert.pattern, alert.subject) == ("F15", "BUYER to VENUE")
    [evidence] = alert.evidence
    assert evidence.file == "kept.pcap"
    held = kept.read_bytes()
    assert held.index(ODD) - evidence.offset == 16 + 54  # behind the packet's heads
    assert b"\x00garbage\x01" in held
    assert audit([kept]).messages == 3
    assert hook.dropped == 0


def test_a_log_of_pythons_own_is_a_source() -> None:
    told: queue.Queue[Alert] = queue.Queue()
    with Hook(told.put) as hook:
        log = logging.getLogger("orders.line")
        log.propagate = False
        handler = FromLogging(hook, own="VENUE")
        log.addHandler(handler)
        try:
            log.warning("started, no FIX here")
            log.warning("<- %s", ODD.decode().replace("\x01", "|"))
            assert told.get(timeout=WAIT_S).pattern == "F15"
        finally:
            log.removeHandler(handler)


def test_what_the_application_raises_ends_the_hook_and_is_not_lost() -> None:
    def told(alert: Alert) -> None:
        raise RuntimeError(alert.pattern)

    hook = Hook(told)
    hook.received("s", ODD)
    hook._thread.join(WAIT_S)
    hook.received("s", ODD)
    assert hook.dropped == 1
    with pytest.raises(RuntimeError, match="F15"):
        hook.close()


@pytest.mark.parametrize("what", [None, 7, ["8=FIX"]])
def test_what_is_no_message_is_refused(what: object) -> None:
    with pytest.raises(Invalid, match="is no FIX message"):
        octets_of(what)
