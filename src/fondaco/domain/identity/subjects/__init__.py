"""Data keys of those whom data is about, wrapped by the ring: destroyed, they forget somebody."""
