"""Four eyes: what needs a second person waits here until somebody else has agreed, or refused."""
