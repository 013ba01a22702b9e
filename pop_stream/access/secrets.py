"""Secrets of the settings, as they are now."""

from pydantic import SecretStr

from pop_stream.access.reread import Reread
from pop_stream.settings import read_secret_file, secret_file


def reread_secret(secret: SecretStr) -> Reread[str]:
    """Give a secret that is read anew when its file has changed; one of a variable stays."""
    path = secret_file(secret)
    if path is None:
        return Reread((), secret.get_secret_value)

    def read() -> str:
        text = read_secret_file(path)
        if not text.strip():
            raise ValueError("is empty")
        return text

    return Reread((path,), read)
