"""Views of the ledger: every posting and what they add up to; the books of tenants."""

from fondaco.domain.ledger.store.books import BooksView as BooksView
from fondaco.domain.ledger.store.postings import LedgerView as LedgerView
from fondaco.domain.ledger.store.postings import all_postings as all_postings
from fondaco.domain.ledger.store.postings import balances as balances
from fondaco.domain.ledger.store.postings import ledger_balances as ledger_balances
from fondaco.domain.ledger.store.postings import postings_of as postings_of
