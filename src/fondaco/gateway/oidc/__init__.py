"""The provider's door: discovery, consent, tokens. OpenID Connect Core, OAuth 2.1's rules."""
