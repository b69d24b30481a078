"""What `--demo` puts into an empty house: one account with enough of everything."""

from typing import Final

from fondaco.app.house import Kernel
from fondaco.domain.reference.events import SetHouseLimits
from fondaco.domain.reference.model import HOUSE_STREAM, Limits
from fondaco.domain.trading.events import OpenAccount, RecordDeposit
from fondaco.domain.trading.model import AccountId, account_stream
from fondaco.kernel.event import request_id
from fondaco.kernel.money import AssetCode

DEMO: Final = "demo"
DEPOSITS: Final = {
    "USD": "100000000",
    "USDT": "100000000",
    "BTC": "10000",
    "ETH": "200000",
    "SOL": "3000000",
}
_USD: Final = 10**8  # ledger units of one dollar

# Every rule is on, so that a refusal can be tried out; none is near what a load test asks.
LIMITS: Final = Limits(
    order_notional_max=10_000_000 * _USD,
    collar_bps=5_000,
    concentration_max_bps=10_000,
    class_concentration_max_bps={"crypto": 10_000},
    daily_loss_max=500_000_000 * _USD,
    orders_max=200_000,
    notional_max=100_000_000_000 * _USD,
    duplicate_window_ms=0,
)


async def seed_accounts(kernel: Kernel) -> None:
    """Once per data directory: asked again, every command is answered as it was the first time."""
    stream = account_stream(AccountId(DEMO))
    now = kernel.now()
    await kernel.submit(
        stream, OpenAccount(request_id("!demo/open", DEMO), now, DEMO, "Demo", virtual=True)
    )
    for asset, amount in DEPOSITS.items():
        if asset in kernel.refs.assets:
            command_id = request_id(f"!demo/deposit/{asset}", amount)
            await kernel.submit(
                stream, RecordDeposit(command_id, kernel.now(), AssetCode(asset), amount)
            )
    if kernel.refs.limits == Limits():
        command_id = request_id("!demo/limits", DEMO)
        await kernel.submit(
            HOUSE_STREAM, SetHouseLimits(command_id, kernel.now(), LIMITS, "demo", by=DEMO)
        )
