"""Secrets that are in files: the file is remembered, since its content may be replaced."""

from pathlib import Path

from pydantic import SecretStr

_MOST_BYTES = 65_536


class FileSecret(SecretStr):
    """A secret as its file held it when settings were loaded, and the file."""

    def __init__(self, secret: str, path: Path) -> None:
        super().__init__(secret)
        self.path = path


def secret_file(secret: SecretStr) -> Path | None:
    """The file that a secret came from; None when it came from a variable."""
    return secret.path if isinstance(secret, FileSecret) else None


def read_secret_file(path: Path) -> str:
    """Read a secret, without the end of its line.

    Raises ValueError with what goes on after the setting's name. It never shows the path: some day
    somebody puts the secret itself in its place.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    if len(content) > _MOST_BYTES:
        raise ValueError(f"is over {_MOST_BYTES} bytes, so it is no secret")
    try:
        text = content.decode()
    except UnicodeError:
        raise ValueError("is not UTF-8") from None
    return text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")
