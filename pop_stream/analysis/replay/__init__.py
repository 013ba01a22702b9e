"""Sends events once more, by a plan that was reviewed."""
