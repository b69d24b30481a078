"""The only place where parts meet: one file for each way of running the house.

`live` serves one, `follower` fills its views, `offline` is asked of a data directory directly.
"""
