"""From packets to messages: whatever TCP and the capture did, the same messages come out."""

import struct
from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fondaco.domain.fix.capture.flows import Endpoint
from fondaco.domain.fix.capture.packets import Packets
from fondaco.domain.fix.capture.sighting import Sighting
from fondaco.domain.fix.capture.writing import Conversation, Packet, fix, ip, pcap
from fondaco.kernel.errors import Invalid

CLIENT = Endpoint(b"\x0a\x00\x00\x01", 40_000)
SERVER = Endpoint(b"\x0a\x00\x00\x02", 9_876)
NS = 1_000_000_000
AT = 1_700_000_000 * NS


def message(seq: int, kind: bytes = b"D", text: bytes = b"") -> bytes:
    fields = [(35, kind), (34, b"%d" % seq), (49, b"BUYER"), (56, b"VENUE"), (11, b"o%d" % seq)]
    return fix("FIX.4.4", [*fields, *([(58, text)] if text else [])])


def read(data: bytes, piece: int = 1 << 20) -> tuple[list[Sighting], Packets]:
    packets = Packets()
    found = [
        seen
        for start in range(0, len(data), piece)
        for seen in packets.feed(data[start : start + piece])
    ]
    return found + packets.finish(), packets


def talk(*messages: bytes, mss: int = 1460) -> Conversation:
    line = Conversation(CLIENT, SERVER)
    line.open(AT)
    for number, each in enumerate(messages):
        line.send(0, each, AT + NS + number * NS, mss)
    return line


def ng(packets: Sequence[Packet], link: int, big: bool) -> bytes:
    """A pcapng file with nanosecond ticks."""
    order = ">" if big else "<"

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        size = struct.pack(order + "I", len(body) + 12)
        return struct.pack(order + "I", kind) + size + body + size

    head = struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)
    option = struct.pack(order + "HHB3xHH", 9, 1, 9, 0, 0)
    out = block(0x0A0D0D0A, head) + block(1, struct.pack(order + "HHI", link, 0, 0) + option)
    out += block(5, bytes(16))  # statistics: to be passed over
    for at, frame in packets:
        when = struct.pack(order + "IIIII", 0, at >> 32, at & 0xFFFFFFFF, len(frame), len(frame))
        out += block(6, when + frame)
    return out


def classic(packets: Sequence[Packet], link: int, big: bool, nano: bool) -> bytes:
    order, tick = (">" if big else "<"), (1 if nano else 1000)
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65_535, link)
    for at, frame in packets:
        out += struct.pack(order + "IIII", at // NS, at % NS // tick, len(frame), len(frame))
        out += frame
    return out


LINKS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "ethernet": (1, lambda packet: packet),
    "vlan": (1, lambda packet: packet[:12] + b"\x81\x00\x00\x05" + packet[12:]),
    "qinq": (1, lambda p: p[:12] + b"\x88\xa8\x00\x05\x81\x00\x00\x06" + p[12:]),
    "sll": (113, lambda packet: bytes(14) + packet[12:]),
    "sll2": (276, lambda packet: packet[12:14] + bytes(18) + packet[14:]),
    "raw": (101, lambda packet: packet[14:]),
    "null": (0, lambda packet: b"\x02\x00\x00\x00" + packet[14:]),
    "loop": (108, lambda packet: b"\x00\x00\x00\x02" + packet[14:]),
    "padded": (1, lambda packet: packet + bytes(max(0, 60 - len(packet)))),
}


@pytest.mark.parametrize("kind", LINKS)
@pytest.mark.parametrize("container", ["le", "be", "le-nano", "be-nano", "ng-le", "ng-be"])
def test_every_container_and_link_type_gives_the_same_messages(kind: str, container: str) -> None:
    link, dress = LINKS[kind]
    packets = [Packet(at, dress(frame)) for at, frame in talk(message(1), message(2)).packets]
    big = "be" in container
    data = (
        ng(packets, link, big)
        if "ng" in container
        else classic(packets, link, big, "nano" in container)
    )
    found, packets_read = read(data, 17)
    assert [seen.raw for seen in found] == [message(1), message(2)]
    assert [seen.at for seen in found] == [AT + NS, AT + 2 * NS]
    assert packets_read.passed_over == {}


def test_ipv6_and_options_and_other_protocols() -> None:
    six = Conversation(Endpoint(bytes(15) + b"\x01", 1024), Endpoint(bytes(15) + b"\x02", 99))
    six.open(AT)
    six.send(0, message(1), AT + 1)
    udp = struct.pack(">BBHHHBBH", 0x45, 0, 28, 0, 0, 64, 17, 0) + bytes(16)
    arp = bytes(12) + b"\x08\x06" + bytes(28)
    others = [Packet(AT, bytes(12) + b"\x08\x00" + udp), Packet(AT, arp)]
    found, packets = read(pcap([*six.packets, *others]))
    assert [seen.raw for seen in found] == [message(1)]
    assert str(packets.flows[0]) == "[::1]:1024 → [::2]:99"
    assert packets.passed_over == {"not TCP": 1, "not IP": 1}


@settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(st.integers(3, 90), min_size=1, max_size=40),
    order=st.randoms(use_true_random=False),
    again=st.integers(0, 5),
    piece=st.integers(20, 400),
)
def test_any_segmentation_order_and_duplication_gives_the_same_messages(
    cuts: list[int], order: object, again: int, piece: int
) -> None:
    """The law of reassembly. Sequence numbers wrap around on the way."""
    wanted = [message(n, text=b"8=FIX is quoted here" if n % 3 else b"") for n in range(1, 9)]
    stream = b"".join(wanted)
    begin = (1 << 32) - 200
    line = Conversation(CLIENT, SERVER, seqs=(begin, 7))
    line.open(AT)
    opened = len(line.packets)
    at, place = 0, 0
    while at < len(stream):
        size = cuts[place % len(cuts)]
        line.segment(0, AT + 10**6, stream[at : at + size], seq=begin + 1 + at)
        at, place = at + size, place + 1
    segments = line.packets[opened:]
    segments += [order.choice(segments) for _ in range(again)]  # type: ignore[attr-defined]
    order.shuffle(segments)  # type: ignore[attr-defined]
    found, packets = read(pcap([*line.packets[:opened], *segments]), piece)
    assert [seen.raw for seen in found] == wanted
    assert [seen.garbled for seen in found] == [None] * len(wanted)
    [flow] = packets.flows
    assert flow.halves[0].lost == flow.halves[0].unparsed == 0
    assert "conflict" not in flow.counts


@settings(max_examples=60, deadline=None)
@given(
    pieces=st.lists(
        st.one_of(
            st.integers(1, 99).map(message),
            st.binary(max_size=40).map(lambda noise: noise.replace(b"8=FIX", b"")),
            st.sampled_from([b"8=FIX.4.2\x019=5\x0135=0\x0110=000\x01", b"8=FIX.4.2\x019=x\x01"]),
        ),
        max_size=8,
    ),
    cut=st.integers(1, 50),
)
@example(pieces=[b"a0", message(1)], cut=2)  # "08=FIX" begins no message, nor when it is cut
def test_noise_and_lies_cut_anywhere_read_the_same(pieces: list[bytes], cut: int) -> None:
    stream = b"".join(pieces)
    whole, _ = read(pcap(talk(stream, mss=60_000).packets)) if stream else ([], None)
    parts, _ = read(pcap(talk(stream, mss=cut).packets)) if stream else ([], None)
    assert [(seen.raw, seen.garbled) for seen in whole] == [
        (seen.raw, seen.garbled) for seen in parts
    ]
    sound = [each for each in pieces if each.startswith(b"8=FIX.4.4")]
    assert [s.raw for s in whole if s.garbled is None][: len(sound)] == [
        s.raw for s in whole if s.garbled is None
    ]


def test_what_is_lost_is_said_and_reading_goes_on() -> None:
    line = talk(*(message(n) for n in range(1, 6)))
    del line.packets[5]  # the third message
    found, packets = read(pcap(line.packets))
    assert [seen.seq for seen in found] == [1, 2, 4, 5]
    assert packets.flows[0].halves[0].lost == len(message(3))
    assert packets.flows[0].counts["lost"] == 1


def test_a_capture_that_begins_in_mid_stream_begins_with_the_next_message() -> None:
    line = Conversation(CLIENT, SERVER)
    line.send(0, message(1)[30:] + message(2), AT)
    found, packets = read(pcap(line.packets))
    assert [seen.seq for seen in found] == [2]
    assert packets.flows[0].halves[0].unparsed == len(message(1)) - 30
    assert not packets.flows[0].began


def test_of_overlapping_bytes_the_first_win_and_a_difference_is_told() -> None:
    line = talk(message(1))
    first, second = message(2), message(2).replace(b"o2", b"o9")
    line.segment(0, AT + 9 * NS, first)
    line.segment(0, AT + 9 * NS + 1, second)
    found, packets = read(pcap(line.packets))
    assert [seen.raw for seen in found] == [message(1), first]
    assert packets.flows[0].counts == {"conflict": 1}


def test_bytes_that_wait_win_over_those_that_come_later_for_the_same_place() -> None:
    line = talk(message(1))
    whole = message(2)
    seq = line.seqs[0]
    line.segment(0, AT + 9 * NS, whole[20:40], seq=seq + 20)
    line.segment(0, AT + 9 * NS + 1, whole[:30] + bytes(len(whole) - 30), seq=seq)
    found, packets = read(pcap(line.packets))
    assert found[-1].raw[:40] == whole[:40]
    assert packets.flows[0].counts["conflict"] == 1


