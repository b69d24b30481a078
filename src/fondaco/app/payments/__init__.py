"""The till of a house: purchases, the payment provider, what it says, and what is paid out."""
