"""What became of one seed, as people and scripts read it."""

from typing import Final

import msgspec

SHOWN: Final = 12  # of the last things that happened


class Report(msgspec.Struct, frozen=True):
    """`invariant` is "" where all is well; else it was broken at `step`."""

    seed: int
    steps: int  # as asked
    step: int  # requests and faults that there were
    invariant: str
    text: str
    entries: int
    lives: int
    faults: tuple[str, ...]  # the kinds that this seed chose
    virtual_s: float
    journal: str  # SHA-256 of all that was written, in order
    trace: tuple[str, ...] = ()

    def as_json(self) -> str:
        return msgspec.json.encode(self).decode()

    @property
    def again(self) -> str:
        return f"fondaco sim --seed {self.seed} --steps {self.steps} --verbose"


def text_of(report: Report) -> str:
    if not report.invariant:
        return (
            f"seed {report.seed}: every invariant holds after {report.step} steps, "
            f"{report.entries} entries, {report.lives} lives and {report.virtual_s:.1f} s; "
            f"journal {report.journal[:16]}"
        )
    lines = [
        f"seed {report.seed} broke an invariant at step {report.step}: {report.invariant}",
        f"  {report.text}",
        f"  what may go wrong under this seed: {', '.join(report.faults) or 'nothing'}",
        "  what happened last:",
        *(f"    {line}" for line in report.trace[-SHOWN:]),
        f"  see it again: {report.again}",
    ]
    return "\n".join(lines)
