"""Between which values of equity the rules have nothing to say. Pure.

Inside of it a mark changes nothing but the equity itself: no rule breaks, nobody is warned, and no
limit moves. So who watches at the speed of ticks needs to ask the rules only of who is outside.
"""

from fondaco.domain.evaluation.model import PPM
from fondaco.domain.evaluation.rules import NO_LIMIT, WARNS_AT_PPM, Standing, distances


def corridor(standing: Standing) -> tuple[int, int | None]:
    """The lowest equity that is inside, and the highest; None: there is no highest."""
    low = NO_LIMIT
    for each in distances(standing):
        low = max(low, each.limit + (1 if standing.tier.broken_at == "touch" else 0))
        if each.rule not in standing.warned:
            start = standing.day_from if each.rule == "daily_loss" else standing.peak
            allowed = max(start - each.limit, 1)
            warned_at = start + -allowed * WARNS_AT_PPM // PPM  # rounded away from the start
            low = max(low, warned_at + 1)
    overall = standing.terms.overall_loss
    follows = overall is not None and overall.follows == "trailing"
    return low, standing.peak if follows else None
