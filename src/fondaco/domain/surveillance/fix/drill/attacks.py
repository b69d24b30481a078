"""The thirty attacks. Each is done on a line in mid session, and leaves it able to go on."""

import base64
from collections.abc import Callable, Mapping
from typing import Final

from fondaco.domain.fix.api import RST, Endpoint
from fondaco.domain.surveillance.fix.drill.line import (
    CLIENT,
    MS,
    NS,
    SERVER,
    VENUE,
    TradingLine,
    stamp,
)

Attack = Callable[[TradingLine], None]
_ELSEWHERE: Final = b"\xc0\xa8\x07"
_LOGON: Final = ((98, b"0"), (108, b"30"))


def _stranger(line: TradingLine) -> bytes:
    return _ELSEWHERE + bytes([line.dice.between(2, 250)])


def _try_logon(line: TradingLine, address: bytes, name: bytes, *, polite: bool) -> None:
    """A logon that the venue does not accept."""
    talk = line.connection(address)
    talk.open(line.at)
    line.wait(2 * MS)
    talk.send(CLIENT, line.message(CLIENT, b"A", _LOGON, seq=1, name=name), line.at)
    line.wait(2 * MS)
    if polite:
        no = [(58, b"invalid password")]
        talk.send(SERVER, line.message(SERVER, b"5", no, seq=1, name=name), line.at)
        line.wait(2 * MS)
    talk.close(line.at, SERVER)
    line.wait(MS)


def brute_force(line: TradingLine) -> None:
    address, polite = _stranger(line), line.dice.chance(1, 2)
    for _ in range(line.dice.between(6, 15)):
        _try_logon(line, address, line.name, polite=polite)
        line.wait(line.dice.between(1, 4) * NS)


def enumeration(line: TradingLine) -> None:
    address = _stranger(line)
    for number in range(line.dice.between(6, 12)):
        _try_logon(line, address, b"FUND%d" % number, polite=line.dice.chance(1, 2))
        line.wait(line.dice.between(5, 40) * NS)


def cleartext(line: TradingLine) -> None:
    line.logout()
    line.logon(fields=[(553, b"trader"), (554, b"hunter2!")])


def elsewhere(line: TradingLine) -> None:
    line.logout()
    home, line.address = line.address, _stranger(line)
    line.logon()
    line.order()
    line.address = home


def changed_identity(line: TradingLine) -> None:
    raw = line.message(CLIENT, b"D", line.terms(), name=b"OTHERFIRM")
    line.put(CLIENT, raw)


def hijack(line: TradingLine) -> None:
    talk = line.connection(_stranger(line))
    talk.open(line.at)
    line.wait(MS)
    if line.dice.chance(1, 2):
        line.talk.segment(CLIENT, line.at, flags=RST)
        raw = line.message(CLIENT, b"D", line.terms())
    else:
        raw = line.message(CLIENT, b"A", _LOGON, seq=1)
    talk.send(CLIENT, raw, line.at)
    line.wait(MS)
    line.talk = talk


def outside(line: TradingLine) -> None:
    line.logout()
    line.talk = line.connection()
    line.talk.open(line.at)
    line.wait(MS)
    line.say(CLIENT, b"D", line.terms())


def jump(line: TradingLine) -> None:
    if line.dice.chance(1, 2):
        line.seqs[CLIENT] += line.dice.between(150, 5_000)
        line.order()
    else:
        seq = max(1, line.seqs[CLIENT] - line.dice.between(2, 10))
        line.put(CLIENT, line.message(CLIENT, b"D", line.terms(), seq=seq))


def reset(line: TradingLine) -> None:
    if line.dice.chance(1, 2):
        new = line.seqs[CLIENT] + line.dice.between(2, 1_000)
        line.say(CLIENT, b"4", [(123, b"N"), (36, b"%d" % new)])
        line.seqs[CLIENT] = new
    else:
        line.seqs = [1, 1]
        line.say(CLIENT, b"A", [*_LOGON, (141, b"Y")])
        line.say(SERVER, b"A", [*_LOGON, (141, b"Y")])


