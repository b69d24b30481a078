"""Search over FIX messages: the query language, what a message answers, and what an index needs."""
