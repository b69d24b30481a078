"""Which applications a house offers to the sessions of its file `fix.toml`.

`orders` trades and asks about the market, `drop_copy` is told what happens to accounts, `market`
asks about the market alone. Each acts in the name of one API key, and for the accounts named.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from fondaco.app.house import Kernel
from fondaco.domain.identity.directory import Directory
from fondaco.domain.trading.model import TradingRefs
from fondaco.gateway.fix.line import Application
from fondaco.gateway.fix.switchboard import Agreement
from fondaco.gateway.fix.trading.hub import Hub
from fondaco.gateway.fix.trading.market import Market
from fondaco.gateway.fix.trading.orders import DropCopy, Orders
from fondaco.gateway.fix.trading.writing import Writing
from fondaco.gateway.house import Caller
from fondaco.gateway.house import House as GatewayHouse
from fondaco.kernel.errors import Denied, Invalid

Make = Callable[[Agreement], Application]


class House(GatewayHouse, Protocol):
    """What the applications need of a house."""

    kernel: Kernel
    directory: Directory

    def refs(self) -> TradingRefs: ...


def applications(house: House) -> dict[str, Make]:
    """By the name that the file gives."""
    kernel = house.kernel
    hubs: list[Hub] = []

    def hub() -> Hub:
        """One for all sessions; a house without any does nothing for them."""
        if not hubs:
            hubs.append(Hub(house, house.refs, kernel.journal, kernel.committer.position))
            kernel.listeners.append(hubs[0].publish)
        return hubs[0]

    def orders(agreement: Agreement) -> Application:
        accounts, who = _accounts(agreement), _who(house, agreement)
        made = Orders(hub(), who, accounts, Writing(agreement.terms))
        made.market = Market(kernel.board, house.refs, who)
        return made

    def drop_copy(agreement: Agreement) -> Application:
        accounts, who = _accounts(agreement), _who(house, agreement)
        return DropCopy(hub(), who, accounts, Writing(agreement.terms))

    def market(agreement: Agreement) -> Application:
        return Market(kernel.board, house.refs, _who(house, agreement))

    return {"orders": orders, "drop_copy": drop_copy, "market": market}


def _accounts(agreement: Agreement) -> tuple[str, ...]:
    if not agreement.accounts:
        name, what = agreement.terms.id, agreement.application
        raise Invalid(f"{name}: application {what!r} needs accounts, such as ['demo']")
    return agreement.accounts


def _who(house: House, agreement: Agreement) -> Callable[[], Caller]:
    """The caller as the key has it at that moment. Raises `Invalid` for a key that is nobody's."""
    if not agreement.key_id:
        raise Invalid(f"{agreement.terms.id}: key_id must name an API key; `fondaco key list` does")
    who = partial(house.directory.holder, agreement.key_id)
    try:
        who()
    except Denied as error:
        said = f"key_id {agreement.key_id!r} is of no key that may be used"
        raise Invalid(f"{agreement.terms.id}: {said}") from error
    return who
