"""The peer's side of benchmarks/peer_fastapi.py, as one would write it with these three."""

import hashlib
from decimal import ROUND_CEILING, Decimal
from typing import Any, Literal

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

SCHEMA = (
    """create table balances (account_id text, asset text, amount numeric(38, 10) not null,
       held numeric(38, 10) not null default 0, check (held <= amount),
       primary key (account_id, asset)) with (fillfactor = 50)""",
    """create table orders (order_id bigint generated always as identity primary key,
       account_id text not null, cl_ord_id text not null, fingerprint bytea not null,
       symbol text not null, side text not null, ord_type text not null,
       order_qty numeric(38, 10) not null, price numeric(38, 10) not null,
       time_in_force text not null, ord_status text not null,
       at timestamptz not null default now(), unique (account_id, cl_ord_id))""",
    "insert into balances values ('demo', 'USD', 100000000), ('demo', 'BTC', 10000)",
)
OPEN = text(
    "insert into balances values (:account_id, 'USD', 100000000), (:account_id, 'BTC', 10000)"
    " on conflict do nothing"
)
INSERT = text(
    "insert into orders (account_id, cl_ord_id, fingerprint, symbol, side, ord_type, order_qty,"
    " price, time_in_force, ord_status) values (:account_id, :cl_ord_id, :fingerprint, :symbol,"
    " :side, :ord_type, :order_qty, :price, :time_in_force, 'new')"
    " on conflict (account_id, cl_ord_id) do nothing returning order_id"
)
HOLD = text(
    "update balances set held = held + :need where account_id = :account_id"
    " and asset = :asset and amount - held >= :need returning held"
)
EARLIER = text(
    "select order_id, fingerprint from orders"
    " where account_id = :account_id and cl_ord_id = :cl_ord_id"
)
AMOUNT = Field(gt=0, max_digits=28, decimal_places=9)
NOTIONAL_MAX = 10_000_000
COLLAR = (Decimal(25_000), Decimal(75_000))


class PlaceOrder(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    account_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    cl_ord_id: str = Field(pattern=r"^[A-Za-z0-9_.:+=-]{1,64}$")
    symbol: Literal["BTC-USD"]
    side: Literal["buy", "sell"]
    ord_type: Literal["limit"]
    order_qty: Decimal = AMOUNT
    price: Decimal = AMOUNT
    time_in_force: Literal["day", "gtc", "ioc", "fok"]


class Placed(BaseModel):
    order_id: str
    cl_ord_id: str
    ord_status: str
    leaves_qty: str
    position: int


def caller(authorization: str = Header("")) -> str:
    if authorization != "Bearer demo":
        raise HTTPException(401, "unauthenticated")
    return "demo"


async def booked(db: AsyncConnection, order: PlaceOrder, need: Decimal) -> int:
    """The order's number, after its commit; that of the first time, if it was asked before."""
    row = order.model_dump()
    row["fingerprint"] = hashlib.blake2b(repr(row).encode(), digest_size=16).digest()
    number: int | None = (await db.execute(INSERT, row)).scalar()
    if number is None:
        known = (await db.execute(EARLIER, row)).one()
        if bytes(known.fingerprint) != row["fingerprint"]:
            raise HTTPException(409, "key_reused")
        earlier: int = known.order_id
        return earlier
    asset = "USD" if order.side == "buy" else "BTC"
    held = {"account_id": order.account_id, "asset": asset, "need": need}
    if (await db.execute(HOLD, held)).scalar() is None:
        raise HTTPException(409, "exceeds_buying_power")
    await db.commit()
    return number


def application(engine: AsyncEngine) -> FastAPI:
    app = FastAPI()

    @app.post("/api/orders", status_code=201, response_model=Placed)
    async def place(order: PlaceOrder, _: str = Depends(caller)) -> Placed:
        notional = order.order_qty * order.price
        if not COLLAR[0] < order.price < COLLAR[1] or notional > NOTIONAL_MAX:
            raise HTTPException(409, "outside_collar")
        cost = notional.quantize(Decimal("1e-8"), ROUND_CEILING)
        async with engine.connect() as db:
            number = await booked(db, order, cost if order.side == "buy" else order.order_qty)
        return Placed(
            order_id=f"{order.account_id}.{number}",
            cl_ord_id=order.cl_ord_id,
            ord_status="new",
            leaves_qty=str(order.order_qty),
            position=number,
        )

    @app.post("/api/accounts", status_code=201)
    async def open_account(account: dict[str, Any]) -> dict[str, Any]:
        async with engine.begin() as db:
            await db.execute(OPEN, {"account_id": account["account_id"]})
        return account

    @app.post("/api/accounts/{account_id}/deposits", status_code=201)
    async def deposit(account_id: str) -> dict[str, str]:
        return {"account_id": account_id}  # funded when it was opened

    @app.get("/api/instruments")
    async def instruments() -> dict[str, Any]:
        return {"items": [{"symbol": "BTC-USD", "tick_size": "0.01", "lot_size": "0.00001"}]}

    @app.get("/api/market-data/prices/{symbol}")
    async def price(symbol: str) -> dict[str, Any]:
        return {"symbol": symbol, "mark": {"price": "50000.00"}}

    return app
