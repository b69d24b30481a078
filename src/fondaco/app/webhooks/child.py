"""The process that delivers webhooks: begun with the first of them, and again whenever it dies."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event as Flag
from typing import Final

from fondaco.app.at_rest import open_sqlite
from fondaco.app.child import Child, begin_child
from fondaco.app.files import Files
from fondaco.app.machines import open_journal, open_records
from fondaco.app.secrets import open_ring, sealing_at
from fondaco.app.turning import turn_until
from fondaco.app.webhooks.config import RecordsConfig
from fondaco.app.webhooks.engine import AT_ONCE, Engine
from fondaco.app.webhooks.sender import Sender, sender_of
from fondaco.kernel.event import Instant
from fondaco.settings import Settings

NICENESS: Final = 5
WAIT_S: Final = 0.1
AGAIN_MAX_S: Final = 10.0


def deliver(files: Files, settings: Settings) -> None:
    """Run until standard input ends, which it does when the parent is gone."""
    stop = begin_child(NICENESS)
    with closing(sender_of(settings)) as sender:
        run(files, sender, stop)


def run(files: Files, sender: Sender, stop: Flag) -> None:
    now = lambda: Instant(time.time_ns())  # noqa: E731
    with (
        closing(open_journal(files)) as journal,
        closing(open_records(files)) as records,
        closing(open_sqlite(files, files.webhooks)) as queue,
        ThreadPoolExecutor(AT_ONCE, "webhook") as pool,
    ):
        config = RecordsConfig(records, sealing_at(files), open_ring(files), now)
        engine = Engine(journal, queue, config, sender.post, now, pool)
        turn_until(
            stop,
            "webhooks",
            lambda: engine.step(WAIT_S) or bool(engine.under_way),
            WAIT_S,
            AGAIN_MAX_S,
        )


class Deliverer(Child):
    """The child process, as its parent sees it."""

    def __init__(self, files: Files, settings: Settings) -> None:
        super().__init__(
            "delivers webhooks",
            ["webhook", "deliver", "--data", str(files.root)],
            {
                "JOURNAL": files.journal_at,
                "STORE": files.store_at,
                "DEMO": str(settings.demo).lower(),
                "OUTBOUND_NETWORKS": settings.outbound_networks,
            },
        )
