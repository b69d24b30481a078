"""Detection and false alarms of the thirty FIX threat patterns, on seeds that nobody tuned with.

    python benchmarks/fix_threats.py [--seeds 10] [--from 1000] [--orders 60] [--sessions 3]

For each pattern and seed a week of order flow with that attack in it is generated and read like
any capture; it is detected where an alert of the pattern, above LOW, falls into the attack's time.
False alarms are alerts above LOW on as many weeks of clean flow, in all and a session and day.
"""

import argparse
import sys
import time

from fondaco.domain.fix.capture.packets import Packets
from fondaco.domain.fix.capture.tally import Tally
from fondaco.domain.surveillance.fix.drill.attacks import ATTACKS
from fondaco.domain.surveillance.fix.drill.generated import Drill, drill
from fondaco.domain.surveillance.fix.patterns import PATTERNS
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
    print(f"({time.perf_counter() - began:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
