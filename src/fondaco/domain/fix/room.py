"""FIX presents itself to app.py: the streams of its sessions, and what operators may ask."""

from typing import Final, get_args

from fondaco.domain.fix.events import SessionEvent
from fondaco.domain.fix.looking import OPERATIONS as LOOKS
from fondaco.domain.fix.measuring import OPERATIONS as MEASURES
from fondaco.domain.fix.operating import OPERATIONS
from fondaco.domain.fix.rules import PREFIX, decider
from fondaco.domain.fix.trailing import OPERATIONS as TRAILS
from fondaco.domain.fix.uploading import OPERATIONS as UPLOADS
from fondaco.runtime.room import Room

room: Final = Room(
    name="fix",
    prefix=PREFIX,
    decider=decider,
    operations=(*OPERATIONS, *LOOKS, *MEASURES, *TRAILS, *UPLOADS),
    kinds=get_args(SessionEvent),
)
