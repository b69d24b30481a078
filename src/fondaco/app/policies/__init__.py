"""The part of a house that decides who may do what, keeps what it decided, and changes the rules.

Doors ask `Authority.authorise` and nothing else. What does not depend on a request is decided once
for each caller, operation, door and version of the rules, and kept as a `Grant`.
"""