def test_a_snap_length_costs_only_the_messages_it_cut() -> None:
    line = talk(message(1), message(2, text=b"x" * 300), message(3))
    found, packets = read(pcap(line.packets, snap=200))
    assert [(seen.seq, seen.garbled is None) for seen in found] == [
        (1, True),
        (2, False),
        (3, True),
    ]
    assert packets.snapped == 1
    assert packets.flows[0].halves[0].lost == len(message(2, text=b"x" * 300)) - (200 - 54)


def test_a_message_that_lies_about_its_length_hides_nothing_behind_it() -> None:
    lie = message(2).replace(b"\x019=", b"\x019=1")
    found, _ = read(pcap(talk(message(1), lie, message(3), message(4)).packets))
    assert [(seen.seq, seen.garbled) for seen in found] == [
        (1, None),
        (2, "BodyLength is wrong"),
        (3, None),
        (4, None),
    ]


def test_the_same_ports_again_are_another_connection() -> None:
    once, twice = talk(message(1)), Conversation(CLIENT, SERVER, seqs=(9_000, 12))
    once.close(AT + 5 * NS)
    twice.open(AT + 6 * NS)
    twice.send(0, message(2), AT + 7 * NS)
    found, packets = read(pcap(once.packets + twice.packets))
    assert [seen.seq for seen in found] == [1, 2]
    assert [flow.number for flow in packets.flows] == [1, 2]
    assert packets.flows[0].closed_at


def test_tls_and_other_protocols_are_known_for_what_they_are() -> None:
    hello = b"\x02\x00\x00\x26\x03\x01" + bytes(32) + b"\x00\x00\x05\x00"
    record = b"\x16\x03\x01" + struct.pack(">H", len(hello)) + hello
    line = Conversation(CLIENT, SERVER)
    line.open(AT)
    line.send(1, record + b"8=FIX", AT + 1)
    binary = Conversation(CLIENT, Endpoint(SERVER.address, 77))
    binary.open(AT)
    binary.send(0, b"\x00\x00\x00\x20\x5b\xe0", AT + 1)
    found, packets = read(pcap(line.packets + binary.packets))
    assert found == []
    assert [flow.kind for flow in packets.flows] == ["TLS", "other"]
    [greeting] = packets.flows[0].greetings.values()
    assert greeting.weaknesses(0) == [
        "TLS 1.0 was agreed on; FIXS asks for TLS 1.2 or 1.3",
        "cipher suite 0x0005: RC4",
    ]


def test_data_fields_may_hold_soh() -> None:
    raw = fix("FIX.4.4", [(35, b"A"), (34, b"1"), (95, b"5"), (96, b"a\x01=b\x01"), (49, b"ME")])
    [seen], _ = read(pcap(talk(raw).packets))
    assert seen.fields[96] == b"a\x01=b\x01"
    assert (seen.sender, seen.oddities) == (b"ME", [])


@pytest.mark.parametrize(
    ("field", "odd"),
    [
        (b"049=EVIL", ["leading zero in tag 049"]),
        (b" 49=EVIL", ["a tag that is no number: ' 49=EVIL'"]),
        (b"58=", ["empty value of tag 58"]),
        (b"alone", ["a field without '=': 'alone'"]),
    ],
)
def test_what_is_oddly_written_is_said(field: bytes, odd: list[str]) -> None:
    body = b"35=D\x0134=1\x0149=ME\x0156=YOU\x01" + field + b"\x01"
    raw = b"8=FIX.4.4\x019=%d\x01%b" % (len(body), body)
    raw += b"10=%03d\x01" % (sum(raw) % 256)
    [seen], _ = read(pcap(talk(raw).packets))
    assert (seen.garbled, seen.oddities) == (None, odd)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"GIF89a" + bytes(40), "begins with the magic number"),
        (struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 9, 147) + bytes(9), "link type 147"),
        (
            struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 9, 1) + b"\xff" * 20,
            "claims 4294967295 bytes",
        ),
    ],
)
def test_what_is_no_capture_is_refused_with_its_reason(data: bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        read(data)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_on_the_wire_break_the_reader(noise: bytes) -> None:
    frames = [Packet(AT, bytes(12) + b"\x08\x00" + noise), Packet(AT, noise)]
    head = struct.pack(">HHIIBBHHH", 1, 2, 3, 4, 80, 24, 0, 0, 0)
    frames.append(
        Packet(AT, bytes(12) + b"\x08\x00" + ip((CLIENT, SERVER), 0, head + noise, (1, 1)))
    )
    _, packets = read(pcap(frames))
    assert packets.packets == 3


def test_segments_of_one_byte_in_reverse_are_put_together() -> None:
    """As far as a thousand of them wait for the first; TCP itself would not wait that long."""
    stream = b"".join(message(n) for n in range(1, 9))
    line = Conversation(CLIENT, SERVER)
    line.open(AT)
    begin = line.seqs[0]
    for at in reversed(range(len(stream))):
        line.segment(0, AT + 10**6, stream[at : at + 1], seq=begin + at)
    found, _ = read(pcap(line.packets))
    assert len(stream) < 1024
    assert [seen.seq for seen in found] == list(range(1, 9))
