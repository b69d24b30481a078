"""What purchases and payouts post in the ledger. Pure.

| account | what is on it |
|---|---|
| `provider/<name>` | what a payment provider holds for us: debits are what came in |
| `house/sales` | what was sold, without tax, less what went back |
| `house/sales-tax` | what is the state's |
| `house/disputed` | what banks have taken back, until it is decided |
| `house/dispute-fees` | what the provider has charged for that |
| `house/commissions` | what affiliates have cost |
| `affiliate/<tenant>/<code>` | what an affiliate has earned |
| `house/payouts` | what traders were paid |

A dispute that is lost is a sale that was none; its tax stays with the state until it is
claimed back.
"""

from collections.abc import Sequence
from typing import Any, Final

from fondaco.domain.ledger.model import LedgerAccount, Poster, Posting, moved
from fondaco.domain.payments import events as ev
from fondaco.kernel.event import Entry, Event
from fondaco.kernel.money import AssetCode

SALES: Final = LedgerAccount("house/sales")
TAX: Final = LedgerAccount("house/sales-tax")
DISPUTED: Final = LedgerAccount("house/disputed")
DISPUTE_FEES: Final = LedgerAccount("house/dispute-fees")
COMMISSIONS: Final = LedgerAccount("house/commissions")
PAYOUTS: Final = LedgerAccount("house/payouts")
NAMELESS: Final = "payouts"  # the provider of a payout is the house's


def provider(name: str) -> LedgerAccount:
    return LedgerAccount(f"provider/{name}")


def affiliate(tenant: str, code: str) -> LedgerAccount:
    return LedgerAccount(f"affiliate/{tenant}/{code}")


def _sale(held: LedgerAccount, event: Any, amount: int, sign: int) -> Sequence[Posting]:
    """What came of a sale and what an affiliate earns by it; `sign` -1: all of that, back."""
    asset = AssetCode(event.currency)
    legs = [
        (held, SALES, amount - event.tax),
        (held, TAX, event.tax),
        (COMMISSIONS, affiliate(event.tenant, event.affiliate), event.commission),
    ]
    return [moved(debit, credit, asset, sign * units) for debit, credit, units in legs if units]


def _completed(entry: Entry) -> Sequence[Posting]:
    event: ev.PurchaseCompleted = entry.event  # type: ignore[assignment]
    return _sale(provider(event.provider), event, event.paid_amount, 1)


def _refunded(entry: Entry) -> Sequence[Posting]:
    event: ev.Refunded = entry.event  # type: ignore[assignment]
    return _sale(provider(event.provider), event, event.amount, -1)


def _refund_failed(entry: Entry) -> Sequence[Posting]:
    event: ev.RefundFailed = entry.event  # type: ignore[assignment]
    return _sale(provider(event.provider), event, event.amount, 1)


def _disputed(entry: Entry) -> Sequence[Posting]:
    event: ev.DisputeOpened = entry.event  # type: ignore[assignment]
    held, asset = provider(event.provider), AssetCode(event.currency)
    taken = moved(DISPUTED, held, asset, event.amount)
    return [taken, moved(DISPUTE_FEES, held, asset, event.fee)] if event.fee else [taken]


def _decided(entry: Entry) -> Sequence[Posting]:
    event: ev.DisputeClosed = entry.event  # type: ignore[assignment]
    where = provider(event.provider) if event.is_won else SALES
    return [moved(where, DISPUTED, AssetCode(event.currency), event.amount)]


def _paid_out(entry: Entry) -> Sequence[Posting]:
    event: ev.PayoutPaid = entry.event  # type: ignore[assignment]
    return [moved(PAYOUTS, provider(NAMELESS), AssetCode(event.currency), event.amount)]


def _came_back(entry: Entry) -> Sequence[Posting]:
    event: ev.PayoutFailed = entry.event  # type: ignore[assignment]
    if not event.was_paid:
        return ()
    return [moved(provider(NAMELESS), PAYOUTS, AssetCode(event.currency), event.amount)]


POSTERS: Final[dict[type[Event], Poster]] = {
    ev.PurchaseCompleted: _completed,
    ev.Refunded: _refunded,
    ev.RefundFailed: _refund_failed,
    ev.DisputeOpened: _disputed,
    ev.DisputeClosed: _decided,
    ev.PayoutPaid: _paid_out,
    ev.PayoutFailed: _came_back,
}
