"""A week of order flow over several sessions, with one attack in it or none, as a capture."""

import struct
from typing import Final, NamedTuple

from fondaco.domain.fix.api import pcap
from fondaco.domain.surveillance.fix.drill.attacks import ATTACKS
from fondaco.domain.surveillance.fix.drill.behaviours import BEHAVIOURS
from fondaco.domain.surveillance.fix.drill.line import NS, DropCopy, TradingLine
from fondaco.kernel.seeded import Seeded

MONDAY: Final = 1_709_510_400 * NS  # 2024-03-04
DAY: Final = 86_400 * NS
DAYS: Final = 7  # of trading: a week and two days
LAST_DAY: Final = MONDAY + (DAYS + 1) * DAY
_HEAD: Final = 24


class Drill(NamedTuple):
    """A capture, and what was done in it: the pattern, and from when to when. "" is nothing.
    `victim` is the CompID of the client whose line it was done on."""

    capture: bytes
    pattern: str
    began: int
    ended: int
    sessions: int
    days: int
    victim: str = ""


def drill(seed: int, pattern: str = "", sessions: int = 3, orders: int = 60) -> Drill:
    """Generate one. An attack comes on the last day, after a third of its orders; one of BEHAVIOURS
    is that whole day.

    `sessions` trade, one more takes drop copies; `orders` are of each session and day. The same
    arguments give the same bytes. Raises KeyError where there is no such attack.
    """
    dice = Seeded(seed).child(f"drill {pattern}")
    lines: list[TradingLine] = [
        TradingLine(dice.child(f"line {n}"), b"BUYER%d" % n, b"\x0a\x02\x00" + bytes([10 + n]), 0)
        for n in range(sessions)
    ]
    lines.append(DropCopy(dice.child("copy"), b"WATCHER", b"\x0a\x02\x00\x63", 0))
    victim = lines[-1] if pattern == "F26" else lines[dice.below(sessions)]
    began = ended = 0
    for day in range(DAYS):
        date = MONDAY + (day + 2 * (day // 5)) * DAY
        for line in lines:
            attacked = pattern and line is victim and day == DAYS - 1
            if attacked and pattern in BEHAVIOURS:
                began = date
                BEHAVIOURS[pattern](line)
            line.at = date + 9 * 3600 * NS + line.dice.below(300 * NS)
            line.logon()
            for number in range(orders):
                if attacked and pattern in ATTACKS and number == orders // 3:
                    began = line.at
                    ATTACKS[pattern](line)
                    ended = line.at
                    if pattern in _ENDS:
                        break
                _goes_on(line)
            if not (attacked and pattern in _ENDS):
                line.logout()
            if attacked and pattern in BEHAVIOURS:
                ended = line.at
    packets = sorted((each for line in lines for each in line.packets), key=lambda each: each.at)
    return Drill(pcap(packets), pattern, began, ended, len(lines), DAYS, victim.name.decode())


def parted(capture: bytes, at: int) -> tuple[bytes, bytes]:
    """A capture of ours in two: what came before `at`, and the rest."""
    head = capture[:_HEAD]
    place, parts = _HEAD, ([head], [head])
    while place < len(capture):
        seconds, ns, size = struct.unpack_from("<III", capture, place)
        parts[seconds * NS + ns >= at].append(capture[place : place + 16 + size])
        place += 16 + size
    return b"".join(parts[0]), b"".join(parts[1])


# After these the session cannot go on as if nothing had been.
_ENDS: Final = ("F06", "F07", "F22")


def _goes_on(line: TradingLine) -> None:
    """What a session does next: an order, some silence with heartbeats, now and then a resend."""
    line.trade()
    if line.dice.chance(1, 50):
        line.recover()
    for _ in range(line.dice.below(3)):
        line.wait(line.dice.between(5, 30) * NS // line.pace)
        line.beat()
