"""What a certificate says. Pure."""

from typing import Final, Literal, TypeAlias

import msgspec

from fondaco.kernel.event import Instant

Kind: TypeAlias = Literal["passed", "funded", "payout"]
# "ended": it was so until something ended it; "suspended": its payment is disputed; "void": its
# payment was taken back; "withdrawn": by its owner; "revoked": by the firm.
Standing: TypeAlias = Literal["valid", "ended", "suspended", "void", "withdrawn", "revoked"]
ShownAs: TypeAlias = Literal["nobody", "public_name", "name"]
ID_BYTES: Final = 12
TITLES: Final[dict[Kind, str]] = {
    "passed": "Assessment passed",
    "funded": "Funded trader",
    "payout": "Payout received",
}
PLAIN: Final = "A trader who wants no name to be shown"


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """As it was made: none of it ever changes. `position` is the journal's entry that says so,
    `link` where anybody can see whether it still holds."""

    certificate_id: str
    kind: Kind
    tenant: str
    assessment_id: str
    name: str
    tier: str
    tier_title: str
    tier_version: int
    result: str
    happened_at: Instant
    made_at: Instant
    position: int
    link: str


def standing_of(kind: Kind, state: str, frozen: str, voided: str) -> tuple[Standing, str]:
    """And why, for what became of its assessment since."""
    if voided:
        return "void", voided
    if frozen:
        return "suspended", frozen
    if kind == "funded" and state != "funded":
        return "ended", f"the funded account has {state} since"
    return "valid", ""
