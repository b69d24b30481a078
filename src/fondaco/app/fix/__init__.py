"""What `fondaco fix …` does: each command a function that gives an exit status."""
