"""Where orders go: the paper venue, which matches against the market that everybody sees."""
