"""Where values come from: flags, the environment, a `.env` file, a TOML file.

A source only says what it gives. Whether a value is good is asked of the winning ones alone.
"""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dotenv.parser import parse_stream

from pop_stream.settings.catalogue import PREFIX, SETTINGS, Setting, as_text

CONFIG_VARIABLE = "POP_STREAM_CONFIG"
#: Known names that are no settings: the TOML file's path, and the Kafka that tests may use.
OTHER_VARIABLES = frozenset({CONFIG_VARIABLE, "POP_STREAM_TEST_KAFKA"})

SourceName = Literal["flag", "environment", ".env", "file", "default"]

# Kubernetes puts these into every container beside a Service whose name begins with pop-stream.
_SERVICE_LINK = re.compile(
    r"POP_STREAM_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)"
)
_SERVICE_LINK_VALUE = re.compile(r"(tcp|udp|sctp)://\S+")


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A secret that is still in its file."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A value that a source gives to a setting, as it was written."""

    setting: Setting
    value: object = field(repr=False)
    source: SourceName
    #: As it was written: `--retries`, `POP_STREAM_RETRIES`, `retries`.
    key: str
    place: str = ""

    @property
    def label(self) -> str:
        """For messages: `POP_STREAM_RETRIES in .env line 3`."""
        return f"{self.key} {self.place}".strip()


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one source gives, and what is wrong with the source itself."""

    given: Mapping[str, Given] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    #: The TOML file that the source names.
    toml: Path | None = None


@dataclass(frozen=True, slots=True)
class _Line:
    key: str
    value: object = field(repr=False)
    place: str

    @property
    def label(self) -> str:
        return f"{self.key} {self.place}"


def read_flags(overrides: Mapping[str, object]) -> Reading:
    """Take values by the settings' names; an unknown name raises KeyError."""
    given = {
        name: Given(setting=SETTINGS[name], value=value, source="flag", key=SETTINGS[name].flag)
        for name, value in overrides.items()
    }
    return Reading(given)


def read_environment(environ: Mapping[str, str]) -> Reading:
    """Take every `POP_STREAM_*` variable."""
    lines = [
        _Line(key, value, "in the environment")
        for key, value in environ.items()
        if _is_ours(key) and not _is_service_link(key, value)
    ]
    return _take(lines, "environment", _variable)


def read_dotenv(path: Path) -> Reading:
    """Take every `POP_STREAM_*` line of a `.env` file, literally; no file, no values."""
    if not path.is_file():
        return Reading()
    lines, problems = [], []
    try:
        with path.open(encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeError) as error:
        return Reading(problems=(f"{path} cannot be read: {_reason(error)}",))
    for binding in bindings:
        place = f"{path} line {binding.original.line + _blank_lines(binding.original.string)}"
        if binding.error:
            problems.append(f"{place} is not NAME=value: mend or drop it")
        elif binding.key is not None and _is_ours(binding.key):
            lines.append(_Line(binding.key, binding.value or "", f"in {place}"))
    reading = _take(lines, ".env", _variable)
    return Reading(reading.given, (*problems, *reading.problems), reading.toml)


def read_toml(path: Path) -> Reading:
    """Take every key of a TOML file; `url` in a table `[gstv]` is `gstv_url`."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        lines = [_Line(key, value, f"in {path}") for key, value in _flatten(content)]
    except (OSError, UnicodeError) as error:
        return Reading(problems=(f"{path} cannot be read: {_reason(error)}",))
    except (ValueError, RecursionError) as error:
        # Not only TOMLDecodeError: a number too long, or what is nested deeply, ends otherwise.
        return Reading(problems=(f"{path} is not TOML: {error}",))
    return _take(lines, "file", lambda setting: setting.name)


def _take(lines: Iterable[_Line], source: SourceName, spell: Callable[[Setting], str]) -> Reading:
    plain = {spell(setting): setting for setting in SETTINGS.values()}
    files = {key: setting for setting in SETTINGS.values() if (key := _file_key(setting, spell))}
    given: dict[str, Given] = {}
    problems = []
    toml = None
    for line in lines:
        setting = plain.get(line.key) or files.get(line.key)
        if setting is None and source != "file" and line.key in OTHER_VARIABLES:
            if line.key == CONFIG_VARIABLE and line.value:
                toml = Path(str(line.value))
            elif line.key == CONFIG_VARIABLE:
                problems.append(f"{line.label} is empty: give it a value, or drop it")
            continue
        if setting is None:
            nearest = _nearest(line.key, [*plain, *files])
            problems.append(
                f"{line.label} is no setting; the nearest is {nearest}: mend or drop it"
            )
            continue
        value = SecretFile(Path(str(line.value))) if line.key in files else line.value
        new = Given(setting=setting, value=value, source=source, key=line.key, place=line.place)
        old = given.setdefault(setting.name, new)
        if old is not new:
            problems.append(f"{new.label} is given as {old.label}, too: drop one")
    return Reading(given, tuple(problems), toml)


def _nearest(key: str, known: list[str]) -> str:
    spelt = key.upper() if known[0].isupper() else key.lower()
    return difflib.get_close_matches(spelt, known, n=1, cutoff=0)[0]


def _file_key(setting: Setting, spell: Callable[[Setting], str]) -> str | None:
    key = spell(setting)
    return key + ("_FILE" if key.isupper() else "_file") if setting.secret else None


def _variable(setting: Setting) -> str:
    return setting.variable


def _is_ours(key: str) -> bool:
    # A name in lower case is a mistake that would otherwise pass unseen.
    return key.upper().startswith(PREFIX)


def _is_service_link(key: str, value: str) -> bool:
    if _SERVICE_LINK.fullmatch(key):
        return True
    return key.endswith("_PORT") and _SERVICE_LINK_VALUE.fullmatch(value) is not None


def _blank_lines(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n")


def _flatten(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}_")
        else:
            yield prefix + key, as_text(value)


def _reason(error: OSError | UnicodeError) -> str:
    return (error.strerror or "unknown") if isinstance(error, OSError) else "it is not UTF-8"
