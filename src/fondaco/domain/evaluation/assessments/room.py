"""Assessments present themselves to app.py: their streams, what they tell accounts, and what may be
asked."""

from typing import Final, get_args

from fondaco.domain.evaluation.assessments.api import OPERATIONS
from fondaco.domain.evaluation.assessments.events import AssessmentEvent
from fondaco.domain.evaluation.assessments.model import PREFIX
from fondaco.domain.evaluation.assessments.policies import policies
from fondaco.domain.evaluation.assessments.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(
    name="assessments",
    prefix=PREFIX,
    decider=decider,
    policies=policies,
    operations=OPERATIONS,
    kinds=get_args(AssessmentEvent),
)
