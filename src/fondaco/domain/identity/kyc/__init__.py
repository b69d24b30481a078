"""Who people are: profiles, cases with documents and screening, and what risk suits them."""
