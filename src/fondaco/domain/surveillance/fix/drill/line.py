"""One session of a drill: a client, its venue, their sequence numbers and their packets."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from fondaco.domain.fix.api import Conversation, Endpoint, Packet, fix
from fondaco.kernel.seeded import Seeded

NS: Final = 1_000_000_000
MS: Final = 1_000_000
VENUE: Final = Endpoint(b"\x0a\x01\x00\x01", 9_876)
CLIENT: Final = 0
SERVER: Final = 1

Fields = Sequence[tuple[int, bytes]]


def stamp(at: int) -> bytes:
    moment = datetime.fromtimestamp(at // NS, UTC)
    return moment.strftime("%Y%m%d-%H:%M:%S").encode() + b".%03d" % (at % NS // MS)


class TradingLine:
    """A client's line to the venue over days; `at` is its clock, in nanoseconds since 1970.

    What is sent takes its turn: `say` moves the clock by the network's and the sender's time.
    """

    def __init__(self, dice: Seeded, name: bytes, address: bytes, at: int) -> None:
        self.dice = dice
        self.name = name
        self.address = address
        self.at = at
        self.seqs = [1, 1]
        self.packets: list[Packet] = []
        self.orders = 0
        self.port = 40_000 + dice.below(5_000)
        self.delay = 0  # of the venue's answers, in nanoseconds
        self.skew = (dice.between(-20, 20) * MS, dice.between(-5, 5) * MS)
        self.price = 10_000 + dice.below(2_000)
        self.size = 100 * dice.between(1, 5)
        self.sides = (b"1", b"2")
        self.fates = tuple(range(10))
        self.pace = 1  # how many times as fast as usual
        self.begin_string = dice.pick(("FIX.4.2", "FIX.4.4", "FIX.4.4"))
        self.talk = self.connection()

    def connection(self, address: bytes | None = None) -> Conversation:
        """A new connection from the client's address or another; its packets join the line's."""
        self.port += 1
        seqs = self.dice.below(1 << 32), self.dice.below(1 << 32)
        ends = Endpoint(address or self.address, self.port), VENUE
        talk = Conversation(*ends, seqs=seqs)
        talk.packets = self.packets
        return talk

    def message(
        self,
        side: int,
        kind: bytes,
        fields: Fields = (),
        *,
        seq: int | None = None,
        head: Fields = (),
        name: bytes | None = None,
        skew: int | None = None,
    ) -> bytes:
        """A message with the next MsgSeqNum, or with another that then moves nothing."""
        if seq is None:
            seq = self.seqs[side]
            self.seqs[side] += 1
        parties = (name or self.name, b"VENUE")
        sent = self.at + (self.skew[side] if skew is None else skew)
        header = [(35, kind), (34, b"%d" % seq), (49, parties[side]), (52, stamp(sent))]
        return fix(self.begin_string, [*header, (56, parties[1 - side]), *head, *fields])

    def say(self, side: int, kind: bytes, fields: Fields = ()) -> bytes:
        """Send a message in its turn."""
        raw = self.message(side, kind, fields)
        self.put(side, raw)
        return raw

    def put(self, side: int, raw: bytes) -> None:
        """Send these bytes; now and then over two segments, or a segment twice, as TCP does."""
        mss = 1460 if self.dice.chance(95, 100) else max(len(raw) // 2, 20)
        before = len(self.packets)
        self.talk.send(side, raw, self.at, mss)
        if self.dice.chance(1, 100):
            self.packets.append(Packet(self.at + 3 * MS, self.packets[before].frame))
        self.wait(self.dice.between(1, 20) * MS)

    def wait(self, ns: int) -> None:
        self.at += ns

    def logon(self, *, reset: bool = True, fields: Fields = ()) -> None:
        """Connect and log on, as a client does each morning."""
        self.talk = self.connection()
        self.talk.open(self.at)
        self.wait(5 * MS)
        if reset:
            self.seqs = [1, 1]
        body = [(98, b"0"), (108, b"30"), *([(141, b"Y")] if reset else []), *fields]
        self.say(CLIENT, b"A", body)
        self.say(SERVER, b"A", body[:3] if reset else body[:2])

    def logout(self) -> None:
        self.say(CLIENT, b"5")
        self.say(SERVER, b"5")
        self.talk.close(self.at)
        self.wait(NS)

    def beat(self) -> None:
        self.say(CLIENT, b"0")
        self.say(SERVER, b"0")

    def order(self, *, change: Fields = (), answer: Fields = ()) -> bytes:
        """Enter an order, which the venue confirms; `change` and `answer` replace fields."""
        terms = self.terms(change)
        raw = self.say(CLIENT, b"D", terms)
        self.confirm(terms, b"0", answer)
        return raw

    def terms(self, change: Fields = ()) -> list[tuple[int, bytes]]:
        self.orders += 1
        self.price += self.dice.between(-3, 3)
        size = self.size * self.dice.between(1, 4)
        fields = [
            (11, b"%b-%d" % (self.name, self.orders)),
            (1, b"ACC-%d" % self.dice.between(1, 2)),
            (21, b"1"),
            (38, b"%d" % size),
            (40, b"2"),
            (44, b"%.2f" % (self.price / 100)),
            (54, self.dice.pick(self.sides)),
            (55, self.dice.pick((b"EURUSD", b"GBPUSD"))),
            (59, b"0"),
            (60, stamp(self.at + self.skew[0])),
            (847, b"1"),
            (848, self.dice.pick((b"PASSIVE", b"NORMAL"))),
        ]
        replaced = dict(change)
        known = {tag for tag, _ in fields}
        fields = [(tag, replaced.get(tag, value)) for tag, value in fields]
        return fields + [(tag, value) for tag, value in change if tag not in known]

    def confirm(self, terms: Fields, status: bytes, answer: Fields = ()) -> None:
        """An execution report on an order."""
        self.wait(self.delay)
        order = dict(terms) | dict(answer)
        done = order[38] if status == b"2" else b"0"
        left = b"0" if status in (b"2", b"4") else order[38]
        self.say(
            SERVER,
            b"8",
            [
                (6, order[44] if status == b"2" else b"0"),
                (11, order[11]),
                (14, done),
                (17, b"E%d-%d" % (self.seqs[SERVER], self.at // NS)),
                (37, b"V%b" % order[11]),
                *((tag, order[tag]) for tag in (38,)),
                (39, status),
                *((tag, order[tag]) for tag in (40, 44, 54, 55, 60)),
                (150, status),
                (151, left),
            ],
        )

    def trade(self) -> None:
        """One order's life: entered, and filled, changed, canceled or left."""
        terms = self.terms()
        self.say(CLIENT, b"D", terms)
        self.confirm(terms, b"0")
        fate = self.fates[self.dice.below(10)]
        if fate < 4:
            self.confirm(terms, b"2")
        elif fate < 6:
            self.orders += 1
            change = [(11, b"%b-%d" % (self.name, self.orders)), (41, dict(terms)[11])]
            again = [(38, b"%d" % (self.size * self.dice.between(1, 4)))]
            new = [pair for pair in terms if pair[0] not in (11, 38)]
            new = [change[0], *again, *new, change[1]]
            self.say(CLIENT, b"G", new)
            self.confirm(new, b"5")
        elif fate < 8:
            self.orders += 1
            order = dict(terms)
            cancel = (11, b"%b-%d" % (self.name, self.orders))
            body = [cancel, (38, order[38]), (41, order[11])]
            self.say(CLIENT, b"F", [*body, *((tag, order[tag]) for tag in (54, 55, 60))])
            self.confirm(terms, b"4", [cancel])

    def recover(self) -> None:
        """The venue asks for what it missed: two messages again, and a gap fill."""
        if self.seqs[CLIENT] < 8:
            return
        first = self.seqs[CLIENT] - 3
        self.say(SERVER, b"2", [(7, b"%d" % first), (16, b"0")])
        fill = [(123, b"Y"), (36, b"%d" % self.seqs[CLIENT])]
        head = [(43, b"Y"), (122, stamp(self.at - NS))]
        self.put(CLIENT, self.message(CLIENT, b"4", fill, seq=first, head=head))


class DropCopy(TradingLine):
    """A line that only listens: reports go out, nothing but heartbeats comes back."""

    def trade(self) -> None:
        self.confirm(self.terms(), b"2")
