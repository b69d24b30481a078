"""docs/fix-venue.md: how orders are routed out over FIX, and what is said of each."""

from collections.abc import Iterator
from typing import Final

from fondaco.domain.fix import Dictionary, dictionary
from fondaco.gateway.fix.venue import words

LATEST: Final = dictionary("FIX.5.0SP2")
NAMES: Final = {
    "D": "NewOrderSingle (D)",
    "F": "OrderCancelRequest (F)",
    "G": "OrderCancelReplaceRequest (G)",
    "H": "OrderStatusRequest (H)",
}
INTRO: Final = """# A counterparty as a venue

Made by `make docs` from the tables that requests are written with; a test compares the two.

Orders of the house can go out over FIX, to a broker, an exchange or another house. Two demo houses,
of which the second sends every order to the first:

    fondaco up --demo --fix-port 9880
    fondaco up --demo --data second --port 8001 --fix-venue 127.0.0.1:9880

Place an order at the second (`http://127.0.0.1:8001`): it executes, or rests, at the first. Stop
the first and look at what rests: UNKNOWN. Start it again: it is what it was, or what it became
meanwhile.

A session of `fix.toml` ([FIX sessions](fix-sessions.md)) says to whom and what:

```toml
[[session]]
begin_string = "FIX.4.4"
sender_comp_id = "HOUSE"
target_comp_id = "BROKER"
role = "initiator"
connect = ["broker.example:9880", "standby.broker.example:9880"]
application = "venue"
venue = { mic = "BRKR", symbols = { "BTC-USD" = "BTC/USD" }, account = "HOUSE-1" }
```

`mic` is the venue's name here. `symbols` are the instruments whose orders go there, as a list or as
a table of what they call them; none: all that the house has no book of its own for. `answer_s` (5)
is for how long an answer may be awaited, `mass_status = true` asks about all orders at once. The
routes are written to the journal when the house starts; an order keeps the venue that it went to.
Prices, limits and risk are still the house's own: the instrument's feed values it.

- A request leaves once its entry is committed. After `kill -9` what was sent is known from the
  tape, what was not sent never is: the order is rejected with `venue_away`. So is one that is
  placed while they are not logged on. A cancel is kept and asked for by them when they are back.
- A report is done once what it says is durable; else it is asked for again. An ExecID counts once.
- Where they are away or silent for `answer_s`, an order is UNKNOWN and counts at its worst case. At
  each logon they are asked about every order (H, or AF); what they say resolves it.
- Nothing is guessed. Where a status or an end says that more has executed than we were told, the
  order stays UNKNOWN, and the executions are asked for (TradeCaptureReportRequest, AD); a
  TradeCaptureReport (AE) with an ExecID that was counted is not counted again. Where they do not
  answer that, people must. Where they do not know an order that they never acknowledged, it has
  never arrived; where they have acknowledged it, it stays UNKNOWN.
- A trade that they take back (ExecType H; before FIX 4.3 ExecTransType 1) is reversed beside what
  was booked: money, position and fees are as if it had never been. One that they correct (G; 2) is
  reversed, and booked as it was, under one entry. ExecRefID names the ExecID of the trade, or of
  its last correction. An order that works has that much more to execute; one that was done stays
  done with less, and is CANCELED where it was FILLED. FIX clients and drop copies of ours are told
  by the same ExecTypes, with our ExecID of the trade as ExecRefID; `fondaco why` tells it, and
  `GET /api/executions` says `amended` of the trade that was none. Where something has reduced a
  margin account's position since, what was realized and what is left are divided as they were.
- What they take back and we never counted, and an execution at a price that is no multiple of our
  tick, is not booked: it is in the journal as `venues.trade_disputed.v1`, in the log, and is
  answered by BusinessMessageReject.
- Stops, trailing stops and brackets stay at the house, which sends what they become. Market orders
  go as a limit at their protection, immediate or cancel; orders by notional are rejected.
"""


def page() -> Iterator[str]:
    yield INTRO.rstrip()
    for msg_type, rows in words.OUT.items():
        yield from ("", f"## {NAMES[msg_type]}", "", "| tag | field | says |", "|---|---|---|")
        for row in rows:
            yield f"| {row.tag} | {name(LATEST, row.tag)} | {row.says} |"


def name(of: Dictionary, tag: int) -> str:
    field = of.field(tag)
    assert field is not None, tag
    return field.name
