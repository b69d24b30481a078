"""A counterparty as a venue: orders go out, and what it says of them comes back as reports."""
