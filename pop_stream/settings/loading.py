"""Puts the settings together from their sources, and reports all that is wrong at once."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from pop_stream.errors import SettingsError
from pop_stream.settings.catalogue import MASK, SETTINGS, as_text
from pop_stream.settings.gstv_rules import GSTV_RULES
from pop_stream.settings.kafka_rules import KAFKA_RULES
from pop_stream.settings.model import Settings
from pop_stream.settings.rules import RULES
from pop_stream.settings.secret_file import FileSecret, read_secret_file
from pop_stream.settings.sources import (
    Given,
    Reading,
    SecretFile,
    read_dotenv,
    read_environment,
    read_flags,
    read_toml,
)

_QUOTED_CHARACTERS = 80
#: In an URL the name and the password, and what it asks for.
_SECRETS_OF_A_URL = re.compile(r"""(?<=://)[^/@\s]*(?=@)|(?<=\?)[^\s'"]+""")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings in force, and what gave each value that is no default."""

    settings: Settings
    given: Mapping[str, Given]


def load_settings(
    environ: Mapping[str, str],
    *,
    overrides: Mapping[str, object] = MappingProxyType({}),
    dotenv: Path | None = Path(".env"),
    toml: Path | None = None,
) -> Settings:
    """Return the settings in force. All problems at once are one SettingsError.

    For each setting the first of these wins: `overrides` (the flags, by the settings' names),
    `environ`, the `.env` file if there is one, the TOML file (`toml`, or else
    `POP_STREAM_CONFIG`), the default.
    """
    return load(environ, overrides=overrides, dotenv=dotenv, toml=toml).settings


def load(
    environ: Mapping[str, str],
    *,
    overrides: Mapping[str, object] = MappingProxyType({}),
    dotenv: Path | None = Path(".env"),
    toml: Path | None = None,
    required: Collection[str] = (),
) -> Loaded:
    """Do as `load_settings`, and keep where each value came from.

    A setting that is `required` and has no value is one more problem.
    """
    readings = [
        read_flags(overrides),
        read_environment(environ),
        read_dotenv(dotenv) if dotenv else Reading(),
    ]
    toml = toml or next((reading.toml for reading in readings if reading.toml), None)
    if toml:
        readings.append(read_toml(toml))
    given: dict[str, Given] = {}
    for reading in reversed(readings):
        given |= reading.given
    problems = [problem for reading in readings for problem in reading.problems]
    settings, wrong = _validate(given)
    problems += [wrong[name] for name in SETTINGS if name in wrong]
    problems += _broken_rules(settings, given, wrong)
    problems += _missing(settings, [name for name in required if name not in wrong])
    if problems:
        raise SettingsError([_without_secrets(problem) for problem in problems])
    return Loaded(settings, MappingProxyType(given))


def require(settings: Settings, *names: str) -> None:
    """Raise SettingsError unless each of these settings has a value."""
    if problems := list(_missing(settings, names)):
        raise SettingsError(problems)


def _without_secrets(problem: str) -> str:
    # Somebody may put an URL into any setting, and what is said of it goes into a log.
    return _SECRETS_OF_A_URL.sub(MASK, problem) if "://" in problem else problem


def _missing(settings: Settings, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        setting = SETTINGS[name]
        if getattr(settings, name) is None:
            other = f"{setting.variable}_FILE" if setting.secret else setting.flag
            yield f"{setting.variable} must be set for this command: set it, or give {other}"


def _validate(given: Mapping[str, Given]) -> tuple[Settings, dict[str, str]]:
    """Return the settings without the wrong values, and for each of those what is wrong."""
    values: dict[str, object] = {}
    wrong: dict[str, str] = {}
    for name, each in given.items():
        try:
            values[name] = _value(each)
        except ValueError as error:
            wrong[name] = f"{each.label} {error}"
    try:
        return Settings.model_validate(values), wrong
    except ValidationError as error:
        for details in error.errors(include_url=False, include_input=False):
            name = str(details["loc"][0])
            # Of a list with several wrong items, one message is enough: it shows the whole list.
            wrong[name] = f"{given[name].label} {_refusal(given[name], details.get('ctx', {}))}"
    good = {name: value for name, value in values.items() if name not in wrong}
    return Settings.model_validate(good), wrong


def _value(given: Given) -> object:
    value = given.value
    text = read_secret_file(value.path) if isinstance(value, SecretFile) else value
    if text == "":
        raise ValueError("is empty: give it a value, or drop it")
    return FileSecret(str(text), value.path) if isinstance(value, SecretFile) else value


def _refusal(given: Given, context: Mapping[str, object]) -> str:
    kind = given.setting.kind
    reason = context.get("error")
    text = str(reason) if isinstance(reason, ValueError) else f"must be {kind.must_be}"
    if kind.confidential:
        return text
    # Before it is cut: half a password is too much.
    shown = _without_secrets(as_text(given.value))
    if len(shown) > _QUOTED_CHARACTERS:
        shown = shown[:_QUOTED_CHARACTERS] + "..."
    return f"{text}, not {shown!r}"


def _broken_rules(
    settings: Settings, given: Mapping[str, Given], wrong: Mapping[str, str]
) -> Iterator[str]:
    for rule in (*KAFKA_RULES, *GSTV_RULES, *RULES):
        if wrong.keys().isdisjoint(rule.reads):
            for blame in rule.check(settings):
                name = blame.setting
                label = given[name].label if name in given else SETTINGS[name].variable
                yield f"{label} {blame.problem}"
