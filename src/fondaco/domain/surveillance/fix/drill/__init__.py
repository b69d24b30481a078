"""Drills: order flow of our own making, with attacks in it whose names and times are known."""
