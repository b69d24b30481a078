"""Tiers of a prop firm: their terms, what they allow at every tick, and their odds before sale."""
