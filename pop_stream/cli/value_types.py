"""What flags take: paths and numbers, without what nobody can mean."""

import math
from pathlib import Path
from typing import Any, Final

import click

#: More than there is of anything, and few enough for every clock and counter.
MOST: Final = 1_000_000_000


class GivenPath(click.Path):
    """A path that is not empty: `--outbox "$OUTBOX"`, without such a variable, names none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Give the path. An empty one is wrong use: for the system it would be this folder."""
        if value == "":
            self.fail("it is empty; write the path", param, ctx)
        return super().convert(value, param, ctx)


class OutboxPath(GivenPath):
    """The path of an outbox, which is a file of its own: a device would be taken for a damaged one.

    To mend that, it would be set aside.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Give the path. What is there and is no file is wrong use."""
        path: Path = super().convert(value, param, ctx)
        if path.exists() and not path.is_file():
            self.fail(f"{path} is no file; an outbox is a file of its own", param, ctx)
        return path


class Whole(click.IntRange):
    """A whole number, not so large that clocks and counters overflow."""

    def __init__(self, least: int, most: int = MOST) -> None:
        """`most` is told only to whoever goes beyond it: nobody wants to read it in the help."""
        super().__init__(min=least)
        self._most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Give the number."""
        number = super().convert(value, param, ctx)
        if number > self._most:
            self.fail(f"{number} is more than {self._most}", param, ctx)
        return number


class Amount(click.FloatRange):
    """A number to count with: not nan, which is in every range, and not infinite."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Give the number."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no number to count with", param, ctx)
        return number


FILE: Final = GivenPath(dir_okay=False, path_type=Path)
FOLDER: Final = GivenPath(file_okay=False, path_type=Path)
ANY_PATH: Final = GivenPath(path_type=Path)
OUTBOX: Final = OutboxPath(dir_okay=False, path_type=Path)
