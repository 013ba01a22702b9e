"""Sets up logging for commands: to stderr, in UTC."""

import logging

from pop_stream.settings import Settings


def configure_logging(settings: Settings) -> None:
    """Send log records to stderr at the level of the settings."""
    logging.basicConfig(level=settings.log_level)
