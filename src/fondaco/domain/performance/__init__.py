"""How an account has traded: round trips, statistics, drawdown, ratios. A library, too."""
