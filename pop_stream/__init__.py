"""Deliver every proof-of-play event from Kafka to GSTV, and lose none."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("pop-stream")
