"""docs/fix-door.md: which FIX field says which word of the house, from the tables that are used."""

from collections.abc import Iterator
from typing import Final

from fondaco.domain.fix import Dictionary, dictionary
from fondaco.domain.trading.model import OrdStatus, Reason
from fondaco.gateway.fix.trading import words

LATEST: Final = dictionary("FIX.5.0SP2")
READ: Final = (
    ("NewOrderSingle (D), and each order of NewOrderList (E)", words.ORDER),
    ("OrderCancelReplaceRequest (G): what is absent stays", words.REPLACE),
    ("OrderMassCancelRequest (q)", words.MASS_CANCEL),
)
INTRO: Final = """# Trading over FIX

Made by `make docs` from the tables that the door reads and writes with; a test compares the two.

A session of `fix.toml` ([FIX sessions](fix-sessions.md)) with `application = "orders"` trades in
the name of one API key (`key_id`) for the accounts that it names; `"drop_copy"` hears what becomes
of them; `"market"` asks about the market alone. `fondaco up --fix-port N` listens. Versions: 4.2,
4.3, 4.4, and 5.0, 5.0 SP1, 5.0 SP2 over FIXT.1.1. With `--demo` and no `fix.toml` there are some
to try: FONDACO to DEMO in 4.2, 4.4 and FIXT.1.1 trades, FONDACO to WATCHER in 4.4 is a drop copy.

- A request takes the same turn as over HTTP, and a report is made of a committed entry, never
  before its commit. The position of that entry is the session's mark: after a crash it is told
  exactly what it was not told.
- Everything that happens to the accounts of a session is reported to it, whoever asked for it.
- The same ClOrdID with the same content is the same order: it is answered with its status
  (ExecType I). With other content it is refused as a duplicate.
- A request that cannot be read, or may not be made, is answered by a rejected ExecutionReport, by
  OrderCancelReject or BusinessMessageReject, and leaves nothing in the journal.
- What a cancel or a list was called is kept in the cause of what it left in the journal: after a
  crash the report of a pending cancel still has its ClOrdID, and a list its ListID.
- OrigClOrdID may be any ClOrdID that the order has had; OrderID is `account.number`, as over HTTP.
"""
ANSWERS: Final = {
    "NewOrderSingle (D)": "ExecutionReport (8)",
    "NewOrderList (E): all of them or none; ContingencyType (1385) 1 is an OCO, 2 a bracket": (
        "ExecutionReport (8) of each, with its ListID (66), and ListStatus (N): 429=1 when it is"
        " taken or refused (431=7), and 429=5 when the last order of it has ended"
    ),
    "ListStatusRequest (M)": "ListStatus (N), 429=2; where there is no such list, j with 380=1",
    "ListCancelRequest (K): what is open of it": "ExecutionReport (8) of each, and ListStatus (N)",
    "OrderCancelRequest (F), OrderCancelReplaceRequest (G)": (
        "ExecutionReport (8), or OrderCancelReject (9)"
    ),
    "OrderMassCancelRequest (q): MassCancelRequestType (530) 1 a symbol, 7 all": (
        "OrderMassCancelReport (r), and ExecutionReport (8) of each"
    ),
    "OrderStatusRequest (H), OrderMassStatusRequest (AF)": "ExecutionReport (8), ExecType I",
    "TradeCaptureReportRequest (AD), from FIX 4.4: of an order, a symbol or all": (
        "TradeCaptureReportRequestAck (AQ), and TradeCaptureReport (AE) of each execution"
    ),
    "MarketDataRequest (V): a snapshot, or a subscription of snapshots or increments": (
        "W, X; MarketDataRequestReject (Y)"
    ),
    "SecurityListRequest (x), SecurityDefinitionRequest (c)": (
        "SecurityList (y), SecurityDefinition (d)"
    ),
    "anything else": "BusinessMessageReject (j), 380=3",
}


def page() -> Iterator[str]:
    yield INTRO.rstrip()
    yield from ("", "| asked | answered |", "|---|---|")
    yield from (f"| {asked} | {answer} |" for asked, answer in ANSWERS.items())
    for title, table in READ:
        yield from ("", f"## {title}", "", "| tag | field | says | values |", "|---|---|---|---|")
        for each in table:
            values = ", ".join(f"{theirs} = {ours}" for theirs, ours in each.values.items())
            note = f"; {each.note}" if each.note else ""
            yield f"| {each.tag} | {_name(each.tag)} | `{each.name}`{note} | {values} |"
    yield from ("", "## ExecutionReport (8)", "")
    yield "A field that the session's version does not have is left out. Before FIX 4.3 a fill is a"
    yield from ("status: ExecType 1 or 2.", "", "| tag | field | says |", "|---|---|---|")
    for said in words.REPORT:
        yield f"| {said.tag} | {_name(said.tag)} | {said.says} |"
    yield from ("", "## TradeCaptureReport (AE)", "")
    yield "568 names the request; NoSides (552) is 1, and 54, 37, 11 and 1 are its side's."
    yield from ("", "| tag | field | says |", "|---|---|---|")
    for said in (*words.TRADE, *words.TRADE_SIDE):
        yield f"| {said.tag} | {_name(said.tag)} | {said.says} |"
    yield from ("", "## OrdStatus (39)", "", "| order | OrdStatus |", "|---|---|")
    for status in OrdStatus:
        code = words.ORD_STATUSES[status]
        yield f"| `{status}` | {code} {_meaning(39, code)} |"
    yield from ("", "## OrdRejReason (103)", "")
    yield "Where a version does not have the value, it is 99 or 0; Text (58) always has the reason."
    yield from ("", "| reason | OrdRejReason |", "|---|---|")
    for reason in Reason:
        code = words.ORD_REJ_REASONS.get(reason, words.EXCEEDS)
        yield f"| `{reason}` | {code} {_meaning(103, code)} |"


def _name(tag: int, of: Dictionary = LATEST) -> str:
    field = of.field(tag) or dictionary("FIX.4.2").field(tag)
    return field.name if field else "?"


def _meaning(tag: int, value: str) -> str:
    field = LATEST.field(tag)
    said = field.values.get(value, "") if field else ""
    return said.lower().replace("_", " ")
