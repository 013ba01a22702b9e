"""Flags for settings, the same on every command.

@click.command()
@with_settings("kafka_", "gstv_url")
def worker(*, settings: Settings) -> None: ...
"""

import functools
import os
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pop_stream.cli.logs import configure_logging
from pop_stream.cli.value_types import ANY_PATH
from pop_stream.settings import SETTINGS, Loaded, Setting, load

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Result = TypeVar("Result")


def with_settings(
    *names: str, required: Collection[str] = ()
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Give a command a flag for each named setting, and `settings: Settings` as keyword argument.

    A name that ends in `_` stands for all settings with that prefix. A secret never gets a flag:
    what stands on a command line is seen by every user of the machine. The settings that are not
    named come from the environment and the files all the same. Without a value for the `required`
    ones the command does not start. Logging is set up, too.
    """

    def start(loaded: Loaded) -> dict[str, Any]:
        configure_logging(loaded.settings)
        return {"settings": loaded.settings}

    return _with_flags(names, required, start)


def with_origins() -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Give a command a flag for every setting, and `loaded: Loaded` as keyword argument."""
    return _with_flags(tuple(SETTINGS), (), lambda loaded: {"loaded": loaded})


def _with_flags(
    names: tuple[str, ...], required: Collection[str], start: Callable[[Loaded], dict[str, Any]]
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    chosen = [setting for setting in expand(names) if not setting.secret]

    def decorate(function: Callable[..., Result]) -> Callable[..., Result]:
        @functools.wraps(function)
        def command(*args: Any, **kwargs: Any) -> Result:
            given = {setting.name: kwargs.pop(_parameter(setting)) for setting in chosen}
            loaded = load(
                os.environ,
                overrides={name: value for name, value in given.items() if value is not None},
                toml=kwargs.pop("setting_file"),
                required=required,
            )
            return function(*args, **start(loaded), **kwargs)

        wrapped: Callable[..., Result] = command
        for setting in reversed(chosen):
            wrapped = _option(setting)(wrapped)
        return _file_option(wrapped)

    return decorate


def expand(names: tuple[str, ...]) -> list[Setting]:
    """Turn names and prefixes into settings, in the order of their definition."""
    found = {
        setting.name
        for name in names
        for setting in SETTINGS.values()
        if (setting.name.startswith(name) if name.endswith("_") else setting.name == name)
    }
    for name in names:
        if not any(each.startswith(name) for each in found):
            raise ValueError(f"there is no setting {name}")
    return [setting for setting in SETTINGS.values() if setting.name in found]


def _parameter(setting: Setting) -> str:
    # Not the bare name: a command may have an argument of the same name.
    return f"setting_{setting.name}"


def _option(setting: Setting) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    declaration = f"{setting.flag}/--no-{setting.flag[2:]}" if setting.boolean else setting.flag
    return click.option(
        declaration,
        _parameter(setting),
        default=None,
        metavar=None if setting.boolean else setting.kind.metavar,
        help=f"{setting.description} Defaults to {setting.show(setting.default)}. "
        f"[{setting.variable}]",
        shell_complete=functools.partial(_completions, setting.kind.metavar),
    )


def _completions(
    metavar: str, _: click.Context, __: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """What a shell may put for a value: one of few words, or a file."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a shell needs it

    if metavar == "FILE":
        return [CompletionItem(incomplete, type="file")]
    words = metavar.split("|") if "|" in metavar else []
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


_file_option = click.option(
    "--config",
    "setting_file",
    type=ANY_PATH,
    metavar="FILE",
    help="A TOML file with settings. Defaults to none. [POP_STREAM_CONFIG]",
)
