"""The dark book: orders that nobody sees meet at the middle of the lit book."""
