"""The page docs/exit-codes.md, written from the errors and from what commands say of themselves."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pop_stream.cli.main import INTERRUPTED
from pop_stream.errors import PopStreamError
from reference.markdown import code, made_by, table
from reference.tree import Command, commands

_HEAD = """\
# Exit codes

The same of every command. What went wrong stands on stderr, in a sentence that says what to do.
"""
_OF_ERRORS = """\
## Errors

Who calls pop-stream from Python finds the errors in `pop_stream/errors.py`; a command that ends
with one has its code.
"""
_OF_COMMANDS = """\
## What commands say of theirs

Those that say more than the table above, in the words of their `--help`.
"""
_SUPERVISORS = """\
## For supervisors

A worker, a watch and a drain that are told to end by SIGTERM end with 0. Everything else is to be
started again: also 2 and 3, for a setting may be mended or Kafka come back meanwhile.
A worker that meets what it must not survive logs `worker.aborted` and ends with 1 at once; the
events that it had not committed are read again by the next.
"""

#: What each code means; the errors of a code say it more closely.
MEANINGS: Final[Mapping[int, str]] = {
    0: "done; of a service: told to end, and ended well",
    1: "the work failed, or something is missing or lost; also a defect, with its trace",
    2: "wrong use or wrong settings; nothing was started",
    3: "Kafka cannot be reached, or the embedded one cannot be had",
    INTERRUPTED: "interrupted by Ctrl-C",
}
_says_code = re.compile(r"exit(?:s| code|\b)", re.IGNORECASE).search
_sentences = re.compile(r"(?<=[.:])\s+(?=[A-Z])").split


def codes_in_use() -> set[int]:
    """Every exit code that the code names: 0, those of the errors, and that of an interruption."""
    return {0, INTERRUPTED, *(error.exit_code for error in errors())}


def errors(root: type[PopStreamError] = PopStreamError) -> Iterator[type[PopStreamError]]:
    """Every error of `pop_stream.errors`, from the root down."""
    yield root
    for below in root.__subclasses__():
        if below.__module__ == PopStreamError.__module__:
            yield from errors(below)


def exit_codes_page() -> str:
    """Give the whole page."""
    return "\n".join(
        [
            made_by("pop_stream/errors.py, pop_stream/cli and reference/exit_codes.py"),
            _HEAD,
            *table(("code", "means"), ((str(at), said) for at, said in sorted(MEANINGS.items()))),
            "",
            _SUPERVISORS,
            _OF_COMMANDS,
            *table(("command", "says"), _told_by_commands()),
            "",
            _OF_ERRORS,
            *table(("error", "code", "means"), map(_of_error, errors())),
            "",
        ]
    )


def _told_by_commands() -> Iterator[tuple[str, str]]:
    for command in commands():
        if said := _told(command):
            yield code(command.path), said


def _told(command: Command) -> str:
    """The sentences of a command's help that speak of its end."""
    plain = " ".join(" ".join(command.paragraphs).replace("\b", "").split())
    return " ".join(each for each in _sentences(plain) if _says_code(each))


def _of_error(error: type[PopStreamError]) -> tuple[str, str, str]:
    first = (error.__doc__ or "").strip().partition("\n")[0]
    return code(error.__name__), str(error.exit_code), first
