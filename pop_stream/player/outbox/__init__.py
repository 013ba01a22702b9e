"""The outbox: plays on disk from their start until the broker has confirmed them."""
