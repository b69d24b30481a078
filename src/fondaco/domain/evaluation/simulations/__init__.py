"""Simulations that somebody asked for: found by the hash of what they were made of, and kept."""
