"""The form of every `--help`: examples keep their lines, and a narrow terminal can be read."""

import shutil
from collections.abc import Sequence

import click

_TEXT_COLUMNS = 48
_LEAST_COLUMNS = 20


class HelpPage(click.HelpFormatter):
    """A help page as narrow as the terminal; click's is never under 50 columns."""

    def __init__(
        self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None
    ) -> None:
        columns = min(shutil.get_terminal_size().columns, max_width or 80)
        super().__init__(indent_increment, width or max(columns - 2, _LEAST_COLUMNS), max_width)

    def write_dl(
        self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write flags or commands with what they do; the narrower, the less for their names."""
        names = max(self.width - _TEXT_COLUMNS, self.width // 3)
        super().write_dl(rows, min(col_max, names), col_spacing)


class HelpContext(click.Context):
    """What a command is called with; its help is a HelpPage."""

    formatter_class = HelpPage


def prepare(command: click.Command) -> None:
    r"""Give a command, and those below it, the form of help that all have.

    `\b` in a raw docstring then means what click takes it for: do not rewrap what follows.
    """
    command.context_class = HelpContext
    command.help = command.help and command.help.replace("\\b\n", "\b\n")
    if isinstance(command, click.Group):
        for each in command.commands.values():
            # Else click cuts it off where it does not fit the line.
            each.short_help = (each.help or "").partition("\n")[0]
            prepare(each)
