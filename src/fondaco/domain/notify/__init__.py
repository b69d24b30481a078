"""What the house tells other programs over HTTP, signed, in order, and until they have it."""
