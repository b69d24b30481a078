"""What people are told of their case. Whether a list names somebody like them is told to nobody
but reviewers: who is told of it is warned."""

from collections.abc import Mapping, Sequence
from typing import Final

from fondaco.domain.identity.kyc import events as ev
from fondaco.domain.identity.kyc.model import Case

NOTICES: Final[Mapping[type, str]] = {
    ev.DocumentsAsked: "We need documents of you to go on with your verification.",
    ev.KycApproved: "Your verification is done: you are approved.",
    ev.KycRefused: "Your verification has ended, and you were not approved.",
    ev.KycExpired: "Your verification has expired: please submit it again.",
    ev.KycReopened: "We are looking at your verification again.",
}
_KINDS: Final[Mapping[str, str]] = {
    "identity": "a passport or an identity card",
    "address": "a proof of your address that is no older than three months",
    "selfie": "a picture of you with your document",
    "source_of_funds": "something that shows where your money comes from",
    "other": "the document that we wrote to you about",
}
_REFUSALS: Final[Mapping[str, str]] = {
    "under_age": "you are too young where you live",
    "country_refused": "the house accepts nobody from your country",
    "documents_unreadable": "your documents could not be read",
    "documents_do_not_match": "your documents do not say what your profile says",
    "profile_incomplete": "your profile has become incomplete",
}


def kinds(needed: Sequence[str]) -> str:
    return " and ".join(_KINDS.get(each, each) for each in needed)


def next_step(case: Case, user: str, missing: Sequence[str]) -> str:
    """What has to be done next, and by whom, in one sentence."""
    match case.state:
        case "approved":
            return "you are approved"
        case "documents_needed" | "submitted":
            return f"upload {kinds(case.needed)}: POST /users/{user}/kyc/documents"
        case "in_review":
            return "a person of the house is looking at your case: nothing is asked of you"
        case "refused":
            why = _REFUSALS.get(case.refusal, "the house cannot accept you")
            return f"you were not approved: {why}; if that has changed, submit again"
        case _:
            if missing:
                return f"complete your profile ({', '.join(missing)}): PUT /users/{user}/profile"
            expired = "your verification has expired; " if case.state == "expired" else ""
            return f"{expired}submit your case: POST /users/{user}/kyc"
