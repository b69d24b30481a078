"""Fondaco: a trading house in one package. Orders, money, rules and records live on one journal."""
