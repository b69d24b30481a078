"""People who sign in: passwords, second factors, recovery codes, and the sessions they begin."""
