"""Captures and logs: from the bytes of a file to FIX messages, put together as TCP would."""
