"""The time of a sandbox: a house whose clock stands still, and is moved by whoever tries it out."""
