"""Published figures that the issue names and no room's own test states to the letter."""

import pytest

from build import ask, btc_usd, given, placed, refs
from fondaco.domain.trading.events import OrderAccepted, OrderRejected
from fondaco.domain.trading.model import Reason
from fondaco.kernel.errors import Invalid
from fondaco.settings import effective


def test_z11_an_order_of_a_billionth_where_the_step_is_ten_is_refused() -> None:
    """DriveWealth: fractional step 0.00000001; an order of 1e-9 is refused."""
    step = refs(btc=btc_usd(lot="0.00000001"))
    story = given(using=step).when(placed(ask(order_qty="0.00000001"))).then(OrderAccepted)
    story.when(placed(ask("o2", order_qty="0.000000001")))
    assert story.only(OrderRejected).reason is Reason.QUANTITY_OFF_LOT


def test_z9_answers_are_kept_for_a_day_at_least() -> None:
    """Stripe: keys may be removed after they are at least 24 hours old."""
    found = {row.name: row.value for row in effective({}, {})}
    assert int(found["retention_idempotency_h"]) >= 24
    with pytest.raises(Invalid, match="24"):
        effective({"retention_idempotency_h": 23}, {})
