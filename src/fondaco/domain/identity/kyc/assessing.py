"""Risk assessments: answers are kept, so that another questionnaire scores them anew."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec

from fondaco.domain.identity import store as identity
from fondaco.domain.identity.kyc import risk, store
from fondaco.domain.identity.kyc.events import QuestionnairePublished, RiskAssessed
from fondaco.domain.identity.kyc.profiles import may_see
from fondaco.domain.identity.kyc.risk import BUILT_IN, Questionnaire, Scored
from fondaco.domain.identity.kyc.shown import (
    AssessmentShown,
    PublishedQuestionnaire,
    QuestionnaireShown,
    Result,
)
from fondaco.domain.identity.model import Caller, Scope, UserId
from fondaco.domain.identity.people.desk import Sealing
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant
from fondaco.ports.store import Store


class _Kept(msgspec.Struct, frozen=True):
    now: Scored
    before: Result | None = None


_questions: Final = msgspec.json.Decoder(Questionnaire).decode
_answers: Final = msgspec.json.Decoder(dict[str, str]).decode
_scored: Final = msgspec.json.Decoder(_Kept).decode
_write: Final = msgspec.json.Encoder().encode


class Assessing:
    """Safe to call from any thread."""

    def __init__(self, records: Store, clock: Callable[[], Instant], sealing: Sealing) -> None:
        self._records, self._clock, self._sealing = records, clock, sealing
        records.create(store.metadata)

    def asked(self, tenant: str) -> QuestionnaireShown:
        with self._records.reading() as conn:
            version, found = self._newest(conn, tenant)
        return QuestionnaireShown(version=version, questions=found.questions, bands=found.bands)

    def assess(self, caller: Caller, user: str, answers: Mapping[str, str]) -> AssessmentShown:
        """Raises `Invalid` for answers that do not fit, `Denied`, `NotFound`."""
        may_see(caller, user, Scope.KYC_WRITE)
        tenant = caller.tenant
        with self._records.writing() as conn:
            identity.user(conn, tenant, UserId(user))
            version, asked = self._newest(conn, tenant)
            scored = risk.score(asked, answers)
            self._put(conn, tenant, user, (version, answers), scored, "answers")
        return self.shown(caller, user)

    def shown(self, caller: Caller, user: str) -> AssessmentShown:
        may_see(caller, user)
        with self._records.reading() as conn:
            identity.user(conn, caller.tenant, UserId(user))
            row = store.assessment(conn, caller.tenant, user)
        if row is None:
            return AssessmentShown(user=user, state="none")
        kept = self._kept(row)
        now = kept.now
        return AssessmentShown(
            user=user, state=row.state, questionnaire=row.questionnaire, score=now.score,
            score_max=now.score_max, profile=now.profile, by_points=now.by_points, text=now.text,
            explained=now.explained, caps=now.caps, before=kept.before, assessed_at=str(row.at),
        )  # fmt: skip

    def check(self, asked: Questionnaire) -> None:
        if said := risk.wrong_with(asked):
            raise Invalid(f"nobody can be asked this: {said}")

    def publish(self, tenant: str, asked: Questionnaire, by: str) -> PublishedQuestionnaire:
        """Everybody's answers are scored anew; where they do not fit, they are asked for again,
        and what they came to before stands until then."""
        self.check(asked)
        at, rescored, again = self._clock(), 0, 0
        text = _write(asked)
        with self._records.writing() as conn:
            version = self._newest(conn, tenant)[0] + 1
            store.add_questionnaire(conn, tenant=tenant, version=version, text=text, by=by, at=at)
            digest = sha256(text).hexdigest()
            store.tell(conn, QuestionnairePublished(tenant, version, digest, by), at)
            known = {each.question for each in asked.questions}
            for row in store.assessed(conn, tenant):
                about = f"{tenant}/{row.user}"
                given = _answers(self._sealing.unseal(row.answers, about))
                if risk.unanswered(asked, given):
                    again += 1
                    rest = {name: row._mapping[name] for name in ("questionnaire", "answers", "at")}
                    store.put(
                        conn, store.assessments, tenant, row.user,
                        state="answer_again", scored=row.scored, **rest,
                    )  # fmt: skip
                    continue
                rescored += 1
                scored = risk.score(asked, {k: v for k, v in given.items() if k in known})
                self._put(conn, tenant, row.user, (version, given), scored, "questionnaire")
        return PublishedQuestionnaire(version=version, rescored=rescored, to_answer_again=again)

    def _put(
        self,
        conn: Any,
        tenant: str,
        user: str,
        said: tuple[int, Mapping[str, str]],
        scored: Scored,
        cause: str,
    ) -> None:
        row = store.assessment(conn, tenant, user)
        before = None
        if row is not None:
            last = self._kept(row).now
            before = Result(last.profile, last.score)
        about, at = f"{tenant}/{user}", self._clock()
        store.put(
            conn, store.assessments, tenant, user,
            questionnaire=said[0],
            state="current",
            answers=self._sealing.seal(_write(said[1]), about),
            scored=self._sealing.seal(_write(_Kept(scored, before)), about),
            at=at,
        )  # fmt: skip
        changed = before is None or before.profile != scored.profile
        store.tell(conn, RiskAssessed(tenant, user, said[0], cause, changed), at)

    def _kept(self, row: Any) -> _Kept:
        return _scored(self._sealing.unseal(row.scored, f"{row.tenant}/{row.user}"))

    def _newest(self, conn: Any, tenant: str) -> tuple[int, Questionnaire]:
        row = store.questionnaire(conn, tenant)
        return (0, BUILT_IN) if row is None else (row.version, _questions(row.text))
