"""What is wrong with settings."""

from collections.abc import Mapping

from pop_stream.errors import SettingsError
from pop_stream.settings import load_settings


def problems_of(given: Mapping[str, object]) -> list[str]:
    """Load these settings; what is told of them, or nothing."""
    try:
        load_settings({}, overrides=given, dotenv=None)
    except SettingsError as error:
        return error.problems
    return []
