"""A payment provider in this process, which behaves as Stripe does and moves no money.

Its checkouts are paid by a press of a button; it tells of what happened with Stripe's events,
signed as Stripe signs them, until they are answered with 200.
"""

from fondaco.ports.payments.sandbox.books import Books as Books
from fondaco.ports.payments.sandbox.provider import Sandbox as Sandbox
