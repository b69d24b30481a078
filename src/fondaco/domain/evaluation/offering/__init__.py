"""Tiers as a tenant offers them: versions defined, simulated, published by two, and retired."""
