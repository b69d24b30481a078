"""The trading room behind FIX: orders in, execution reports out, drop copies, market data."""
