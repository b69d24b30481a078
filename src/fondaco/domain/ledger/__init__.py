"""The books: what every event moved from where to where. Debit equals credit, always."""
