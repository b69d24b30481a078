"""What a load asks of a house besides orders: what trades, at which price, and accounts to use."""

import http.client
import time
from typing import Any, Final
from urllib.parse import quote

import msgspec

from fondaco.bench.doors import Target, split
from fondaco.bench.flow import Flow, Market

BASE_FUNDS: Final = "10000"
QUOTE_FUNDS: Final = "100000000"
REFRESH_S: Final = 1.0


class Asked(Exception):
    """The house answered something else than was needed."""


class Client:
    """One kept connection for the questions before and after a run."""

    def __init__(self, target: Target, timeout_s: float = 30.0) -> None:
        self.target = target
        self._http = http.client.HTTPConnection(target.host, target.port, timeout=timeout_s)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and decoded body."""
        content = b"" if body is None else msgspec.json.encode(body)
        headers = {
            "Authorization": f"Bearer {self.target.token}",
            "Content-Type": "application/json",
        }
        try:
            self._http.request(method, path, content, headers)
            answer = self._http.getresponse()
            text = answer.read()
        except http.client.HTTPException as lost:
            self._http.close()
            raise Asked(f"{method} {path}: {lost!r}") from lost
        is_json = "json" in answer.headers.get("Content-Type", "")
        return answer.status, msgspec.json.decode(text) if is_json and text else text.decode()

    def need(self, method: str, path: str, body: object = None) -> Any:
        """The body of an answer that is a success."""
        status, answer = self.ask(method, path, body)
        if status >= 300:
            raise Asked(f"{method} {path} was answered {status}: {answer}")
        return answer

    def close(self) -> None:
        self._http.close()


def market_of(client: Client, symbol: str = "") -> Market:
    """The instrument to load, the first that is listed unless named, and where it stands now."""
    listed = client.need("GET", "/api/instruments")["items"]
    found = [each for each in listed if symbol in ("", each["symbol"])]
    if not found:
        raise Asked(f"{symbol} is not among {[each['symbol'] for each in listed]}")
    instrument = found[0]
    px = mark_px(client.need("GET", prices_path(instrument["symbol"])))
    tick, px_decimals = scaled(instrument["tick_size"])
    lot, qty_decimals = scaled(instrument["lot_size"])
    return Market(
        instrument["symbol"], whole(px, px_decimals), tick, px_decimals, lot, qty_decimals
    )


def prices_path(symbol: str) -> str:
    return f"/api/market-data/prices/{quote(symbol, safe='')}"


def mark_px(price: dict[str, Any]) -> str:
    mark = price.get("mark")
    if not mark:
        raise Asked(f"there is no price of {price.get('symbol')} yet: {price}")
    return str(mark["price"])


def scaled(decimal: str) -> tuple[int, int]:
    """ "0.25" as 25 and 2."""
    decimals = len(decimal.partition(".")[2])
    return int(decimal.replace(".", "")), decimals


def whole(decimal: str, decimals: int) -> int:
    """In units of 10^-decimals; finer digits are cut."""
    before, _, after = decimal.partition(".")
    return int(before + after[:decimals].ljust(decimals, "0"))


def open_accounts(client: Client, count: int, symbol: str) -> list[str]:
    """Accounts bench-0 …, opened and funded; those of an earlier run are taken as they are."""
    if count == 1:
        return ["demo"]
    names = [f"bench-{nth}" for nth in range(count)]
    base, _, quote_asset = symbol.partition("-")
    for name in names:
        client.need("POST", "/api/accounts", {"account_id": name})
        for asset, amount in ((base, BASE_FUNDS), (quote_asset, QUOTE_FUNDS)):
            deposit = {"asset": asset, "amount": amount, "transfer_id": f"bench-{asset}"}
            client.need("POST", f"/api/accounts/{name}/deposits", deposit)
    return names


class Quotes:
    """Asks for the price now and then on a connection of its own, within the load's loop."""

    def __init__(self, target: Target, flow: Flow, market: Market) -> None:
        self.sock = target.connect()
        self._request = target.head("GET", prices_path(market.symbol)) + b"\r\n"
        self._flow, self._market = flow, market
        self._answer = b""
        self._is_open = False  # a slow house may take longer than we wait until we ask again
        self._next = time.perf_counter() + REFRESH_S

    def look(self, now: float) -> None:
        """Ask again when it is time."""
        if now >= self._next and not self._is_open:
            self._next = now + REFRESH_S
            self._is_open = True
            self.sock.send(self._request)

    def read(self) -> None:
        self._answer += self.sock.recv(1 << 16)
        found = split(self._answer)
        if found is None:
            return
        self._answer, self._is_open = b"", False
        status, body = found
        if status == 200:
            px = whole(mark_px(msgspec.json.decode(body)), self._market.px_decimals)
            self._flow.reprice(self._market._replace(px=px))
