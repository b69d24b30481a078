"""What a tier does to traders of a kind, and to the firm, before anybody has bought it."""
