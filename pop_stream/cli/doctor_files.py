"""What the doctor looks at of files: whether others can read our secrets, or write our settings."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pop_stream.cli.diagnosis import Diagnosis, warn, well
from pop_stream.settings import SETTINGS, Settings, secret_file

_SECRETS = "secret files"
_DOTENV = ".env"
_KEYS = ("kafka_ssl_keyfile", "gstv_ssl_keyfile")


def examine_files(settings: Settings, folder: Path) -> Iterator[Diagnosis]:
    """Look at the files that settings name, and at the `.env` of the current folder."""
    yield from secret_files(settings)
    yield dotenv(folder)


def secret_files(settings: Settings) -> Iterator[Diagnosis]:
    """Judge whether all on this machine can use a secret. Its place is not told, only its setting.

    A group may: that is how Kubernetes gives them.
    """
    files = dict(_files(settings))
    open_to_all = {name: mode for name, path in files.items() if (mode := _mode(path)) & 0o007}
    for name, mode in open_to_all.items():
        yield warn(
            _SECRETS,
            f"{name}: everybody on this machine can use its file (mode {mode:04o})",
            remedy="chmod o= that file; if somebody may have read it, a new secret",
        )
    if not open_to_all:
        yield well(_SECRETS, f"{len(files)}, none of them for everybody" if files else "none")


def dotenv(folder: Path) -> Diagnosis:
    """Judge whether others could change settings by the `.env` of the current folder."""
    file = folder / _DOTENV
    try:
        found = file.stat()
    except OSError:
        return _without_one(folder)
    if found.st_mode & 0o022 or found.st_uid not in (os.geteuid(), 0):
        return warn(
            _DOTENV,
            f"others can change the settings in it (mode {stat.S_IMODE(found.st_mode):04o})",
            remedy="chown and chmod go-w it, or start in another folder",
        )
    return well(_DOTENV, "read, and changed by its owner alone")


def _without_one(folder: Path) -> Diagnosis:
    if _mode(folder) & 0o002:
        return warn(
            _DOTENV,
            "there is none, but everybody can leave one in this folder, and it would be read",
            remedy="start in a folder that others cannot write",
        )
    return well(_DOTENV, "none")


def _files(settings: Settings) -> Iterator[tuple[str, Path]]:
    for setting in SETTINGS.values():
        value = getattr(settings, setting.name)
        if setting.secret and value is not None and (path := secret_file(value)) is not None:
            yield f"{setting.variable}_FILE", path
    for name in _KEYS:
        if (path := getattr(settings, name)) is not None:
            yield SETTINGS[name].variable, Path(path)


def _mode(path: Path) -> int:
    """The rights on a file; none, when it is not there any more: another look tells of that."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0
