"""Secrets of the settings, as they are now."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import SecretStr

from pop_stream.access.reread import Reread
from pop_stream.settings import read_secret_file, secret_file

T = TypeVar("T")


def reread_secret(secret: SecretStr) -> Reread[str]:
    """Give a secret that is read anew when its file has changed; one of a variable stays."""
    return reread_value(secret, str)


def reread_value(secret: SecretStr, make: Callable[[str], T]) -> Reread[T]:
    """Give what is made of a secret, made anew when its file has changed.

    `make` raises ValueError for a text that is of no use, without repeating it.
    """
    path = secret_file(secret)
    if path is None:
        return Reread((), lambda: make(secret.get_secret_value()))

    def read() -> T:
        text = read_secret_file(path)
        if not text.strip():
            raise ValueError("is empty")
        return make(text)

    return Reread((path,), read)
