"""Views of the trading room: tables that anyone may drop, for `TradingView` fills them again."""

from fondaco.domain.trading.store.queries import OrderFilter as OrderFilter
from fondaco.domain.trading.store.queries import account as account
from fondaco.domain.trading.store.queries import accounts as accounts
from fondaco.domain.trading.store.queries import client_balances as client_balances
from fondaco.domain.trading.store.queries import deadlines as deadlines
from fondaco.domain.trading.store.queries import executions as executions
from fondaco.domain.trading.store.queries import open_accounts as open_accounts
from fondaco.domain.trading.store.queries import order as order
from fondaco.domain.trading.store.queries import orders as orders
from fondaco.domain.trading.store.queries import pending_triggers as pending_triggers
from fondaco.domain.trading.store.queries import positions as positions
from fondaco.domain.trading.store.queries import terms as terms
from fondaco.domain.trading.store.statements import statement as statement
from fondaco.domain.trading.store.statements import statement_csv as statement_csv
from fondaco.domain.trading.store.view import TradingView as TradingView
