"""Who is a partner, on which tier, and what a tier allows."""
