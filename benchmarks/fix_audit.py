"""`fondaco fix audit` beside tshark's decode of the same capture, in the same run.

    python benchmarks/fix_audit.py [--mb 64] [--file CAPTURE]

Prints MB/s with session statistics alone and with every detector, the process's peak memory, and
tshark's time for fields of FIX (Debian package tshark) with its count of messages. A figure over
100 is not ours to claim alone: the ratios are what to look at.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fondaco.domain.fix.capture.writing import pcap
from fondaco.domain.surveillance.fix.drill.generated import MONDAY
from fondaco.domain.surveillance.fix.drill.line import NS, TradingLine
from fondaco.kernel.seeded import Seeded

HEAD = 24
AUDIT = """
import resource, sys, time
from pathlib import Path
from fondaco.app.fix.audit import audit
began = time.perf_counter()
report = audit([Path(sys.argv[1])], threats=sys.argv[2] == "threats")
took = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(took, report.messages, peak, len(report.alerts))
"""


def make(path: Path, megabytes: int) -> None:
    """A busy day of eight sessions, written piece by piece."""
    dice = Seeded(7)
    lines = [
        TradingLine(
            dice.child(f"line {n}"), b"BUYER%d" % n, b"\x0a\x02\x00" + bytes([10 + n]), MONDAY
        )
        for n in range(8)
    ]
    for line in lines:
        line.wait(9 * 3600 * NS)
        line.logon()
    with path.open("wb") as file:
        file.write(pcap([])[:HEAD])
        while file.tell() < megabytes * 1_000_000:
            for line in lines:
                for _ in range(200):
                    line.trade()
            packets = sorted(
                (each for line in lines for each in line.packets), key=lambda each: each.at
            )
            file.write(pcap(packets)[HEAD:])
            for line in lines:
                line.packets.clear()


def ours(path: Path, what: str) -> tuple[float, int, int, int]:
    ran = subprocess.run(
        [sys.executable, "-c", AUDIT, str(path), what], capture_output=True, text=True, check=True
    )
    took, messages, peak, alerts = ran.stdout.split()
    return float(took), int(messages), int(peak), int(alerts)


def tshark(path: Path) -> tuple[float, int] | None:
    """Seconds and messages, or None where it is not installed."""
    program = shutil.which("tshark")
    if program is None:
        return None
    port = ["-d", "tcp.port==9876,fix"]
    fields = ["-e", "fix.MsgType", "-e", "fix.MsgSeqNum", "-e", "fix.SenderCompID"]
    began = time.perf_counter()
    ran = subprocess.run(
        [program, "-r", str(path), *port, "-Y", "fix", "-T", "fields", *fields],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    took = time.perf_counter() - began
    types = (row.partition("\t")[0] for row in ran.stdout.splitlines())
    return took, sum(len([each for each in row.split(",") if each]) for row in types)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=64)
    parser.add_argument("--file", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = asked.file or Path(folder) / "flow.pcap"
        if asked.file is None:
            make(path, asked.mb)
        size = path.stat().st_size / 1e6
        print(f"{size:.0f} MB")
        seconds = {}
        for what in ("sessions", "threats"):
            took, messages, peak, alerts = ours(path, what)
            seconds[what] = took
            print(
                f"fondaco, {what:<9} {size / took:8.1f} MB/s  {messages} messages, "
                f"{messages / took:,.0f}/s, {peak} MB of memory, {alerts} alerts"
            )
        peer = tshark(path)
        if peer is None:
            print("tshark is not installed: apt-get install tshark")
            return 0
        took, messages = peer
        print(f"tshark             {size / took:8.1f} MB/s  {messages} messages")
        for what, mine in seconds.items():
            print(f"fondaco with {what}: {took / mine:.1f} times as fast as tshark")
    print(f"(peak of this script {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
