"""The tree of commands, as click has it."""

import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

import click

from pop_stream.cli.main import PROGRAM, cli

_EXAMPLE = "\b\nExample:\n"


@dataclass(frozen=True, slots=True)
class Command:
    """One command: what it is called, and what click has of it."""

    #: As it is typed: `pop-stream player send`.
    path: str
    command: click.Command

    @property
    def context(self) -> click.Context:
        """What click needs to describe it."""
        return click.Context(self.command, info_name=self.path)

    @property
    def paragraphs(self) -> list[str]:
        """Its help without the example; one that begins with a backspace keeps its lines."""
        text = inspect.cleandoc(self.command.help or "").partition(_EXAMPLE)[0]
        return [each for each in text.strip().split("\n\n") if each.strip()]

    @property
    def example(self) -> str:
        """What to type, a line each; empty: none is shown."""
        text = inspect.cleandoc(self.command.help or "").partition(_EXAMPLE)[2]
        return textwrap.dedent(text.partition("\n\n")[0]).strip("\n")


def commands() -> Iterator[Command]:
    """Every command, groups included, in the order of the help."""
    return _below(cli, PROGRAM)


def _below(group: click.Group, path: str) -> Iterator[Command]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        yield Command(f"{path} {name}", command)
        if isinstance(command, click.Group):
            yield from _below(command, f"{path} {name}")
