"""The process that carries notices: begun with the first of them, and again whenever it dies."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event as Flag
from typing import Final

from fondaco.app.at_rest import open_sqlite
from fondaco.app.child import Child, begin_child
from fondaco.app.files import Files
from fondaco.app.machines import open_journal, open_records
from fondaco.app.notices.carriers import carriers, house_name
from fondaco.app.notices.engine import AT_ONCE, Engine
from fondaco.app.notices.known import RecordsKnown
from fondaco.app.secrets import sealing_at
from fondaco.app.turning import turn_until
from fondaco.app.webhooks.sender import Sender, sender_of
from fondaco.kernel.event import Instant
from fondaco.settings import Settings

NICENESS: Final = 5
WAIT_S: Final = 0.25
AGAIN_MAX_S: Final = 10.0


def deliver(files: Files, settings: Settings) -> None:
    """Run until standard input ends, which it does when the parent is gone."""
    stop = begin_child(NICENESS)
    with closing(sender_of(settings)) as sender:
        run(files, settings, sender, stop)


def run(files: Files, settings: Settings, sender: Sender, stop: Flag) -> None:
    now = lambda: Instant(time.time_ns())  # noqa: E731
    with (
        closing(open_journal(files)) as journal,
        closing(open_records(files)) as records,
        closing(open_sqlite(files, files.notices)) as queue,
        ThreadPoolExecutor(AT_ONCE, "notice") as pool,
    ):
        known = RecordsKnown(records, sealing_at(files), now, demo=settings.demo)
        ways = carriers(files, settings, sender)
        engine = Engine(journal, queue, known, ways, now, pool, house_name(settings))
        turn_until(
            stop,
            "notices",
            lambda: engine.step(WAIT_S) or bool(engine.under_way),
            WAIT_S,
            AGAIN_MAX_S,
        )


class Carrying(Child):
    """The child process, as its parent sees it."""

    def __init__(self, files: Files, settings: Settings) -> None:
        super().__init__(
            "carries notices",
            ["notify", "deliver", "--data", str(files.root)],
            {
                "JOURNAL": files.journal_at,
                "STORE": files.store_at,
                "DEMO": str(settings.demo).lower(),
                "ISSUER": settings.issuer,
                "MAIL_SERVER": settings.mail_server,
                "MAIL_FROM": settings.mail_from,
                "PAGER": settings.pager,
                "OUTBOUND_NETWORKS": settings.outbound_networks,
            },
        )
