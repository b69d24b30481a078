"""Surveillance: what is done with a house, or with the lines to it, that nobody would do in good
faith. Each pattern is a small detector; what they find are alerts with the messages that prove it.
"""
