"""Tokens that stand for accounts and for whom they belong to, and who may have them back."""
