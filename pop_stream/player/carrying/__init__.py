"""Carries the plays of an outbox by hand, where there is no network: in a signed file."""
