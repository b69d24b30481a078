"""What other rooms may ask of this one: an assessment's lines, as its own operations tell them."""

from fondaco.domain.evaluation.assessments.api import AssessmentPayoutLine as AssessmentPayoutLine
from fondaco.domain.evaluation.assessments.api import AssessmentRequest as AssessmentRequest
from fondaco.domain.evaluation.assessments.api import AssessmentText as AssessmentText
from fondaco.domain.evaluation.assessments.api import ConditionLine as ConditionLine
from fondaco.domain.evaluation.assessments.api import HeadroomLine as HeadroomLine
from fondaco.domain.evaluation.assessments.api import ViolationLine as ViolationLine
from fondaco.domain.evaluation.assessments.api import WordingPart as WordingPart
from fondaco.domain.evaluation.assessments.telling import AssessmentMessage as AssessmentMessage
