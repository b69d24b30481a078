"""Who may do what: tenants, users, roles, and the keys and tickets by which a request is known."""
