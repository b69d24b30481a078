"""Who is simulated: a kind of trader, days of a file that came with the request, or those that an
account of this house has traded."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

from fondaco.app.house import Kernel
from fondaco.app.performance import sheets
from fondaco.domain.evaluation.offering.api import JournalText
from fondaco.domain.evaluation.simulation.traders import Trader, trader_of
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import Scope
from fondaco.domain.performance.api import Asked as TradesAsked
from fondaco.domain.performance.api import TradedReply, journal_of
from fondaco.kernel.errors import Invalid
from fondaco.kernel.operation import Stamp

JOURNAL_TRADES_MAX: Final = 10_000


class Traders:
    """In a thread: the views are read."""

    def __init__(
        self,
        kernel: Kernel,
        directory: Directory,
        reading: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        self._kernel, self._directory, self._reading = kernel, directory, reading

    def trader(self, by: Stamp, text: str, journals: Sequence[JournalText]) -> Trader:
        """Raises `Invalid`, `Denied` for an account that is none of the caller's, and `NotFound`
        for one that there is not. A file would be one of the house's machine, so that journals come
        with the request."""
        kind, _, rest = text.partition(":")
        name, _, more = rest.partition(",")
        more = f",{more}" if more else ""
        if kind == "account":
            caller = self._directory.caller_named(by.tenant, by.caller)
            caller.require(Scope.TIERS_WRITE, name)
            found = self._journal(by.tenant, name)
            return _kept_small(trader_of(f"journal:size={found.size}{more}", found.text))
        if kind == "journal":
            given = next((each for each in journals if each.name == name), None)
            if given is None:
                raise Invalid(f"trader {text[:80]}: {name[:64]} is not one of journals")
            return _kept_small(trader_of(text, given.text))
        return trader_of(text)

    def days(self, by: Stamp, text: str, journals: Sequence[JournalText]) -> Trader:
        """Of a journal alone."""
        if text.partition(":")[0] not in ("account", "journal"):
            raise Invalid(f"journal is {text[:80]}, must be account:ID or journal:NAME")
        return self.trader(by, text, journals)

    def _journal(self, tenant: str, account: str) -> TradedReply:
        statistics = sheets(lambda: self._kernel.board)
        with self._reading() as conn:
            now = self._kernel.now()
            return journal_of(statistics.sheet(conn, tenant, account, TradesAsked(), now))


def _kept_small(trader: Trader) -> Trader:
    """The journal keeps all of it. Raises `Invalid`."""
    if len(trader.results) > JOURNAL_TRADES_MAX:
        raise Invalid(
            f"the journal has {len(trader.results)} trades, at most {JOURNAL_TRADES_MAX} are kept"
        )
    return trader
