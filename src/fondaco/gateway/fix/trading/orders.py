"""The application "orders": a counterparty trades for the accounts of one API key.

Everything that happens to these accounts is reported, whoever asked for it. A message whose turn
is not durable is not done: after a crash it comes again, and the same ClOrdID is the same order.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from fondaco.domain.fix.api import Message, Unsupported
from fondaco.domain.identity.model import Action, TooMany
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.api import orders as od
from fondaco.domain.trading.api.orders import stream_of_account, stream_of_order
from fondaco.domain.trading.model import AccountId, account_stream
from fondaco.gateway.fix.line import Application, Line
from fondaco.gateway.fix.trading import lists, words
from fondaco.gateway.fix.trading.actions import CANCEL_ALL, CHANGES, LOOK, PLACE, TRADES
from fondaco.gateway.fix.trading.blotter import (
    Asked,
    Blotter,
    CancelReject,
    Known,
    ListTold,
    Told,
)
from fondaco.gateway.fix.trading.hub import Hub
from fondaco.gateway.fix.trading.naming import CANCEL, key_of
from fondaco.gateway.fix.trading.usual import usual
from fondaco.gateway.fix.trading.writing import Writing
from fondaco.gateway.house import Caller
from fondaco.kernel.errors import Denied, FondacoError, Invalid, NotFound, Unavailable
from fondaco.kernel.event import Command, Entry, StreamId, fingerprint, request_id
from fondaco.kernel.operation import Stamp
from fondaco.runtime.committer import Outcome

NOT_AUTHORIZED, NOT_AVAILABLE, OTHER = 6, 4, 0


class Watching:
    """What every application that reports on accounts does. `who` gives the caller as the identity
    room has it now, or raises `Denied`; the first account is the default one."""

    is_copy = False

    def __init__(
        self, hub: Hub, who: Callable[[], Caller], accounts: Sequence[str], writing: Writing
    ) -> None:
        self.hub, self.house, self.who = hub, hub.house, who
        self.accounts, self.writing = tuple(accounts), writing
        self.line: Line | None = None
        self._done: list[int] = []
        self._admitted: tuple[int, str, str, Any] = (-1, "", "", None)
        self._placing: set[str] = set()  # ClOrdIDs whose turn is not durable yet

    def up(self, line: Line) -> None:
        """The first time: what was decided since this session was last told."""
        if self.line is not None:
            return
        self.line = line
        after = line.mark or self.hub.position
        self.tell(self.hub.missed(self.accounts, after))
        for account in self.accounts:
            self.hub.subscribe(account, self)

    def down(self, line: Line, reason: str) -> None:
        """Reports go on; they are asked for at the next logon."""

    def tell(self, told: Sequence[Told]) -> None:
        line = self.line
        if line is None or not told:
            return
        opened, new = self.writing.opened, []
        with line.gathered():
            for each in told:
                if isinstance(each, words.Report) and each.is_new:
                    new.append((opened(each, is_copy=self.is_copy), each.position))
                    continue
                if new:
                    line.send_all("8", new)
                    new = []
                if isinstance(each, CancelReject | ListTold):
                    if not self.is_copy:
                        self._answer(line, each)
                    continue
                each.is_copy = self.is_copy
                line.send("8", self.writing.report(each), mark=each.position)
            if new:
                line.send_all("8", new)

    def _answer(self, line: Line, told: CancelReject | ListTold) -> None:
        """What only those hear who trade."""
        if isinstance(told, CancelReject):
            line.send("9", self.writing.cancel_reject(told), mark=told.position)
        else:
            line.send("N", self.writing.list_status(told), mark=told.position)

    # --- For those who ask ----------------------------------------------------------------------

    def _account(self, of: words.Readable) -> str:
        account = of.text(1) or self.accounts[0]
        if account not in self.accounts:
            raise Invalid(f"{account[:64]} is no account of this session")
        return account

    def _blotter(self, of: words.Readable) -> Blotter:
        """The account that a message names: by itself, or by its OrderID."""
        by_order = (of.text(37) or "").rpartition(".")[0]
        account = of.text(1) or by_order
        return self.hub.blotter(account if account in self.accounts else self.accounts[0])

    def authorise(self, account: str, action: Action) -> Caller:
        """As every door does. Raises `Unsupported`, which is answered with its reason."""
        return self._authorised(account, action, None)[0]

    def _authorised(self, account: str, action: Action, ask: Any) -> tuple[Caller, bool]:
        """And whether the same is so for whatever else is asked of the account now."""
        try:
            caller = self.who()
            return caller, self.house.authorise(caller, action, (account,), ask, "fix", "")
        except (Denied, NotFound) as error:
            raise Unsupported(NOT_AUTHORIZED, error.message) from error

    def admit(self, account: str, line: Line, action: Action, ask: Any) -> Caller:
        """Who asks, and whether the house takes on more, is looked at once for what came at once,
        where the policy says the same of all of it; how often they ask, for each."""
        if self._admitted[:3] == (line.reads, account, action.operation):
            caller: Caller = self._admitted[3]
        else:
            caller, is_same = self._authorised(account, action, ask)
            pressure = self.house.pressure()
            if pressure is not None:
                raise Unsupported(NOT_AVAILABLE, pressure.message)
            if is_same:
                self._admitted = line.reads, account, action.operation, caller
        try:
            self.house.rates.check(caller, line.peer)
        except TooMany as error:
            raise Unsupported(OTHER, error.message) from error
        return caller


class Orders(Watching):
    """Takes orders, and with `market` what is asked about the market."""

    market: Application | None = None

    def down(self, line: Line, reason: str) -> None:
        if self.market is not None:
            self.market.down(line, reason)

    def received(self, line: Line, message: Message, seq_num: int) -> bool | None:
        take = _TAKEN.get(message.msg_type)
        if take is not None:
            return take(self, line, message, seq_num)
        if self.market is None:
            raise Unsupported()
        return self.market.received(line, message, seq_num)

    # --- NewOrderSingle (D), NewOrderList (E) ---------------------------------------------------

    def place(self, line: Line, message: Message, seq_num: int) -> bool | None:
        found = usual(message, self.accounts, self.accounts[0])
        if found is None:
            try:
                ask = self.order_of(message)
            except (Invalid, ValueError) as error:
                line.send("8", self.writing.refused(message, _said(error), seq_num))
                return None
            found = ask.account_id, od.order_ask(ask)
        account, asked = found
        self.admit(account, line, PLACE, asked)
        command = od.place_ask(asked, self.house.now())
        is_again = asked.cl_ord_id in self._placing
        settled = partial(self._placed, line, message, seq_num, is_again)
        taken = self.submit(account_stream(AccountId(account)), command, settled, seq_num)
        self._placing.add(asked.cl_ord_id)
        return taken

    def order_of(self, of: words.Readable) -> od.PlaceOrderRequest:
        said = {**words.read(words.ORDER, of), "account_id": self._account(of)}
        return msgspec.convert(said, od.PlaceOrderRequest)

    def _placed(
        self, line: Line, message: Message, seq_num: int, is_again: bool, outcome: Outcome
    ) -> None:
        self._placing.discard(message.text(11) or "")
        if isinstance(outcome, FondacoError):
            if not isinstance(outcome, Unavailable):
                line.send("8", self.writing.refused(message, outcome.message, seq_num, "6"))
            return
        if outcome[-1].position > self.hub.position:
            # It is reported with everything that this commit has brought; a retry within it after.
            if is_again:
                loop = asyncio.get_running_loop()
                loop.call_soon(self._placed_before, line, message, seq_num, outcome)
            return
        self._placed_before(line, message, seq_num, outcome)

    def _placed_before(
        self, line: Line, message: Message, seq_num: int, outcome: Sequence[Entry]
    ) -> None:
        """The same request again: how it stands."""
        for entry in outcome:
            event = entry.event
            if isinstance(event, ev.OrderRejected):  # it was refused before, and still is
                reason = words.ORD_REJ_REASONS.get(event.reason, words.EXCEEDS)
                text = f"{event.reason}: {event.text}"
                line.send("8", self.writing.refused(message, text, seq_num, reason))
                return
        known = self._blotter(message).find(message.text(11) or "")
        if known is None:
            text = "another order was placed under this ClOrdID"
            line.send("8", self.writing.refused(message, text, seq_num, "6"))
            return
        report = self._blotter(message).status(known, self.house.now())
        line.send("8", self.writing.report(report))

    def place_list(self, line: Line, message: Message, seq_num: int) -> bool | None:
        entries = message.group(73, self.writing.dictionary)
        return lists.place(self, line, message, seq_num, entries)

    # --- OrderCancelRequest (F), OrderCancelReplaceRequest (G) ----------------------------------

    def cancel(self, line: Line, message: Message, seq_num: int) -> bool | None:
        return self._change(line, message, seq_num, "1")

    def replace(self, line: Line, message: Message, seq_num: int) -> bool | None:
        return self._change(line, message, seq_num, "2")

    def _change(self, line: Line, message: Message, seq_num: int, kind: str) -> bool | None:
        blotter = self._blotter(message)
        known = blotter.find(message.text(41) or "", message.text(37) or "")
        if known is None:
            text = "unknown_order"
            line.send("9", self.writing.change_refused(message, blotter, None, kind, text))
            return None
        try:
            ask = self._change_of(f"{blotter.account}.{known.number}", message, kind)
            caller = self.admit(blotter.account, line, CHANGES[kind], ask)
            command = self._changing(ask, known, message, self.stamp_of(caller, message, line))
        except (Invalid, ValueError) as error:
            line.send("9", self.writing.change_refused(message, blotter, known, kind, _said(error)))
            return None
        asked = Asked(message.text(11) or "", kind)
        known.asked = known.asked or asked
        if kind == "2":
            blotter.asked[asked.cl_ord_id] = Asked(known.cl_ord_id, kind)
        settled = partial(self._changed, line, message, blotter, known, kind)
        try:
            return self.submit(stream_of_order(ask), command, settled, seq_num)
        except Unsupported:
            known.asked = None if known.asked is asked else known.asked
            raise

    def _change_of(self, called: str, message: Message, kind: str) -> Any:
        if kind == "1":
            return od.CancelOrderRequest(called)
        said = {**words.read(words.REPLACE, message), "order_id": called}
        return msgspec.convert(said, od.ReplaceOrderRequest)

    def _changing(self, ask: Any, known: Known, message: Message, stamp: Stamp) -> Command:
        if isinstance(ask, od.CancelOrderRequest):
            key = key_of(CANCEL, message.text(11) or "", f"{stamp.caller}/{stamp.idempotency_key}")
            named = request_id(key, fingerprint(ask))
            return ev.CancelOrder(named, stamp.at, known.number)
        return od.replace(ask, stamp)

    def _changed(
        self,
        line: Line,
        message: Message,
        blotter: Blotter,
        known: Known,
        kind: str,
        outcome: Outcome,
    ) -> None:
        """What was decided is reported as it is committed; here is what leaves no report."""
        if isinstance(outcome, Unavailable):
            return
        text = outcome.message if isinstance(outcome, FondacoError) else ""
        if not isinstance(outcome, FondacoError):
            denied = [e.event for e in outcome if isinstance(e.event, ev.ChangeDenied)]
            if denied and known.asked is None:
                text = denied[0].text
            elif outcome[-1].position <= self.hub.position:  # it was answered before
                line.send("8", self.writing.report(blotter.status(known, self.house.now())))
        if text:
            line.send("9", self.writing.change_refused(message, blotter, known, kind, text))

    # --- OrderMassCancelRequest (q), OrderStatusRequest (H), OrderMassStatusRequest (AF) --------

    def cancel_all(self, line: Line, message: Message, seq_num: int) -> bool | None:
        asked = message.text(530) or ""
        try:
            said = {**words.read(words.MASS_CANCEL, message), "account_id": self._account(message)}
            if asked not in ("1", "7"):
                raise Invalid(f"530={asked[:20]} is not served here; 1 and 7 are")
            if asked == "7":
                said.pop("symbol", None)
            elif "symbol" not in said:
                raise Invalid("530=1 names a Symbol (55)")
            ask = msgspec.convert(said, od.CancelOrdersRequest)
        except (Invalid, ValueError) as error:
            line.send("r", self.writing.mass_canceled(message, "0", 0, _said(error)))
            return None
        stamp = self.stamp_of(self.admit(ask.account_id, line, CANCEL_ALL, ask), message, line)
        settled = partial(self._all_canceled, line, message, asked)
        return self.submit(stream_of_account(ask), od.cancel_all(ask, stamp), settled, seq_num)

    def _all_canceled(self, line: Line, message: Message, asked: str, outcome: Outcome) -> None:
        if isinstance(outcome, FondacoError):
            line.send("r", self.writing.mass_canceled(message, "0", 0, outcome.message))
            return
        touched = {
            entry.event.number
            for entry in outcome
            if isinstance(entry.event, ev.CancelRequested | ev.OrderCanceled)
        }
        line.send("r", self.writing.mass_canceled(message, asked, len(touched)))

    def status(self, line: Line, message: Message, seq_num: int) -> None:
        blotter = self._blotter(message)
        self.authorise(blotter.account, LOOK)
        known = blotter.find(message.text(11) or "", message.text(37) or "")
        if known is None:
            line.send("8", self.writing.refused(message, "unknown_order", seq_num, "5", "I"))
        else:
            line.send("8", self.writing.report(blotter.status(known, self.house.now())))

    def mass_status(self, line: Line, message: Message, seq_num: int) -> None:
        try:
            blotter = self.hub.blotter(self._account(message))
        except Invalid as error:
            raise Unsupported(OTHER, error.message) from error
        self.authorise(blotter.account, LOOK)
        symbol = message.text(55)
        found = [k for k in blotter.open_orders() if symbol is None or k.symbol == symbol]
        if not found:
            text = "no order is open"
            line.send("8", self.writing.refused(message, text, seq_num, "5", "I"))
        with line.gathered():
            for number, known in enumerate(found, 1):
                report = blotter.status(known, self.house.now())
                report.mass_status, report.total = message.text(584) or "", str(len(found))
                report.is_last = "Y" if number == len(found) else ""
                line.send("8", self.writing.report(report))

    # --- TradeCaptureReportRequest (AD) ---------------------------------------------------------

    def trades(self, line: Line, message: Message, seq_num: int) -> bool | None:
        """Every execution of the account that fits OrderID, ClOrdID and Symbol, where given.
        The journal is read on another thread: an account may have had many."""
        if not self.writing.has_trades:
            raise Unsupported()
        try:
            named = self._account(message)
        except Invalid as error:
            raise Unsupported(OTHER, error.message) from error
        account = named if message.text(1) else self._blotter(message).account
        self.authorise(account, TRADES)
        if message.text(569) not in ("0", "1") or message.text(263) not in (None, "0"):
            text = "TradeRequestType 0 and 1 are served, once and not as a subscription"
            line.send("AQ", self.writing.trades_asked(message, "8", text=text))
            return None
        loop = asyncio.get_running_loop()
        reading = loop.run_in_executor(None, self.hub.missed, (account,), 0)
        reading.add_done_callback(partial(self._show_trades, line, message, seq_num))
        return False

    def _show_trades(
        self, line: Line, message: Message, seq_num: int, reading: "asyncio.Future[list[Told]]"
    ) -> None:
        order_id, symbol = message.text(37), message.text(55)
        known = self._blotter(message).find(message.text(11) or "", order_id or "")
        if known is not None:
            order_id = f"{self._blotter(message).account}.{known.number}"
        named = order_id or message.text(11)
        reports = [told for told in reading.result() if isinstance(told, words.Report)]
        amended = {told.ref_id for told in reports if told.ref_id}
        found = [
            told
            for told in reports
            if told.exec_type in ("F", "G")
            and told.exec_id not in amended
            and (not named or told.order_id == named)
            and (not symbol or told.symbol == symbol)
        ]
        with line.gathered():
            line.send("AQ", self.writing.trades_asked(message, "0", len(found)))
            for told in found:
                line.send("AE", self.writing.trade(told, message.text(568) or ""))
            line.done(seq_num)

    # --- Turns ----------------------------------------------------------------------------------

    def submit(
        self,
        stream: StreamId,
        command: Command,
        settled: Callable[[Outcome], None],
        seq_num: int,
    ) -> bool:
        """Take the turn; the message is done once what it did is durable."""
        try:
            answer = self.house.submit(stream, command)
        except Unavailable as error:
            raise Unsupported(NOT_AVAILABLE, error.message) from error
        except FondacoError as error:
            raise Unsupported(OTHER, error.message) from error

        def then(outcome: Outcome) -> None:
            settled(outcome)
            if not self._done:
                asyncio.get_running_loop().call_soon(self._flush)
            self._done.append(seq_num)

        answer.then(then)
        return False

    def _flush(self) -> None:
        done, self._done = self._done, []
        if self.line is not None:
            with self.line.gathered():
                self.line.all_done(done)

    def stamp_of(self, caller: Caller, message: Message, line: Line) -> Stamp:
        """The same ClOrdID of the same session is the same request, whenever it comes again."""
        key = f"{line.id}/{message.msg_type}/{message.text(11) or message.text(66) or ''}"
        return Stamp(self.house.now(), key, caller.name, caller.tenant, key)


class DropCopy(Watching):
    """Is told everything that happens to its accounts, and asks for nothing."""

    is_copy = True

    def received(self, line: Line, message: Message, seq_num: int) -> None:
        raise Unsupported()


def _said(error: Exception) -> str:
    return error.message if isinstance(error, FondacoError) else str(error)


_TAKEN: Final = {
    "D": Orders.place,
    "E": Orders.place_list,
    "K": lists.cancel,
    "M": lists.status,
    "F": Orders.cancel,
    "G": Orders.replace,
    "q": Orders.cancel_all,
    "H": Orders.status,
    "AF": Orders.mass_status,
    "AD": Orders.trades,
}
