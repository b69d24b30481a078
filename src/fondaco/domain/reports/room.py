"""Reports present themselves to app.py: a stream for each tenant, and what may be asked."""

from typing import Final

from fondaco.domain.reports.api import OPERATIONS
from fondaco.domain.reports.events import ReportReady
from fondaco.domain.reports.model import PREFIX
from fondaco.domain.reports.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(
    name="reports",
    prefix=PREFIX,
    decider=decider,
    operations=OPERATIONS,
    kinds=(ReportReady,),
)
