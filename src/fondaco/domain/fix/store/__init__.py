"""Tables of FIX messages, and how they are searched."""
