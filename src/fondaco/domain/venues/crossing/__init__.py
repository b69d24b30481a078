"""The crossing venue: orders of this house meet each other, in price-time priority."""
