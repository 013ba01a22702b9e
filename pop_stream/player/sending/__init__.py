"""Sends what an outbox holds, until the broker has confirmed it."""
