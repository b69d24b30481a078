"""Assessments: who trades under which frozen tier, how they stand, and what became of them."""
