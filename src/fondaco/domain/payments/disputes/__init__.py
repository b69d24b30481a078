"""Disputes of purchases: what a buyer's bank has taken back, and what is said to it in time."""
