"""Payouts: money that goes from the house to a trader, once."""
