"""The GraphQL door: every operation as a query or a mutation, what happens as subscriptions."""
