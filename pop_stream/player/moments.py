"""Moments, under the name by which the player's commands know them."""

from pop_stream.pop.moments import utc

__all__ = ["utc"]
