"""The secrets that requests are signed with: how they are written, as Standard Webhooks has it."""

import base64
import binascii
import re
from typing import Final

PREFIX: Final = "whsec_"
_LEAST_BYTES: Final = 24
_MOST_BYTES: Final = 64
#: Every secret adds a signature to every request.
_MOST_SECRETS: Final = 8


def parse_signing_secrets(text: str) -> tuple[bytes, ...]:
    """Read `whsec_<base64>`, or several with spaces, commas or newlines, into their keys.

    Raises ValueError, which never repeats a secret, unless all are of 24 to 64 bytes.
    """
    keys = tuple(_key(part) for part in re.split(r"[\s,]+", text.strip(" \t\r\n,")))
    if len(set(keys)) < len(keys):
        raise ValueError("must not hold a secret twice")
    if len(keys) > _MOST_SECRETS:
        raise ValueError(f"must hold {_MOST_SECRETS} secrets at most")
    return keys


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not (text.startswith(PREFIX) and _LEAST_BYTES <= len(key) <= _MOST_BYTES):
        raise ValueError(
            f"must be {PREFIX} and {_LEAST_BYTES} to {_MOST_BYTES} bytes in base64, "
            "or several with spaces, commas or newlines"
        )
    return key
