"""Puts the settings together from their sources."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from pop_stream.errors import SettingsError
from pop_stream.settings.catalogue import SETTINGS
from pop_stream.settings.model import Settings


def load_settings(
    environ: Mapping[str, str],
    *,
    overrides: Mapping[str, object] = MappingProxyType({}),
    dotenv: Path | None = Path(".env"),
    toml: Path | None = None,
) -> Settings:
    """Return the settings in force, or raise SettingsError with all problems at once."""
    del dotenv, toml
    values: dict[str, object] = {
        name: environ[setting.variable]
        for name, setting in SETTINGS.items()
        if setting.variable in environ
    } | dict(overrides)
    for name in ("stages", "retry_backoff_seconds"):
        value = values.get(name)
        if isinstance(value, str):
            values[name] = value.split(",")
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(
            [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        ) from None


def require(settings: Settings, *names: str) -> None:
    """Raise SettingsError unless each of these settings has a value."""
    problems = [
        f"{SETTINGS[name].variable} is not set, and this command needs it: "
        f"set it, or give {SETTINGS[name].flag}"
        for name in names
        if getattr(settings, name) is None
    ]
    if problems:
        raise SettingsError(problems)
