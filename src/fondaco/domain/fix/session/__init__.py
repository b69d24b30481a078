"""The law of a FIX session: what is said, and in which order. Time comes in; no socket, no disk."""
