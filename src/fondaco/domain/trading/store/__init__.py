"""Views of the trading room: tables that anyone may drop, for `TradingView` fills them again."""

from fondaco.domain.trading.store.view import TradingView as TradingView
