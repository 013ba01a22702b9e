"""The key that such files are signed with; it comes from a file that only its owner can read."""

import hashlib
import hmac
import os
import stat
from pathlib import Path
from typing import Final

from pop_stream.errors import UsageError

_LEAST_BYTES: Final = 16
_HOW: Final = "(umask 077; openssl rand -hex 32 > {})"


def read_key(path: Path) -> bytes:
    """The key in a file. Raises UsageError for a file that others can read, or one too short."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise UsageError(
                    f"others than its owner can use the key file {path} (its mode is {mode:04o}): "
                    f"chmod 600 {path}, and if they may have read it, make a new key"
                )
            key = file.read(64 * 1024).strip()
    except FileNotFoundError:
        raise UsageError(f"there is no key file {path}; {_HOW.format(path)} makes one") from None
    except OSError as error:
        raise UsageError(f"the key file {path} cannot be read ({error.strerror})") from error
    if len(key) < _LEAST_BYTES:
        raise UsageError(
            f"the key in {path} is too short: {len(key)} bytes, of which there must be at least "
            f"{_LEAST_BYTES}; {_HOW.format(path)} makes one"
        )
    return key


def signing(key: bytes) -> "hmac.HMAC":
    """What signs."""
    return hmac.new(key, digestmod=hashlib.sha256)


def key_id(key: bytes) -> str:
    """Tells whether two files were signed with the same key, and nothing of the key."""
    return hmac.new(key, b"pop-stream key-id", hashlib.sha256).hexdigest()[:16]
