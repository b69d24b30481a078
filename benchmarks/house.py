"""A house on core 0 for the scripts beside this file; its follower and the load share core 1."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

SERVING, OTHERS = {0}, {1}


class House:
    """A running house in a child process."""

    def __init__(
        self,
        data: Path,
        options: Sequence[str] = (),
        *,
        feed: str = "synthetic",
        under: Sequence[str] = (),
    ) -> None:
        """`under` is what the process is started with: a command that runs another."""
        self.data = data
        python = [*under, sys.executable, "-m", "fondaco"]
        command = [*python, "up", "--data", str(data), "--port", "0"]
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [*command, "--feed", feed, "--demo", *options],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, SERVING),
        )
        assert self.process.stdout  # noqa: S101
        for line in self.process.stdout:
            if line.startswith("ready "):
                self.url = line.split()[1].rstrip("/")
                break
        else:
            raise SystemExit(f"the house ended with {self.process.wait()}")
        self.ready_s = time.perf_counter() - began
        for child in children(self.process.pid):
            pin(child, OTHERS)

    def rss_bytes(self) -> int:
        """Memory of the serving process that is in use now."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise LookupError("no VmRSS")

    def cpu_s(self) -> dict[str, float]:
        """CPU used so far by the serving process and by those that it started."""
        tick = os.sysconf("SC_CLK_TCK")
        found = {"serving": 0.0, "followers": 0.0}
        pids = [self.process.pid, *children(self.process.pid)]
        for pid, name in zip(pids, ["serving", *["followers"] * len(pids)], strict=False):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            found[name] += (int(fields[11]) + int(fields[12])) / tick
        return found

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def pin(pid: int, cores: set[int]) -> None:
    """Every thread of a process; those that it starts later do as their starter."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), cores)


@contextlib.contextmanager
def data_directory() -> Iterator[Path]:
    """On a disk: /tmp may be memory, where a sync costs nothing."""
    folder = Path(tempfile.mkdtemp(prefix="fondaco_", dir="/var/tmp"))
    try:
        yield folder / "house"
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def collector() -> Iterator[str]:
    """The address of one that takes spans and keeps nothing."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("otlp_sink.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as sink:
        assert sink.stdout  # noqa: S101
        try:
            yield sink.stdout.readline().strip()
        finally:
            sink.communicate()


@contextlib.contextmanager
def fresh(options: Sequence[str] = ()) -> Iterator[House]:
    """An empty house, killed and deleted at the end of the block."""
    os.sched_setaffinity(0, OTHERS)
    with data_directory() as data:
        house = House(data, options)
        try:
            yield house
        finally:
            house.kill()
