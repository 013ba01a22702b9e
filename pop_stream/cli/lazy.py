"""A click group whose commands are imported only when they are called."""

import importlib
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from pop_stream.cli.help_page import prepare
from pop_stream.cli.near import NearGroup
from pop_stream.errors import UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: Packages that come with an extra only.
_ANALYSTS = frozenset(("confluent_kafka", "duckdb", "pyarrow"))


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """Where a command lives, and the line that stands for it in its group's help."""

    #: `module:attribute` of the click command.
    where: str
    #: Must be the command's own short help; a test compares them.
    short_help: str

    def load(self) -> click.Command:
        """Import the command. Raises UsageError when it needs packages that are not installed."""
        module, _, attribute = self.where.partition(":")
        try:
            with _undisturbed():
                command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            raise _missing(error) from error
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.where} is no click command")
        prepare(command)
        return command


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let Ctrl-C wait for half a second at most: in the midst of an import it can be a crash."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _missing(error: ModuleNotFoundError) -> Exception:
    package = (error.name or "").partition(".")[0]
    if package in _ANALYSTS:
        return UsageError("this command needs more packages: pip install 'pop-stream[analysts]'")
    return error


class LazyGroup(NearGroup):
    """Lists its commands without importing them."""

    def __init__(self, *args: Any, lazy: Mapping[str, LazyCommand], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = lazy
        prepare(self)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the table."""
        return [*self.lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of this name; None if there is none."""
        if cmd_name in self.lazy:
            return self.lazy[cmd_name].load()
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands from the short helps, without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.short_help) for name, entry in self.lazy.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete a command's name without importing any, or a flag of this group."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a shell needs it

        flags = click.Command.shell_complete(self, ctx, incomplete)
        names = [
            CompletionItem(name, help=entry.short_help)
            for name, entry in self.lazy.items()
            if name.startswith(incomplete)
        ]
        return names + flags