def resend_storm(line: TradingLine) -> None:
    for _ in range(line.dice.between(7, 20)):
        line.say(CLIENT, b"2", [(7, b"1"), (16, b"0")])
        fill = [(123, b"Y"), (36, b"%d" % line.seqs[SERVER])]
        line.put(
            SERVER,
            line.message(SERVER, b"4", fill, seq=1, head=[(43, b"Y"), (122, stamp(line.at - NS))]),
        )
        line.wait(line.dice.between(1, 3) * NS)


def replay(line: TradingLine) -> None:
    terms = line.terms()
    line.say(CLIENT, b"D", terms)
    line.confirm(terms, b"0")
    line.wait(line.dice.between(1, 300) * NS)
    line.say(CLIENT, b"D", terms)


def poss_dup(line: TradingLine) -> None:
    seq = line.seqs[CLIENT] + line.dice.between(0, 20)
    head = [(43, b"Y"), (122, stamp(line.at - NS))]
    line.put(CLIENT, line.message(CLIENT, b"D", line.terms(), seq=seq, head=head))


def tampering(line: TradingLine) -> None:
    tag, value = line.dice.pick(((38, b"999900"), (44, b"1.01"), (54, b"5"), (55, b"XAUUSD")))
    line.order(answer=[(tag, value)])


def bad_frames(line: TradingLine) -> None:
    for _ in range(line.dice.between(5, 12)):
        raw = line.message(CLIENT, b"0", seq=line.seqs[CLIENT])
        spoiled = raw[:-4] + b"%03d\x01" % ((int(raw[-4:-1]) + 7) % 256)
        line.put(CLIENT, spoiled)
        line.wait(NS)


def malformed(line: TradingLine) -> None:
    change = line.dice.pick(
        (
            [(9999, b"A" * line.dice.between(1_100, 4_000))],
            [(38, b"-100")],
            [(453, b"60000"), *((448, b"P%d" % n) for n in range(200))],
            [(58, b"boo\x00\x02" + b"x" * 9)],
        )
    )
    line.say(CLIENT, b"D", line.terms(change))


def shadowing(line: TradingLine) -> None:
    terms = line.terms()
    raw = line.message(CLIENT, b"D", terms)
    body = raw[raw.index(b"\x0135=") + 1 : -7]
    body += line.dice.pick(
        (b"54=2\x01", b"049=EVIL\x01", b"49=EVIL\x01", b" 38=900\x01", b"44 =9\x01", b"34=1\x01")
    )
    head = raw[: raw.index(b"\x019=") + 3] + b"%d\x01" % len(body)
    whole = head + body
    line.put(CLIENT, whole + b"10=%03d\x01" % (sum(whole) % 256))


def heartbeat_flood(line: TradingLine) -> None:
    for _ in range(line.dice.between(70, 150)):
        line.say(CLIENT, line.dice.pick((b"0", b"1")), [(112, b"X")])
        line.wait(line.dice.between(1, 40) * MS)


def connection_flood(line: TradingLine) -> None:
    address = _stranger(line)
    for _ in range(line.dice.between(14, 40)):
        talk = line.connection(address)
        talk.open(line.at)
        talk.close(line.at + MS)
        line.wait(line.dice.between(100, 1_000) * MS)


def squatting(line: TradingLine) -> None:
    line.logout()
    home, line.address = line.address, _stranger(line)
    line.logon()
    line.address = home
    _try_logon(line, home, line.name, polite=line.dice.chance(1, 2))


def clock(line: TradingLine) -> None:
    line.skew = (line.dice.pick((-1, 1)) * line.dice.between(4, 300) * NS, line.skew[1])
    for _ in range(5):
        line.order()
        line.wait(line.dice.between(1, 5) * NS)


