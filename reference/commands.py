"""The page docs/commands.md, written from the commands themselves."""

from collections.abc import Iterator

import click

from pop_stream.settings import SETTINGS
from reference.markdown import code, made_by, table
from reference.tree import Command, commands

_HEAD = """\
# Commands

`pop-stream` and `python -m pop_stream` are the same. stdout is data, stderr is talk.
Every command takes `-h` and `--help`; `--json` where a program may want to read the answer.
How it ended is told by [the exit code](exit-codes.md).
A flag that names a setting wins over the environment and the files; [settings](settings.md) says
what each means. Settings that have no flag on a command, secrets among them, come from there all
the same.
"""
_SETTING = "setting_"


def commands_page() -> str:
    """Give the whole page."""
    return "\n".join([made_by("the commands in pop_stream/cli"), _HEAD, *_index(), *_sections()])


def _index() -> Iterator[str]:
    rows = ((_link(each), each.command.get_short_help_str(1000)) for each in commands())
    yield from table(("command", "does"), rows)
    yield ""


def _link(command: Command) -> str:
    return f"[`{command.path}`](#{command.path.replace(' ', '-')})"


def _sections() -> Iterator[str]:
    for command in commands():
        yield f"## {command.path}\n"
        for paragraph in command.paragraphs:
            yield _paragraph(paragraph)
        if command.example:
            yield f"```sh\n{command.example}\n```\n"
        yield from _arguments(command)
        yield from _flags(command)


def _paragraph(text: str) -> str:
    if text.startswith("\b\n"):
        return f"```text\n{text.removeprefix(chr(8)).strip(chr(10))}\n```\n"
    return " ".join(text.split()) + "\n"


def _arguments(command: Command) -> Iterator[str]:
    arguments = [each for each in command.command.params if isinstance(each, click.Argument)]
    if arguments:
        written = " ".join(each.make_metavar(command.context) for each in arguments)
        yield f"Takes {code(written)}.\n"


def _flags(command: Command) -> Iterator[str]:
    options = [each for each in command.command.params if isinstance(each, click.Option)]
    records = [each.get_help_record(command.context) for each in options if not _is_setting(each)]
    own = [(code(flag), said) for flag, said in filter(None, records)]
    if own:
        yield from table(("flag", "what"), own)
        yield ""
    settings = [each.opts[0] for each in options if _is_setting(each)]
    if len(settings) == sum(not setting.secret for setting in SETTINGS.values()):
        yield "And a flag for every setting but the secret ones.\n"
    elif settings:
        yield f"Settings: {', '.join(map(code, settings))}.\n"


def _is_setting(option: click.Option) -> bool:
    name = option.name or ""
    return name.startswith(_SETTING) and name.removeprefix(_SETTING) in SETTINGS
