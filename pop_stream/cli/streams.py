"""The three streams of a process, as whoever starts it may leave them: closed, full, or ASCII."""

import io
import os
import sys
from typing import Any, TextIO


class UnwrittenError(OSError):
    """What was printed could not be written: the disk is full, or nobody reads any more."""


def prepare_streams() -> None:
    """Give a process streams that it can print to, whatever it was started with."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        _occupy(number)
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
    sys.stdout, sys.stderr = _ours(sys.stdout), _ours(sys.stderr)


def give_up(stream: TextIO) -> None:
    """Drop what a stream did not take: Python writes it once more at its end, and complains."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _occupy(number: int) -> None:
    """Let no other file have the number of a stream that was closed (`>&-`).

    What is printed would stand in it.
    """
    try:
        os.fstat(number)
    except OSError:
        # It gets the lowest number that is free, which is this one.
        os.open(os.devnull, os.O_RDWR)


def _ours(stream: TextIO) -> TextIO:
    """The same stream, whose failures can be told from those of other files.

    Letters that its encoding lacks are written as escapes; they would be an error.
    """
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    file: Any = _File(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        # With PYTHONUNBUFFERED nothing may wait.
        file if stream.write_through else io.BufferedWriter(file),
        encoding=stream.encoding,
        errors="backslashreplace" if stream.errors == "strict" else stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


class _File(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise UnwrittenError(error.errno, error.strerror) from error
