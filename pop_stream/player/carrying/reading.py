"""Reads a carried file: all of it is verified before any of it is given."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final

from pop_stream.errors import UsageError, WorkFailedError
from pop_stream.player.carrying.form import (
    VERSION,
    Contents,
    contents_of,
    read_first_line,
    read_play_line,
    read_signature_line,
    version_of,
)
from pop_stream.player.carrying.key import key_id, signing
from pop_stream.player.sending.record import Record

#: No play is longer; a file of another program may be one line.
_LINE_BYTES: Final = 1 << 27
#: Nor is the first line, or the signature, longer than this. Both are read before it is known who
#: has written them, and what is made of a line may take thirty times its room.
_UNSIGNED_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Carried:
    """A file that is what was written."""

    contents: Contents
    #: A copy of our own: what was verified is what is sent, whoever has the stick meanwhile.
    file: IO[bytes]

    def records(self) -> Iterator[Record]:
        """Its plays, in their order."""
        self.file.seek(0)
        self.file.readline()
        for line in self.file:
            yield read_play_line(line)


@contextmanager
def verified(path: Path, key: bytes) -> Iterator[Carried]:
    """Give a carried file once it is known to be whole and unaltered.

    Raises UsageError for any other, with what is wrong with it: then none of it is given. Raises
    WorkFailedError when there is no room for the copy.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from error
    with file, TemporaryFile() as copy:
        first = _known(path, _line(path, file), key)
        _copy(path, file, copy, key)
        yield Carried(contents_of(first), copy)


def _known(path: Path, line: bytes, key: bytes) -> dict[str, Any]:
    told = read_first_line(line) if len(line) <= _UNSIGNED_BYTES else None
    if told is None:
        raise UsageError(f"{path} is no file that `player export` wrote, or its beginning is lost")
    if version_of(told) > VERSION:
        raise UsageError(
            f"{path} was written by a newer pop-stream (version {version_of(told)} of its form; "
            f"this one knows {VERSION})"
        )
    if told.get("keyId") != key_id(key):
        raise UsageError(f"{path} was signed with another key, or its first line was altered")
    return told


def _copy(path: Path, file: IO[bytes], copy: IO[bytes], key: bytes) -> None:
    """Copy all but the last line, which must be the signature of the others."""
    signature, before = signing(key), b""
    file.seek(0)
    try:
        while line := _line(path, file):
            signature.update(before)
            copy.write(before)
            before = line
        copy.flush()
    except OSError as error:
        raise WorkFailedError(
            f"{path} cannot be read, or there is no room for a copy of it ({error.strerror}); "
            "TMPDIR names another place for temporary files"
        ) from error
    told = read_signature_line(before) if len(before) <= _UNSIGNED_BYTES else None
    if told is None:
        raise UsageError(
            f"the last line of {path} is no signature: its end is cut off, or something was added "
            "to it; nothing of it was sent"
        )
    if not hmac.compare_digest(told.encode(), signature.hexdigest().encode()):
        raise UsageError(f"{path} was altered: its signature does not fit; nothing of it was sent")


def _line(path: Path, file: IO[bytes]) -> bytes:
    line = file.readline(_LINE_BYTES)
    if len(line) == _LINE_BYTES:
        raise UsageError(f"{path} is no file that `player export` wrote, or was altered")
    return line
