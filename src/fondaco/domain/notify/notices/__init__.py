"""Notices: what a person is told of, by which ways, and when. Programs are told by webhooks."""
