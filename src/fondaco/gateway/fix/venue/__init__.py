"""A counterparty as a venue: orders out over FIX, execution reports in."""
