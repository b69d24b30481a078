"""What `--demo` puts into an empty house: two accounts with enough of everything, an instrument
that trades between them on the house's own venue, and an account on margin."""

from typing import Final

import msgspec

from fondaco.app.house import Kernel
from fondaco.domain.market.listings import MAKER_PPM, TAKER_PPM, USD
from fondaco.domain.reference.events import ListInstrument, SetHouseLimits, SetMargin
from fondaco.domain.reference.model import (
    HOUSE_STREAM,
    Limits,
    Margin,
    MarginTier,
    Symbol,
    instrument,
)
from fondaco.domain.trading.events import OpenAccount, RecordDeposit, SetLimits
from fondaco.domain.trading.model import AccountId, AccountType, account_stream
from fondaco.domain.venues.crossing.model import MIC
from fondaco.kernel.event import request_id
from fondaco.kernel.money import Asset, AssetCode

DEMO: Final = "demo"
ACCOUNTS: Final = {DEMO: "Demo", "demo2": "Demo, the other side"}
DEPOSITS: Final = {
    "USD": "100000000",
    "USDT": "100000000",
    "BTC": "10000",
    "ETH": "200000",
    "SOL": "3000000",
    "FON": "1000000",
}
_USD: Final = 10**8  # ledger units of one dollar
ON_MARGIN: Final = "demo-margin"
ON_MARGIN_USD: Final = "100000"
ON_MARGIN_SYMBOLS: Final = (Symbol("BTC-USD"), Symbol("ETH-USD"), Symbol("SOL-USD"))

FON: Final = Asset(AssetCode("FON"), 3, 0, "equity")
OWN: Final = msgspec.structs.replace(
    instrument("FON-USD", FON, USD, tick="0.01", lot="1", maker=MAKER_PPM, taker=TAKER_PPM),
    mic=MIC,
    asset_class="equity",
    issuer="Fondaco",
    reference_px=10_000,
)

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
# Ten times one's money on margin, five times beyond a million; one's own money is then no measure
# for how much of one thing may be held.
MARGIN: Final = Margin(
    (
        MarginTier(1_000_000 * _USD, initial_ppm=100_000, maintenance_ppm=50_000),
        MarginTier(0, 200_000, 100_000, deduction=50_000 * _USD),
    )
)
LIMITS_ON_MARGIN: Final = msgspec.structs.replace(
    LIMITS, concentration_max_bps=0, class_concentration_max_bps={}
)


async def seed_accounts(kernel: Kernel) -> None:
    """Once per data directory: asked again, every command is answered as it was the first time."""
    ask = ListInstrument(request_id("!demo/list", OWN.symbol), kernel.now(), OWN, FON, USD, by=DEMO)
    await kernel.submit(HOUSE_STREAM, ask)
    for account, name in ACCOUNTS.items():
        await _seed_account(kernel, account, name)
    if kernel.refs.limits == Limits():
        command_id = request_id("!demo/limits", DEMO)
        await kernel.submit(
            HOUSE_STREAM, SetHouseLimits(command_id, kernel.now(), LIMITS, "demo", by=DEMO)
        )
    await _seed_margin(kernel)


async def _seed_account(kernel: Kernel, account: str, name: str) -> None:
    stream = account_stream(AccountId(account))
    opened = request_id("!demo/open", account)
    await kernel.submit(stream, OpenAccount(opened, kernel.now(), DEMO, name, virtual=True))
    for asset, amount in DEPOSITS.items():
        if asset in kernel.refs.assets:
            command_id = request_id(f"!demo/deposit/{asset}", amount)
            await kernel.submit(
                stream, RecordDeposit(command_id, kernel.now(), AssetCode(asset), amount)
            )


async def _seed_margin(kernel: Kernel) -> None:
    for symbol in ON_MARGIN_SYMBOLS:
        if symbol in kernel.refs.instruments:
            command_id = request_id(f"!demo/margin/{symbol}", DEMO)
            ask = SetMargin(command_id, kernel.now(), symbol, MARGIN, "demo", by=DEMO)
            await kernel.submit(HOUSE_STREAM, ask)
    stream, at = account_stream(AccountId(ON_MARGIN)), kernel.now()
    opened = request_id("!demo/open", ON_MARGIN)
    await kernel.submit(
        stream,
        OpenAccount(
            opened, at, DEMO, "Demo, on margin", virtual=True, account_type=AccountType.MARGIN
        ),
    )
    deposited = request_id("!demo/deposit/USD", ON_MARGIN)
    await kernel.submit(stream, RecordDeposit(deposited, at, AssetCode("USD"), ON_MARGIN_USD))
    limited = request_id("!demo/limits", ON_MARGIN)
    await kernel.submit(stream, SetLimits(limited, at, LIMITS_ON_MARGIN, "demo"))
