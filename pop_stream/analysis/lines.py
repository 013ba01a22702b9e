"""The lines of a file from elsewhere, of which none may fill the memory."""

from collections.abc import Iterator
from typing import IO, AnyStr, Final

from pop_stream.errors import UsageError

#: An event has a megabyte at most, and each of its letters may be six in JSON.
_LONGEST: Final = 8 * 1024 * 1024


def lines_of(file: IO[AnyStr], name: object) -> Iterator[AnyStr]:
    """Give the lines, each with its end. Raises UsageError for one that is over 8 MiB long."""
    number = 0
    while line := file.readline(_LONGEST + 1):
        number += 1
        if len(line) > _LONGEST:
            raise UsageError(
                f"{name}, line {number}: it is over {_LONGEST:,} letters long, so this is another "
                "kind of file"
            )
        yield line
