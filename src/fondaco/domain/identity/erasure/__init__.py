"""Forgetting a person: what lies where, what must stay and until when, and what is destroyed."""
