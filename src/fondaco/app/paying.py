"""Event contracts that settle: from what their exchange says to what every account is paid.

What the market says of a contract is observed, and moves nothing by itself. It is asked of the
house, whose stream decides; so is what an operator says. Once the house has settled a contract, the
accounts that have anything of it, by the views, are asked to look. Each decides for itself, and who
is asked twice does nothing: so everybody is asked again when the house starts, and whoever comes by
a settled contract afterwards (a fill that is told late, a transfer) is asked then.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, TypeAlias

from fondaco.app.house import Kernel
from fondaco.domain.market.model import Finality
from fondaco.domain.reference.events import ContractMoved, MoveContract
from fondaco.domain.reference.model import HOUSE_STREAM, Outcome, Stage, Symbol
from fondaco.domain.trading.events import (
    CashDeposited,
    FillConfirmed,
    FillFailed,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRefused,
    RecordFinality,
    SettleContract,
    TransferReceived,
    TransferVoided,
)
from fondaco.domain.trading.model import AccountId, AccountState, account_stream
from fondaco.domain.trading.store import queries
from fondaco.kernel.event import CommandId, Entry, Instant, StreamId
from fondaco.kernel.money import AssetCode

# Who has settled contracts, or open orders in them, once the views show this position.
Holders: TypeAlias = Callable[[Sequence[AssetCode], Sequence[Symbol], int], Awaitable[list[str]]]
_QUIET: Final = frozenset({Stage.CREATED, Stage.OPEN, Stage.PAUSED})
_OURS: Final = "market/"  # begins the ids of what we ask because the market said so
_BRINGS: Final = frozenset(
    {
        OrderFilled,
        OrderCanceled,
        OrderExpired,
        OrderRefused,
        CashDeposited,
        FillConfirmed,
        FillFailed,
        TransferReceived,
        TransferVoided,
    }
)


class Paying:
    """On the loop's thread. `died` is told when a look for holders has ended badly."""

    def __init__(
        self, kernel: Kernel, holders: Holders, died: Callable[["asyncio.Task[None]"], None]
    ) -> None:
        self._kernel = kernel
        self._holders = holders
        self._died = died
        self._settled: dict[AssetCode, Symbol] = {}  # by what their holders own
        self._looking: set[asyncio.Task[None]] = set()

    @property
    def looking_count(self) -> int:
        """Looks for holders that are under way."""
        return len(self._looking)

    def start(self) -> None:
        """Take over what the house knows, then follow. The views stand where the journal does."""
        kernel = self._kernel
        now = kernel.now()
        for symbol, outcome in kernel.refs.contracts.items():
            if symbol in kernel.board.contracts:
                kernel.board.restore_contract(symbol, outcome.stage, outcome.payout, now)
            if outcome.stage is Stage.SETTLED:
                self._settled[kernel.refs.instruments[symbol].base] = symbol
        kernel.board.on_contract.append(self.hear_market)
        kernel.board.on_finality.append(self.hear_trade)
        kernel.listeners.append(self.hear)
        if self._settled:
            self._look(list(self._settled), list(self._settled.values()), 0)

    # --- What is said of contracts ----------------------------------------------------------------

    def hear_market(self, symbol: Symbol) -> None:
        """The exchange moved a contract: ask it of the house, unless that knows. While it is open
        there is nothing to decide, unless the house has closed it."""
        contract, known = self._kernel.board.contracts[symbol], self._known(symbol)
        stage, payout = contract.stage, contract.determined
        if stage is known.stage and payout in (-1, known.payout):
            return
        if stage in _QUIET and (stage is not Stage.OPEN or known.stage in _QUIET):
            return
        now, source = self._kernel.now(), self._kernel.board.books[symbol].source
        command = MoveContract(
            CommandId(f"{_OURS}{symbol}/{len(contract.history)}/{now}"),
            now,
            symbol,
            stage,
            "its exchange says so",
            payout,
            source or "feed",
        )
        self._kernel.ask_again_until_done(HOUSE_STREAM, command)

    def hear_trade(self, name: str, finality: Finality) -> None:
        """The exchange said what a trade of ours has become: `name` is account, order and
        execution, as we call it. What is nobody's here is left alone."""
        order, _, exec_number = name.rpartition(".")
        account, _, number = order.rpartition(".")
        if account not in self._kernel.accounts or not (number + exec_number).isdecimal():
            return
        now = self._kernel.now()
        command = RecordFinality(
            CommandId(f"{_OURS}{name}/{finality}/{now}"),
            now,
            int(number),
            int(exec_number),
            finality,
            "its exchange says so",
            "feed",
        )
        self._kernel.ask_again_until_done(account_stream(AccountId(account)), command)

    def _known(self, symbol: Symbol) -> Outcome:
        memory = self._kernel.peek(HOUSE_STREAM)
        contracts: dict[Symbol, Outcome] = {} if memory is None else memory.state.contracts
        return contracts.get(symbol, Outcome())

    # --- What was written -------------------------------------------------------------------------

    def hear(self, entries: Sequence[Entry]) -> None:
        """Entries of one commit."""
        for entry in entries:
            kind = type(entry.event)
            if kind is ContractMoved:
                self._moved(entry)
            elif self._settled and kind in _BRINGS:
                self._brought(entry.stream)

    def _moved(self, entry: Entry) -> None:
        event: ContractMoved = entry.event  # type: ignore[assignment]
        kernel, symbol = self._kernel, event.symbol
        contract = kernel.board.contracts.get(symbol)
        is_told = entry.caused_by.startswith(_OURS)  # else an operator knows better than the market
        if contract is not None and not is_told and contract.stage is not event.stage:
            book = kernel.board.books[symbol]
            kernel.board.contract_moves(book, event.stage, entry.at, event.payout)
        if event.stage is Stage.SETTLED:
            asset = kernel.refs.instruments[symbol].base
            self._settled[asset] = symbol
            self._look([asset], [symbol], entry.position)

    def _brought(self, stream: StreamId) -> None:
        memory = self._kernel.peek(stream)
        if memory is None or not isinstance(memory.state, AccountState):
            return
        for asset, units in memory.state.balances.items():
            if units and asset in self._settled:
                self._ask(stream, self._settled[asset])

    def _ask(self, stream: StreamId, symbol: Symbol) -> None:
        now: Instant = self._kernel.now()
        command = SettleContract(CommandId(f"settle/{symbol}/{now}"), now, symbol)
        self._kernel.ask_again_until_done(stream, command)

    # --- Who is paid ------------------------------------------------------------------------------

    def _look(self, assets: Sequence[AssetCode], symbols: Sequence[Symbol], position: int) -> None:
        async def look() -> None:
            for account in await self._holders(assets, symbols, position):
                await self._check(account_stream(AccountId(account)), symbols)

        task = asyncio.create_task(look(), name="settling contracts")
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)
        task.add_done_callback(self._died)

    async def _check(self, stream: StreamId, symbols: Sequence[Symbol]) -> None:
        """Ask an account of what it has, so that it is not asked of everything else."""
        await self._kernel.wake(stream)
        memory = self._kernel.peek(stream)
        if memory is None:  # its owner has just lost it, to a commit that failed
            for symbol in symbols:
                self._ask(stream, symbol)
            return
        state, instruments = memory.state, self._kernel.refs.instruments
        at_work = {order.symbol for order in state.working.values()}
        for symbol in symbols:
            if symbol in at_work or state.balances.get(instruments[symbol].base):
                self._ask(stream, symbol)


def pay_contracts(
    kernel: Kernel,
    reading: Callable[[], AbstractContextManager[Any]],
    wait_for_views: Callable[[int], Awaitable[None]],
    died: Callable[["asyncio.Task[None]"], None],
) -> Paying:
    """Positions in event contracts are paid as these settle, from here on."""

    async def holders(assets: Sequence[str], symbols: Sequence[str], position: int) -> list[str]:
        def look() -> list[str]:
            with reading() as conn:
                return queries.holders(conn, assets, symbols)

        await wait_for_views(position)
        return await asyncio.to_thread(look)

    paying = Paying(kernel, holders, died)
    paying.start()
    return paying
