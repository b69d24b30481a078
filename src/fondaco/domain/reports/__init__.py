"""Reports: what an account or an assessment was, as of a position; made once, and never changed."""
