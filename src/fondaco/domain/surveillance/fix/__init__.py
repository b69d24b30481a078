"""Threats to FIX sessions, F01 to F30: one small detector a pattern, and who runs them."""
