"""Accounts for every offset of the players' topic."""
