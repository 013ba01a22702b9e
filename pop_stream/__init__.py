"""Deliver every proof-of-play event from Kafka to GSTV, and lose none."""

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    # Not at the top: to ask for it takes longer than all else that a player imports.
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415

        return version("pop-stream")
    raise AttributeError(name)
