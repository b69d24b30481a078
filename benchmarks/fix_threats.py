"""Detection and false alarms of the thirty FIX threat patterns, on seeds that nobody tuned with.

    python benchmarks/fix_threats.py [--seeds 10] [--from 1000] [--orders 60] [--sessions 3]

For each pattern and seed a week of order flow with that attack in it is generated and read like
any capture; it is detected where an alert of the pattern, above LOW, falls into the attack's time.
False alarms are alerts above LOW on as many weeks of clean flow, in all and a session and day.

Then behaviour: a baseline is learned from the first six days of a week, and the seventh is judged
by it; on that day a session trades otherwise without breaking any rule, or nothing is different.
The thirty patterns alone are told beside it. Needs scikit-learn.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from fondaco.app.fix.audit import Audit
from fondaco.app.fix.baseline import learn
from fondaco.domain.fix.capture.packets import Packets
from fondaco.domain.fix.capture.tally import Tally
from fondaco.domain.surveillance.fix.drill.attacks import ATTACKS
from fondaco.domain.surveillance.fix.drill.behaviours import BEHAVIOURS
from fondaco.domain.surveillance.fix.drill.generated import LAST_DAY, Drill, drill, parted
from fondaco.domain.surveillance.fix.patterns import BEHAVIOUR, PATTERNS
from fondaco.domain.surveillance.fix.watch import Watch
from fondaco.domain.surveillance.model import Alert, Severity

NS = 1_000_000_000
PIECE = 1 << 20


def alerts_of(done: Drill) -> list[Alert]:
    """Those above LOW."""
    watch, tally, packets = Watch(), Tally(), Packets()
    watch.begin("drill")
    for at in range(0, len(done.capture) + PIECE, PIECE):
        piece = done.capture[at : at + PIECE]
        for seen in packets.feed(piece) if piece else packets.finish():
            line = tally.line_of(seen)
            watch.see(seen, line)
            tally.count(seen, line)
        watch.after(packets.flows)
    watch.finish(packets.flows)
    return [alert for alert in watch.alerts if alert.severity > Severity.LOW]


def judged(done: Drill, folder: Path) -> list[Alert]:
    """Alerts above LOW of the last day, by a baseline of the days before it."""
    before, day = parted(done.capture, LAST_DAY)
    learned, now = folder / "before.pcap", folder / "day.pcap"
    learned.write_bytes(before)
    now.write_bytes(day)
    watch = Watch(baseline=learn([learned]))
    found = Audit(watch)
    found.read(now)
    return [alert for alert in watch.alerts if alert.severity > Severity.LOW]


def behaviour(seeds: range, sessions: int, orders: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        false = [
            alert for seed in seeds for alert in judged(drill(seed, "", sessions, orders), folder)
        ]
        days = len(seeds) * (sessions + 1)
        each = ", ".join(
            f"{kind} {sum(alert.pattern == kind for alert in false)}" for kind in sorted(BEHAVIOUR)
        )
        print(f"\nbehaviour beside a baseline of six days; clean: {len(false)} false alarms in "
              f"{days} session-days ({each})\n")  # fmt: skip
        print(f"{'the last day':<14} {'by baseline':>12} {'B01':>5} {'B02':>5} {'B03':>5}"
              f" {'thirty patterns':>17}")  # fmt: skip
        for kind in BEHAVIOURS:
            hits = {}
            for seed in seeds:
                done = drill(seed, kind, sessions, orders)
                told = {
                    alert.pattern for alert in judged(done, folder) if done.victim in alert.subject
                }
                for pattern in told:
                    hits[pattern] = hits.get(pattern, 0) + 1
                hits["any"] = hits.get("any", 0) + bool(told & set(BEHAVIOUR))
                hits["rules"] = hits.get("rules", 0) + bool(told & set(PATTERNS))
            n = len(seeds)
            rate = f"{hits['any']}/{n}"
            counts = " ".join(f"{hits.get(pattern, 0):>5}" for pattern in sorted(BEHAVIOUR))
            print(f"{kind:<14} {rate:>12} {counts} {hits['rules']:>17}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--from", type=int, default=1000, dest="first")
    parser.add_argument("--orders", type=int, default=60)
    parser.add_argument("--sessions", type=int, default=3)
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.seeds)
    began = time.perf_counter()
    false: dict[str, int] = dict.fromkeys(PATTERNS, 0)
    days = 0
    for seed in seeds:
        clean = drill(seed, "", asked.sessions, asked.orders)
        days += clean.sessions * clean.days
        for alert in alerts_of(clean):
            false[alert.pattern] += 1
    print(f"{asked.seeds} seeds from {asked.first}; {days} session-days of clean flow\n")
    print(f"{'':4} {'pattern':<30} {'detected':>9} {'false alarms':>13} {'a session-day':>14}")
    total = 0
    for name in sorted(ATTACKS):
        hits = 0
        for seed in seeds:
            done = drill(seed, name, asked.sessions, asked.orders)
            hits += any(
                alert.pattern == name
                and done.began <= alert.last_at
                and alert.first_at <= done.ended + 60 * NS
                for alert in alerts_of(done)
            )
        total += hits
        rate = f"{hits}/{asked.seeds}"
        title = PATTERNS[name].title
        print(f"{name:4} {title:<30} {rate:>9} {false[name]:>13} {false[name] / days:>14.4f}")
    share = total / (len(ATTACKS) * asked.seeds)
    alarms = sum(false.values())
    print(f"\ndetected {share:.1%}; {alarms} false alarms, {alarms / days:.4f} a session-day")
    behaviour(seeds, asked.sessions, asked.orders)
    print(f"({time.perf_counter() - began:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
