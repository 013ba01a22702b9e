"""What is known of each setting beside its value: its names, its documentation, its default."""

import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType, NoneType

from annotated_types import Ge, Gt, Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from pop_stream.settings.model import SECTIONS, Settings
from pop_stream.settings.values import Kind

PREFIX = "POP_STREAM_"
MASK = "********"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting, for flags, documentation and messages."""

    name: str
    #: What it is, and its special values.
    description: str
    default: object
    kind: Kind
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

    def show(self, value: object) -> str:
        """Write a value the way it is given, with what is confidential masked."""
        if value is None:
            return "none"
        if self.secret:
            return MASK
        text = as_text(value)
        # The query of a URL may hold a key.
        address, query, _ = text.partition("?")
        return f"{address}?{MASK}" if self.kind.confidential and query else text


def as_text(value: object) -> str:
    """Write a value the way it is given in the environment."""
    match value:
        case bool():
            return str(value).lower()
        case float():
            return str(value).removesuffix(".0")
        case tuple() | list():
            return ",".join(as_text(item) for item in value)
        case _:
            return str(value)


def _setting(name: str, field: FieldInfo) -> Setting:
    bare = _bare_type(field.annotation)
    metadata = [*field.metadata, *_inner_metadata(field.annotation)]
    kinds = [each for each in metadata if isinstance(each, Kind)]
    return Setting(
        name=name,
        description=" ".join((field.description or "").split()),
        default=field.default,
        kind=kinds[0] if kinds else _kind(bare, metadata),
        boolean=bare is bool,
        secret=bare is SecretStr,
    )


def _kind(bare: object, metadata: list[object]) -> Kind:
    """Say in words what the type and its bounds mean."""
    if bare is bool:
        return Kind("true or false", "BOOLEAN")
    if typing.get_origin(bare) is typing.Literal:
        choices = typing.get_args(bare)
        return Kind("one of " + ", ".join(choices), "|".join(choices))
    noun = "a whole number" if bare is int else "a number of seconds"
    return Kind(f"{noun} {_bounds(metadata)}", "NUMBER" if bare is int else "SECONDS")


def _bounds(metadata: list[object]) -> str:
    """Every number has a lowest and a highest value, so that no slip of the hand passes."""
    most = next(each.le for each in metadata if isinstance(each, Le))
    for each in metadata:
        if isinstance(each, Ge):
            return f"from {each.ge} to {most}"
        if isinstance(each, Gt):
            return f"above {each.gt}, {most} at most"
    raise TypeError("a setting that is a number needs a lowest value")


def _bare_type(annotation: object) -> object:
    if typing.get_origin(annotation) is typing.Annotated:
        return _bare_type(typing.get_args(annotation)[0])
    inner = [each for each in typing.get_args(annotation) if each is not NoneType]
    optional = NoneType in typing.get_args(annotation)
    return _bare_type(inner[0]) if optional else annotation


def _inner_metadata(annotation: object) -> Iterator[object]:
    for each in typing.get_args(annotation):
        yield from getattr(each, "__metadata__", ())


#: Every setting by its name, in the order in which people read them.
SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        name: _setting(name, Settings.model_fields[name])
        for section in SECTIONS
        for name in section.model_fields
    }
)
