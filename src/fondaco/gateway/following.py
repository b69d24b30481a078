"""Assessments over /ws/trading: how far each is to its limits, as that changes.

    {"op":"follow","id":1,"assessments":["asm-0123456789abcdef"]}
    {"op":"unfollow","id":2,"assessments":["asm-0123456789abcdef"]}

What is followed is told as it stands, and from there on: at once where a rule warns or is broken,
a day or a stage begins, or it ends; and up to four times a second where equity has moved by more
than a two-thousandth of what may be lost. Each message is the whole of it, so a peer that does not
read fast enough is told less often, and misses nothing. Only who may see an assessment may follow
it: the same answer as `GET /api/assessments/{assessment_id}`.
"""

import asyncio
from collections.abc import Callable
from typing import Annotated, Final, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.evaluation.api import AssessmentMessage, AssessmentRequest, AssessmentText
from fondaco.gateway.rest import Endpoint
from fondaco.gateway.talk import Done, Id, Talk
from fondaco.kernel.errors import FondacoError, Invalid, NotFound
from fondaco.kernel.operation import Stamp

FOLLOWED_MAX: Final = 100
AssessmentTexts = Annotated[list[AssessmentText], Meta(min_length=1, max_length=FOLLOWED_MAX)]


class Follow(msgspec.Struct, frozen=True, tag_field="op", tag="follow", forbid_unknown_fields=True):
    assessments: AssessmentTexts
    id: Id = None


class Unfollow(
    msgspec.Struct, frozen=True, tag_field="op", tag="unfollow", forbid_unknown_fields=True
):
    assessments: AssessmentTexts
    id: Id = None


class Feed(Protocol):
    """The source "assessment_feed" of the house."""

    async def follow(
        self, assessment_id: str, stamp: Stamp, hear: Callable[[AssessmentMessage], bool]
    ) -> Callable[[], None]:
        """Raises `NotFound`."""
        ...


class Following:
    """What one peer follows. `endpoint` is that of the assessment itself, whose rights these are;
    None: this house has no assessments."""

    def __init__(self, talk: Talk, endpoint: Endpoint | None) -> None:
        self._talk, self._endpoint = talk, endpoint
        self._stops: dict[str, Callable[[], None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def begin(self, ask: Follow) -> None:
        """Raises `Denied`, `NotFound` and `Invalid`."""
        talk, endpoint = self._talk, self._endpoint
        caller = talk.known()
        if endpoint is None:
            raise NotFound("there are no assessments here")
        if len({*self._stops, *ask.assessments}) > FOLLOWED_MAX:
            raise Invalid(f"a connection follows {FOLLOWED_MAX} assessments at most; unfollow some")
        address = talk.socket.address
        for name in ask.assessments:
            request = AssessmentRequest(name)
            talk.house.authorise(caller, endpoint.action, (), request, "ws", address)
        name = talk.context.names.next()
        stamp = Stamp(talk.house.now(), name, caller.name, caller.tenant, name)
        task = talk.socket.loop.create_task(self._follow(ask, stamp))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow(self, ask: Follow, stamp: Stamp) -> None:
        talk = self._talk
        feed: Feed = talk.house.source("assessment_feed")
        try:
            for each in ask.assessments:
                stop = await feed.follow(each, stamp, self._hear)
                self._drop(each)  # this one takes its place
                if self._is_closed:
                    stop()
                    return
                self._stops[each] = stop
            talk.say(Done(ask.id, 200, "follow"))
        except FondacoError as error:
            talk.fail(ask.id, error)

    def end(self, ask: Unfollow) -> None:
        for each in ask.assessments:
            self._drop(each)
        self._talk.say(Done(ask.id, 200, "unfollow"))

    def _drop(self, assessment_id: str) -> None:
        stop = self._stops.pop(assessment_id, None)
        if stop is not None:
            stop()

    def _hear(self, message: AssessmentMessage) -> bool:
        if self._talk.socket.is_slow:
            return False
        self._talk.say(message)
        return True

    def closed(self) -> None:
        self._is_closed = True
        for each in list(self._stops):
            self._drop(each)
