"""Tells one event's life."""
