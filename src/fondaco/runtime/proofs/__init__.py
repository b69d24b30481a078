"""The journal's Merkle log: who wrote an entry, or took it away later, cannot hide it.

A follower hashes every entry into a tree (`leaves`, `tree`, `growth`) and publishes its root now
and then (`roots`). From that, anybody is proven what they ask about (`proving`), the whole journal
is held against every root (`audit`), and a proof is checked without the house (`verifier`).
"""
