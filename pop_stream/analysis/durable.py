"""Files that are there whole or not at all, also after the machine has lost its power."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: What a file is called until it is whole.
UNFINISHED = ".unfinished"


@contextmanager
def durable(path: Path) -> Iterator[Path]:
    """Give the path to write to; at the end of the block it becomes the file. Raises OSError."""
    make_folder(path.parent)
    unfinished = path.with_name(path.name + UNFINISHED)
    yield unfinished
    sync(unfinished)
    unfinished.replace(path)
    sync(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, on the disk. Raises OSError."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync(path.parent)


def sync(path: Path) -> None:
    """Let a file, or the names in a folder, reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def private(path: str, flags: int) -> int:
    """An opener of files that are their owner's alone, where they are new."""
    return os.open(path, flags, 0o600)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
