"""Who may do what: the rules, a tenant's own among them, their versions and what they decide."""
