"""Reads lines of a file in little memory, however long one of them is."""

from collections.abc import Iterator
from typing import IO, Final

#: The largest event by far, with its headers; of a longer line this much is given.
LINE_BYTES: Final = 1024 * 1024


def lines_of(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Every line that is not empty, with its number, without its end."""
    number = 0
    while line := file.readline(LINE_BYTES):
        number += 1
        rest = line
        while len(rest) == LINE_BYTES and not rest.endswith(b"\n"):
            rest = file.readline(LINE_BYTES)
        if told := line.strip():
            yield number, told
