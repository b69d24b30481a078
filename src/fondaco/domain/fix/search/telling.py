"""A message in one line, for lists: what it is about, in the words of its dictionary."""

from typing import Final

from fondaco.domain.fix.dictionary import Dictionary, dictionary, dictionary_for
from fondaco.domain.fix.message import Message, loose

TEXT_MAX: Final = 160
# What is said, in this order: values by themselves, and those that need their name before them.
_SAID: Final = {39: "", 54: "", 38: "", 55: "", 44: "at", 31: "last", 11: "ClOrdID", 41: "was"}
_MORE: Final = {
    108: "HeartBtInt", 112: "TestReqID", 7: "from", 16: "to", 36: "NewSeqNo", 371: "tag",
    372: "of", 380: "", 373: "", 58: "",
}  # fmt: skip


def name_of(raw: bytes) -> str:
    """ "NewOrderSingle"; empty for a type that no dictionary has."""
    message = loose(raw)
    kind = message.text(35) or ""
    for each in _dictionaries(message):
        name = each.message_name(kind)
        if name is not None:
            return name
    return ""


def name_of_type(msg_type: str) -> str:
    """In the newest version; the type itself where that has none."""
    newest = (dictionary("FIX.5.0SP2"), dictionary("FIXT.1.1"))
    return next(filter(None, (each.message_name(msg_type) for each in newest)), msg_type)


def summary(raw: bytes) -> str:
    """Partially filled Buy 10 EUR/USD at 1.1 ClOrdID a-1. What cannot be printed is escaped."""
    message = loose(raw)
    known = _dictionaries(message)
    said = []
    for tag, before in (*_SAID.items(), *_MORE.items()):
        value = message.text(tag)
        if value:
            meaning = _meaning(known, tag, value)
            said.append(f"{before} {meaning}" if before else meaning)
    return _printable(" ".join(said))[:TEXT_MAX]


def written(raw: bytes) -> str:
    """The message with | for SOH."""
    return _printable(raw.rstrip(b"\x01").replace(b"\x01", b"|").decode("latin-1"))


def _meaning(known: tuple[Dictionary, ...], tag: int, value: str) -> str:
    if tag in (39, 54, 380, 373):
        for each in known:
            field = each.field(tag)
            if field is not None and value in field.values:
                return field.values[value].replace("_", " ").capitalize()
    return value


def _dictionaries(message: Message) -> tuple[Dictionary, ...]:
    app = dictionary_for(message.begin_string, message.text(1128) or message.text(1137))
    app = app or dictionary("FIX.5.0SP2")
    return (app, dictionary("FIXT.1.1")) if app.begin_string.startswith("FIX.5") else (app,)


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
