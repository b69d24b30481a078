"""Bodies of the messages that the house sends, each in the order of its tags.

What a session's version of FIX does not know is left out, or said by the nearest that it knows.
"""

from collections.abc import Callable, Iterable
from typing import Final

from msgspec.structs import replace

from fondaco.domain.fix.api import OF_APPL_VER_ID, Dictionary, Field, Terms, dictionary
from fondaco.gateway.fix.trading.blotter import Blotter, CancelReject, Known, ListTold
from fondaco.gateway.fix.trading.words import (
    NEW,
    ORD_STATUSES,
    REPORT,
    TRADE,
    TRADE_SIDE,
    TRANS_TYPES,
    Readable,
    Report,
    utc,
)

NONE: Final = "NONE"  # OrderID of what never was an order
_OLD_STATUS: Final = frozenset(("FIX.4.0", "FIX.4.1", "FIX.4.2"))  # ExecType says fills by status
_SPOKEN: Final = {103: ("99", "0"), 102: ("99", "2")}  # for reasons that a version has not


class Writing:
    """How one session's version says it."""

    def __init__(self, terms: Terms) -> None:
        version = terms.id.begin_string
        if version == "FIXT.1.1":
            version = OF_APPL_VER_ID.get(terms.default_appl_ver_id or "9", "FIX.5.0SP2")
        self.dictionary: Dictionary = dictionary(version)
        self._is_old = version in _OLD_STATUS
        self._fields: dict[str, frozenset[int]] = {}
        self._rows = [row for row in REPORT if row.tag in self._known("8")]
        self._new = {
            (has_price, is_copy): self._template(has_price, is_copy)
            for has_price in (False, True)
            for is_copy in (False, True)
        }

    def report(self, report: Report) -> list[Field]:
        """ExecutionReport (8)."""
        if self._is_old:
            trans = TRANS_TYPES.get(report.exec_type, "0")
            report = replace(report, exec_type=_old_exec_type(report), trans=trans)
        body = []
        for row in self._rows:
            value = row.write(report)
            if value:
                body.append((row.tag, self._spoken(row.tag, value)))
        return body

    def opened(self, report: Report, *, is_copy: bool = False) -> bytes:
        """What `report` gives for one that `is_new`, as bytes: every value of it is plain text."""
        template, values = self._new[bool(report.price), is_copy]
        said = values(report)
        return (template % said).encode("latin-1", "replace")

    def refused(
        self, of: Readable, text: str, number: int, reason: str = "99", exec_type: str = "8"
    ) -> list[Field]:
        """ExecutionReport of what never became an order: nothing of it is in the journal."""
        return self._only(
            "8",
            [
                (6, "0"),
                (11, of.text(11) or ""),
                (14, "0"),
                (17, "0" if exec_type == "I" else f"R{number}"),
                (20, "3" if exec_type == "I" else "0"),
                (37, of.text(37) or NONE),
                (38, of.text(38) or ""),
                (39, "8"),
                (54, of.text(54) or "1"),
                (55, of.text(55) or ""),
                (58, text),
                (103, reason),
                (150, "8" if self._is_old else exec_type),
                (151, "0"),
                (584, of.text(584) or ""),
            ],
        )

    def cancel_reject(self, of: CancelReject) -> list[Field]:
        """OrderCancelReject (9)."""
        return self._only(
            "9",
            [
                (1, of.account),
                (11, of.cl_ord_id),
                (37, of.order_id),
                (39, of.ord_status),
                (41, of.orig_cl_ord_id),
                (58, of.text),
                (102, of.reason),
                (434, of.kind),
            ],
        )

    def change_refused(
        self, message: Readable, blotter: Blotter, known: Known | None, kind: str, text: str
    ) -> list[Field]:
        """OrderCancelReject of what no entry of the journal has answered."""
        unknown = known is None or text == "unknown_order"
        return self.cancel_reject(
            CancelReject(
                order_id=NONE if known is None else f"{blotter.account}.{known.number}",
                cl_ord_id=message.text(11) or "",
                orig_cl_ord_id=message.text(41) or "",
                ord_status="8" if known is None else ORD_STATUSES[known.status],
                kind=kind,
                reason="1" if unknown else "0" if text == "too_late" else "99",
                text=text,
                account=blotter.account,
            )
        )

    def mass_canceled(
        self, message: Readable, response: str, count: int, text: str = ""
    ) -> list[Field]:
        """OrderMassCancelReport (r); the orders' own reports say what becomes of each."""
        return self._only(
            "r",
            [
                (1, message.text(1) or ""),
                (11, message.text(11) or ""),
                (37, message.text(11) or NONE),
                (54, message.text(54) or ""),
                (55, message.text(55) or ""),
                (58, text),
                (530, message.text(530) or ""),
                (531, response),
                (532, "99" if response == "0" else ""),
                (533, str(count)),
                (1369, message.text(11) or NONE),
            ],
        )

    def list_status(self, of: ListTold) -> list[Field]:
        """ListStatus (N), in one message."""
        count = str(len(of.rows))
        head = [(60, utc(of.at)), (66, of.list_id or NONE), (68, count)]
        rest = [(82, "1"), (83, "1"), (429, of.kind), (431, of.status), (444, of.text)]
        layout = self.dictionary.layout("N")
        inside = layout.groups[73].members if layout else frozenset()
        entries = [(73, count.encode())]
        for row in of.rows:
            said = [
                (11, row.cl_ord_id),
                (14, row.cum_qty),
                (39, row.ord_status),
                (151, row.leaves_qty),
                (84, row.cxl_qty),
                (6, row.avg_px),
                (58, row.text),
            ]
            entries += [
                (tag, self._spoken(tag, text)) for tag, text in said if text and tag in inside
            ]
        return [*self._only("N", head), *entries, *self._only("N", rest)]

    @property
    def has_trades(self) -> bool:
        """Whether this version can say which trades there were."""
        return all(self.dictionary.layout(each) is not None for each in ("AE", "AQ"))

    def trade(self, report: Report, request: str) -> list[Field]:
        """TradeCaptureReport (AE): what an execution was, to who has asked."""
        said = [(row.tag, row.write(report)) for row in TRADE]
        head = self._only("AE", sorted([*said, (568, request)]))
        side = [(row.tag, row.write(report).encode("latin-1", "replace")) for row in TRADE_SIDE]
        before = [field for field in head if field[0] < 552]
        return [*before, (552, b"1"), *side, *(field for field in head if field[0] > 552)]

    def trades_asked(
        self, message: Readable, result: str, count: int = 0, text: str = ""
    ) -> list[Field]:
        """TradeCaptureReportRequestAck (AQ): 749=0 and how many there are, or why not."""
        return self._only(
            "AQ",
            [
                (55, message.text(55) or ""),
                (58, text),
                (568, message.text(568) or ""),
                (569, message.text(569) or ""),
                (748, str(count) if result == "0" else ""),
                (749, result),
                (750, "0" if result == "0" else "2"),
            ],
        )

    def _template(
        self, has_price: bool, is_copy: bool
    ) -> tuple[str, Callable[[Report], tuple[str, ...]]]:
        """The tags of a report of a new order, and what makes their values."""
        left_out = {*(() if has_price else (44,)), *(() if is_copy else (797,))}
        rows = [row for row in self._rows if row.tag in NEW - left_out]
        fixed = {6: "0", 14: "0", 20: "0", 150: "0", 797: "Y"}
        template = "".join(f"{row.tag}={fixed.get(row.tag, '%s')}\x01" for row in rows)
        writes = [row.write for row in rows if row.tag not in fixed]
        return template, lambda report: tuple([write(report) for write in writes])

    # --- What the version has -------------------------------------------------------------------

    def _only(self, msg_type: str, said: Iterable[tuple[int, str]]) -> list[Field]:
        known = self._known(msg_type)
        return [(tag, self._spoken(tag, value)) for tag, value in said if value and tag in known]

    def _known(self, msg_type: str) -> frozenset[int]:
        if msg_type not in self._fields:
            layout = self.dictionary.layout(msg_type)
            self._fields[msg_type] = layout.members if layout else frozenset()
        return self._fields[msg_type]

    def _spoken(self, tag: int, value: str) -> bytes:
        if tag in _SPOKEN:
            field = self.dictionary.field(tag)
            if field is not None and field.values and value not in field.values:
                value = next(each for each in _SPOKEN[tag] if each in field.values)
        return value.replace("\x01", " ").encode("latin-1", "replace")


def _old_exec_type(report: Report) -> str:
    """Before FIX 4.3 a fill is a status."""
    if report.exec_type in ("F", "I", "G", "H"):
        return report.ord_status
    return "0" if report.exec_type == "L" else report.exec_type
