"""A house that is killed just before an entry would be written: nothing of it is on the journal's
disk, and what it was told (by a provider, or by a client) may be elsewhere.

`python killing.py TAG python -m fondaco up …`: the first event of that tag kills it.
"""

import os
import signal
import sys
from collections.abc import Sequence

from fondaco.cli import main
from fondaco.kernel.event import Decision, Entry, Event
from fondaco.ports.journal.segments import SegmentJournal


def arm(tag: str) -> None:
    append = SegmentJournal.append

    def watched(journal: SegmentJournal, decisions: Sequence[Decision[Event]]) -> list[Entry]:
        tags = {str(e.__struct_config__.tag) for each in decisions for e in each.events}
        if tag in tags:
            os.kill(os.getpid(), signal.SIGKILL)
        return append(journal, decisions)

    SegmentJournal.append = watched  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    arm(sys.argv[1])
    sys.argv = ["fondaco", *sys.argv[5:]]
    sys.exit(main())
