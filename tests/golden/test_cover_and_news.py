"""What the journal keeps of bared positions and of announcements: the bytes of the first build."""

from typing import Any, Final

import msgspec
import pytest

from fondaco.domain.reference.events import ReferenceEvent
from fondaco.domain.trading.events import TradingEvent
from fondaco.runtime.history import kind_of

_DECODERS: Final[tuple[msgspec.msgpack.Decoder[Any], ...]] = (
    msgspec.msgpack.Decoder(TradingEvent),
    msgspec.msgpack.Decoder(ReferenceEvent),
)
KEPT: Final = {
    "trading.position_bared.v1": (
        "96b974726164696e672e706f736974696f6e5f62617265642e7631a74254432d555344d1fc180705bb69"
        "74732073746f702068617320656e6465643a2065787069726564"
    ),
    "trading.trade_rules_set.v1": (
        "93ba74726164696e672e74726164655f72756c65735f7365742e763182a87269736b5f6d617805a46e65"
        "777383a96265666f72655f6e7378a861667465725f6e73ccb4aa696d706f7274616e6365a66d65646975"
        "6daa6173736573736d656e74"
    ),
    "reference.news_announced.v1": (
        "95bb7265666572656e63652e6e6577735f616e6e6f756e6365642e76319187a76e6577735f6964a36370"
        "69a26174cf18efe794308f7000a57469746c65a6555320435049aa696d706f7274616e6365a468696768"
        "aa63757272656e6369657391a3555344ab696e737472756d656e747391a74254432d555344a6736f7572"
        "6365a7626c732e676f7691a36f6c64a8646563656d626572a3616461"
    ),
    "reference.news_removed.v1": (
        "94b97265666572656e63652e6e6577735f72656d6f7665642e7631a3637069a56d6f766564a3616461"
    ),
}


@pytest.mark.parametrize("kind", KEPT)
def test_each_is_read_and_written_as_it_was(kind: str) -> None:
    text = KEPT[kind]
    decoder = _DECODERS[not kind.startswith("trading.")]
    event = decoder.decode(bytes.fromhex(text))
    assert kind_of(event) == kind
    assert msgspec.msgpack.encode(event).hex() == text
