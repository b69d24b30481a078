"""The house as an OpenID provider: clients, consent, tokens, and the keys that sign them."""
