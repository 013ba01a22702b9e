"""What is known of each setting beside its value: its names, its description, its default."""

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from pop_stream.settings.model import Settings

PREFIX = "POP_STREAM_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting, for flags, documentation and messages."""

    name: str
    description: str
    #: What a person writes for a value: `TEXT`, `NUMBER`, `on|off`, ...
    metavar: str
    default: object
    boolean: bool
    #: A secret is masked wherever it is shown, and never has a flag.
    secret: bool

    @property
    def variable(self) -> str:
        """The environment variable, which is also the key in a `.env` file."""
        return PREFIX + self.name.upper()

    @property
    def flag(self) -> str:
        """The flag of a command."""
        return "--" + self.name.replace("_", "-")

    @property
    def default_text(self) -> str:
        """The default as a person would write it."""
        return as_text(self.default)


def as_text(value: object) -> str:
    """Write a value the way it is written in the environment; nothing for None is `none`."""
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case tuple():
            return ",".join(as_text(item) for item in value)
        case _:
            return str(value)


def _setting(name: str, field: FieldInfo) -> Setting:
    kinds = typing.get_args(field.annotation) or (field.annotation,)
    boolean = field.annotation is bool
    literal = typing.get_origin(field.annotation) is typing.Literal
    return Setting(
        name=name,
        description=field.description or "",
        metavar="|".join(map(str, kinds)) if literal else "VALUE",
        default=field.default,
        boolean=boolean,
        secret=SecretStr in kinds,
    )


#: Every setting by its name, in the order of their definition.
SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {name: _setting(name, field) for name, field in Settings.model_fields.items()}
)
