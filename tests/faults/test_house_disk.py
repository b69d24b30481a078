"""A disk that is full or fails under a running house: a clear 503, nothing acknowledged is lost,
and it serves again, by itself, when the disk does."""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from running import Client, Running, house, order

SMALL: Final = ("--set", "segment_bytes=1048576")
MIB: Final = 1 << 20


class Ledger:
    """What a client that asks until it is answered has been told."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.accepted: dict[str, str] = {}  # cl_ord_id -> order_id
        self.in_doubt: list[str] = []
        self._asked = 0

    def place(self) -> int:
        """One new order; answers the status. Checks that a failure says what to do."""
        self._asked += 1
        return self._ask(f"disk-{self._asked}")

    def place_until(self, status: int, *, within_s: float = 15.0) -> None:
        until = time.perf_counter() + within_s
        while (answered := self.place()) != status:
            assert answered in (201, 503)
            assert time.perf_counter() < until, f"no {status} in {within_s} s: {answered}"
            if answered == 503:
                time.sleep(0.05)

    def retry(self) -> None:
        """Those in doubt, with the same content: each is accepted, once."""
        doubted, self.in_doubt = self.in_doubt, []
        for cl_ord_id in doubted:
            assert self._ask(cl_ord_id) == 201, cl_ord_id

    def _ask(self, cl_ord_id: str) -> int:
        asked = order(cl_ord_id, price="30000.00", order_qty="0.001")
        reply = self.client.ask("POST", "/api/orders", asked)
        if reply.status == 201:
            self.accepted[cl_ord_id] = reply.body["order_id"]
        else:
            assert reply.status == 503, reply
            assert reply.body["code"] == "unavailable"
            assert reply.body["retryable"] is True
            assert len(reply.body["message"]) > 20
            self.in_doubt.append(cl_ord_id)
        return reply.status

    def check(self, client: Client) -> None:
        """Everything accepted is there once."""
        position = client.ask("POST", "/api/orders", order("check")).body["position"]
        listed = client.all(f"/api/orders?account_id=demo&limit=500&min_position={position}")
        times = Counter(each["cl_ord_id"] for each in listed)
        assert {each: times[each] for each in self.accepted} == dict.fromkeys(self.accepted, 1)
        ids = {each["cl_ord_id"]: each["order_id"] for each in listed}
        assert {each: ids[each] for each in self.accepted} == self.accepted


def serves_again(running: Running, ledger: Ledger, data: Path) -> None:
    """Orders are accepted, those in doubt are settled, and a kill and restart loses none."""
    ledger.place_until(201)
    ledger.retry()
    ledger.check(ledger.client)
    running.kill()
    with house(data, options=SMALL) as again:
        ledger.check(again.client())


def test_a_limit_on_file_sizes(tmp_path: Path) -> None:
    """Needs no rights: the kernel refuses what lies beyond the limit, as a full disk would."""
    data = tmp_path / "house"
    with house(data, options=SMALL) as running:
        ledger = Ledger(running.client())
        ledger.place_until(201)
        _, hard = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (4_096, hard))
        ledger.place_until(503)
        assert [ledger.place() for _ in range(5)] == [503] * 5
        assert running.client().ask("GET", "/health").status == 200
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        serves_again(running, ledger, data)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A data directory whose journal is on a file system of its own, of 6 MiB."""
    data = tmp_path / "house"
    where = data / "journal"
    where.mkdir(parents=True)
    mount, umount = shutil.which("mount"), shutil.which("umount")
    made = mount and [mount, "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(where)]
    if os.geteuid() or not made or subprocess.run(made, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield data
    subprocess.run([umount or "", "-l", str(where)], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    with house(small_disk, options=SMALL) as running:
        ledger = Ledger(running.client())
        ledger.place_until(201)
        ballast = small_disk / "journal" / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4_096))
        client = running.client()
        for nth in range(1_000):  # there is room in the segments that were made already
            batch = [order(f"wide-{nth}-{at}", price="30000.00") for at in range(500)]
            answer = client.ask("POST", "/api/orders/bulk", {"orders": batch})
            if answer.status == 503 or not answer.body["accepted"]:
                break
        ledger.place_until(503)
        ballast.unlink()
        serves_again(running, ledger, small_disk)


def test_a_log_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    """The log often lies on the disk that is full."""
    with house(tmp_path / "house", log=Path("/dev/full")) as running:
        client = running.client(timeout_s=5)
        for nth in range(5):
            unknown = running.client("nobody", timeout_s=5)  # at WARN, this writes a line
            assert unknown.ask("POST", "/api/orders", order("x")).status == 401
            assert client.ask("POST", "/api/orders", order(f"full-{nth}")).status == 201


def test_a_sync_that_fails(tmp_path: Path) -> None:
    """EIO out of fdatasync, for as long as a tracer is attached that says so."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    data = tmp_path / "house"
    with house(data, options=SMALL) as running:
        ledger = Ledger(running.client())
        ledger.place_until(201)
        fault = ("-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO")
        tracer = subprocess.Popen(
            [strace, "-f", "-o", "/dev/null", *fault, "-p", str(running.process.pid)],
            stderr=subprocess.PIPE,
        )
        try:
            assert tracer.stderr
            said = tracer.stderr.readline()
            if b"attached" not in said:
                pytest.skip(f"strace is not permitted here: {said.decode()}")
            ledger.place_until(503)
            assert [ledger.place() for _ in range(5)] == [503] * 5
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait()
        serves_again(running, ledger, data)