def free_text(line: TradingLine) -> None:
    for _ in range(line.dice.between(1, 4)):
        secret = bytes(line.dice.below(256) for _ in range(line.dice.between(150, 600)))
        text = line.dice.pick((base64.b64encode(secret), secret.hex().encode()))
        line.say(CLIENT, b"D", line.terms([(58, text)]))


def unusual_hours(line: TradingLine) -> None:
    line.logout()
    line.wait(line.dice.between(8, 12) * 3600 * NS)
    line.logon()
    line.order()


def novelty(line: TradingLine) -> None:
    line.order(change=[line.dice.pick(((1, b"MULE-7"), (54, b"5")))])


def fat_finger(line: TradingLine) -> None:
    if line.dice.chance(1, 2):
        change = [(38, b"%d" % (line.size * line.dice.between(60, 500)))]
    else:
        change = [(44, b"%.2f" % (line.price / 100 * line.dice.pick((0.1, 0.8, 1.3, 10.0))))]
    line.order(change=change)


def burst(line: TradingLine) -> None:
    for _ in range(line.dice.between(90, 200)):
        line.talk.send(CLIENT, line.message(CLIENT, b"D", line.terms()), line.at)
        line.wait(line.dice.between(2, 8) * MS)


def drop_copy(line: TradingLine) -> None:
    line.say(CLIENT, b"2", [(7, b"1"), (16, b"0")])


def reassembly(line: TradingLine) -> None:
    terms = line.terms()
    seq = line.talk.seqs[CLIENT]
    raw = line.message(CLIENT, b"D", terms)
    line.talk.send(CLIENT, raw, line.at)
    line.wait(MS)
    spoiled = raw.replace(b"\x0138=", b"\x0138=9")[: len(raw)]
    line.talk.segment(CLIENT, line.at, spoiled, flags=24, seq=seq)
    line.confirm(terms, b"0")


def weak_tls(line: TradingLine) -> None:
    talk = line.connection()
    talk.ends = (talk.ends[0], Endpoint(VENUE.address, 9_877))
    talk.open(line.at)
    version, cipher = line.dice.pick(((0x0301, 0xC013), (0x0302, 0xC014), (0x0303, 0x0005)))
    hello = version.to_bytes(2, "big") + bytes(32) + b"\x00" + cipher.to_bytes(2, "big") + b"\x00"
    body = b"\x02" + len(hello).to_bytes(3, "big") + hello
    talk.send(SERVER, b"\x16\x03\x01" + len(body).to_bytes(2, "big") + body, line.at + MS)
    talk.close(line.at + 5 * MS)
    line.wait(NS)


def algo(line: TradingLine) -> None:
    line.order(change=[line.dice.pick(((848, b"SWEEP"), (5001, b"1"), (960, b"Y")))])


def mass_cancel(line: TradingLine) -> None:
    for number in range(line.dice.between(3, 6)):
        line.orders += 1
        line.say(
            CLIENT,
            b"q",
            [(11, b"K%d-%d" % (line.orders, number)), (60, stamp(line.at)), (530, b"7")],
        )
        line.wait(line.dice.between(5, 60) * NS)


ATTACKS: Final[Mapping[str, Attack]] = {
    "F01": brute_force,
    "F02": enumeration,
    "F03": cleartext,
    "F04": elsewhere,
    "F05": changed_identity,
    "F06": hijack,
    "F07": outside,
    "F08": jump,
    "F09": reset,
    "F10": resend_storm,
    "F11": replay,
    "F12": poss_dup,
    "F13": tampering,
    "F14": bad_frames,
    "F15": malformed,
    "F16": shadowing,
    "F17": heartbeat_flood,
    "F18": connection_flood,
    "F19": squatting,
    "F20": clock,
    "F21": free_text,
    "F22": unusual_hours,
    "F23": novelty,
    "F24": fat_finger,
    "F25": burst,
    "F26": drop_copy,
    "F27": reassembly,
    "F28": weak_tls,
    "F29": algo,
    "F30": mass_cancel,
}
