"""Whether a file can be written in the end: told before the work, which may take hours."""

import os
from pathlib import Path

from pop_stream.errors import UsageError, why


def require_writable(path: Path, option: str, *, is_folder: bool = False) -> Path:
    """Give the path of a file, or of a folder, that will be written. Raises UsageError."""
    try:
        if path.exists() and path.is_dir() is not is_folder:
            raise UsageError(f"{option} {path}: is {'no' if is_folder else 'a'} folder")
        if not path.parent.is_dir():
            raise UsageError(f"{option} {path}: there is no folder {path.parent}; make it")
    except OSError as error:
        raise UsageError(f"{option} {path}: cannot be written ({why(error)})") from error
    place = path if path.exists() else path.parent
    if not os.access(place, os.W_OK):
        raise UsageError(f"{option} {path}: this user has no right to write to {place}")
    return path
