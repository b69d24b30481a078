"""The time of a sandbox: it stands still until somebody moves it, and never goes back.

A house is a sandbox from its first entry on, or never: so no time that people have lived through
can be moved, and nothing that is moved can be taken for what has happened.
"""
