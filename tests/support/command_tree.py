"""All commands of pop-stream, and the calls that their examples show."""

import re
import shlex
from collections.abc import Iterator

import click

from pop_stream.cli.main import COMMANDS, PROGRAM, cli

_WITHIN = re.compile(r"\$\(([^)]*)\)")
_VARIABLE = re.compile(r"[A-Z_]+=.*")


def family(name: str) -> list[tuple[str, click.Command]]:
    """A command of the first floor and all below it, each with what is typed for it."""
    return list(_walk(COMMANDS[name].load(), f"{PROGRAM} {name}"))


def every_command() -> list[tuple[str, click.Command]]:
    """The program itself, and all commands and groups."""
    return list(_walk(cli, PROGRAM))


def leaves() -> list[tuple[str, click.Command]]:
    """The commands that do something themselves."""
    return [
        (path, command)
        for path, command in every_command()
        if not isinstance(command, click.Group) or command.invoke_without_command
    ]


def examples(command: click.Command) -> list[list[str]]:
    """The calls that a command's help shows; each is its words after `pop-stream`."""
    block = (command.help or "").rpartition("Example:\n")[2]
    return [call for line in block.replace("\\\n", "").splitlines() for call in _calls(line)]


def _walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _walk(inner, f"{path} {name}")


def _calls(line: str) -> Iterator[list[str]]:
    """The calls in a line of shell, without variables, and without where the output goes."""
    if within := _WITHIN.search(line):
        line = within[1]
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|>;&")
    lexer.whitespace_split = True
    call: list[str] = []
    for word in [*lexer, ";"]:
        if word.strip("|>;&"):
            if call or not _VARIABLE.fullmatch(word):
                call.append(word)
            continue
        if call[:1] == [PROGRAM]:
            yield call[1:]
        call = []
