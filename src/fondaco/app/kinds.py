"""Everything that this build can read in a journal, and the rooms that wrote it."""

from functools import cache, reduce
from hashlib import sha256
from operator import or_
from pathlib import Path
from typing import Final

from fondaco.app.calls import Calls, allowed, lines
from fondaco.domain.evaluation.assessments.room import room as assessments
from fondaco.domain.evaluation.offering.room import room as tiers
from fondaco.domain.evaluation.simulations.room import room as simulations
from fondaco.domain.fix.room import room as fix
from fondaco.domain.identity.approvals.room import room as approvals
from fondaco.domain.identity.audit.room import room as audit
from fondaco.domain.identity.partners.room import room as partners
from fondaco.domain.identity.policy.room import room as policies
from fondaco.domain.identity.room import room as identity
from fondaco.domain.identity.test_clock.room import room as test_clock
from fondaco.domain.ledger.room import checks
from fondaco.domain.ledger.room import room as ledger
from fondaco.domain.notify.room import room as webhooks
from fondaco.domain.payments.payouts.room import room as payouts
from fondaco.domain.payments.room import room as payments
from fondaco.domain.payments.shop.room import room as shops
from fondaco.domain.reference.room import room as reference
from fondaco.domain.reports.room import room as reports
from fondaco.domain.surveillance.cases.room import room as cases
from fondaco.domain.surveillance.room import room as surveillance
from fondaco.domain.trading.room import room as trading
from fondaco.domain.venues.crossing.room import room as crossing
from fondaco.domain.venues.midpoint.room import room as midpoint
from fondaco.domain.venues.pooling.room import room as pooling
from fondaco.domain.venues.room import room as venues
from fondaco.domain.venues.routed.room import room as routed
from fondaco.kernel.codec import Codec
from fondaco.kernel.event import Event, StreamId
from fondaco.runtime.room import Room

# Which comes first owns a stream: `routed` has every venue that is none of ours.
ROOMS: Final = (
    reference, identity, approvals, policies, audit, ledger, checks, trading, venues, crossing,
    midpoint, pooling, routed, fix, surveillance, cases, webhooks, partners, tiers,
    assessments, simulations, reports, payments, payouts, shops, test_clock,
)  # fmt: skip
KINDS: Final[tuple[type[Event], ...]] = tuple(kind for room in ROOMS for kind in room.kinds)
POLICIES: Final = {
    kind: tuple(policy for room in ROOMS for policy in room.policies.get(kind, ()))
    for kind in dict.fromkeys(kind for room in ROOMS for kind in room.policies)
}
CODEC: Final = Codec(reduce(or_, KINDS))


def room_of(stream: StreamId) -> Room:
    """Whose law a stream follows."""
    for room in ROOMS:
        if stream.startswith(room.prefix):
            return room
    raise LookupError(f"no room owns {stream}")


CALLS: Final = Calls(
    allowed(lines(), (room.name for room in ROOMS)), lambda stream: room_of(stream).name
)


@cache
def build_digest() -> bytes:
    """32 bytes that change with any source that a snapshot depends on."""
    root = Path(__file__).resolve().parents[1]
    digest = sha256()
    for part in ("kernel", "domain", "runtime"):
        for path in sorted((root / part).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.digest()
