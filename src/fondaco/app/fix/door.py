"""Which applications a house offers to the sessions of its file `fix.toml`.

`orders` trades and asks about the market, `drop_copy` is told what happens to accounts, `market`
asks about the market alone. Each acts in the name of one API key, and for the accounts named.
`venue` is the other way round: orders of the house go out to whom it connects to.
"""

from collections.abc import Callable, Iterable
from functools import partial
from re import fullmatch
from typing import Final, Protocol

from fondaco.app.house import Kernel
from fondaco.app.say import say
from fondaco.domain.identity.directory import Directory
from fondaco.domain.reference.events import ChangeRefused, SetRoute
from fondaco.domain.reference.model import HOUSE_STREAM, MIDPOINT_MIC, PAPER_MIC, POOL_MIC, Symbol
from fondaco.domain.trading.model import TradingRefs
from fondaco.domain.venues.crossing.model import MIC as CROSSING
from fondaco.gateway.fix.line import Application
from fondaco.gateway.fix.switchboard import Agreement
from fondaco.gateway.fix.trading.hub import Hub
from fondaco.gateway.fix.trading.market import Market
from fondaco.gateway.fix.trading.orders import DropCopy, Orders
from fondaco.gateway.fix.trading.writing import Writing
from fondaco.gateway.fix.venue.route import Route, VenueTerms
from fondaco.gateway.fix.venue.words import Speaking
from fondaco.gateway.house import Caller
from fondaco.gateway.house import House as GatewayHouse
from fondaco.kernel.errors import Denied, Invalid
from fondaco.kernel.event import CommandId

Make = Callable[[Agreement], Application]
OURS: Final = frozenset({PAPER_MIC, CROSSING, MIDPOINT_MIC, POOL_MIC})


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
        made.market = Market(house, kernel.board, house.refs, who)
        return made

    def drop_copy(agreement: Agreement) -> Application:
        accounts, who = _accounts(agreement), _who(house, agreement)
        return DropCopy(hub(), who, accounts, Writing(agreement.terms))

    def market(agreement: Agreement) -> Application:
        return Market(house, kernel.board, house.refs, _who(house, agreement))

    def venue(agreement: Agreement) -> Application:
        route = Route(
            kernel,
            lambda: house.refs().instruments,
            _terms(agreement),
            Speaking(agreement.terms),
            say=say,
        )
        if route.terms.mic in kernel.routes:
            raise Invalid(f"{agreement.terms.id}: mic {route.terms.mic} is another venue's already")
        kernel.routes[route.terms.mic] = lambda: route.is_up
        kernel.listeners.append(route.publish)
        return route

    return {"orders": orders, "drop_copy": drop_copy, "market": market, "venue": venue}


async def set_routes(kernel: Kernel, applications: Iterable[Application]) -> None:
    """New orders go where the file says from now on, and to their own venues where it says nothing.
    Raises `Invalid` for an instrument that cannot be routed."""
    routes = [each for each in applications if isinstance(each, Route)]
    wanted = {Symbol(symbol): each.terms.mic for each in routes for symbol in each.symbols}
    memory = kernel.peek(HOUSE_STREAM)
    known = memory.state.routes if memory is not None else {}
    for symbol in sorted({*wanted, *known}):
        mic, now = wanted.get(symbol, ""), kernel.now()
        if known.get(symbol, "") == mic:
            continue
        command = SetRoute(CommandId(f"route/{now}"), now, symbol, mic, "fix.toml", "start")
        refused = (await kernel.submit(HOUSE_STREAM, command))[0].event
        if isinstance(refused, ChangeRefused):
            raise Invalid(f"fix.toml: {refused.text}")


def _terms(agreement: Agreement) -> VenueTerms:
    name, terms = agreement.terms.id, agreement.venue
    if terms is None:
        raise Invalid(f"{name}: application 'venue' needs venue, such as {{ mic = \"BRKR\" }}")
    if terms.mic in OURS or not fullmatch("[A-Z0-9]{1,8}", terms.mic):
        raise Invalid(f"{name}: mic is {terms.mic!r}, must be its own 1 to 8 capitals or digits")
    if agreement.terms.role != "initiator":
        raise Invalid(f'{name}: a venue is connected to: role = "initiator"')
    return terms


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
