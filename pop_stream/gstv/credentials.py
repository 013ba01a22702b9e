"""Credentials that do not change by themselves: a token, a key, a user with a password."""

import base64
from collections.abc import Callable

from pop_stream.access.reread import Reread
from pop_stream.pop.outcome import NoAnswer
from pop_stream.settings.values import check_credential


class StaticCredentials:
    """Lines made of a secret, and made anew when its file has changed."""

    def __init__(self, lines: Reread[bytes]) -> None:
        self._lines = lines

    def lines(self) -> bytes:
        """Give the lines as the secret's file has them now."""
        return self._lines.get()

    async def ready(self) -> NoAnswer | None:
        """Say that there is nothing to wait for."""
        return None

    def refused(self, lines: bytes) -> None:
        """Do nothing: what GSTV does not take, somebody has to mend."""


def bearer_lines(token: str) -> bytes:
    """Make the line of a bearer token (RFC 6750). Raises ValueError when it could leave it."""
    return f"Authorization: Bearer {check_credential(token)}\r\n".encode("ascii")


def key_lines(header: str) -> Callable[[str], bytes]:
    """Make the maker of the line of an API key, in a header of its own."""
    return lambda key: f"{header}: {check_credential(key)}\r\n".encode("ascii")


def basic_lines(username: str) -> Callable[[str], bytes]:
    """Make the maker of the line of a user with a password, in UTF-8 (RFC 7617)."""
    return lambda password: b"Authorization: %b\r\n" % basic(username, password)


def basic(username: str, password: str) -> bytes:
    """Make the value of an Authorization header of the scheme Basic."""
    return b"Basic " + base64.b64encode(f"{username}:{password}".encode())
