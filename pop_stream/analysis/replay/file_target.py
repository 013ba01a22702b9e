"""Writes events to a file, one JSON object a line, with the very bytes of each."""

import os
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from pop_stream.analysis.as_object import as_object
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.replay.done import SENT
from pop_stream.analysis.replay.target import Outcomes
from pop_stream.errors import UsageError, WorkFailedError, why


class FileTarget:
    """A file that events are written to."""

    def __init__(self, path: Path, *, known_bytes: int, is_ours: bool) -> None:
        """`known_bytes`: so much of it the journal knows of; what is beyond is taken away.

        `is_ours`: the plan was run before. Raises UsageError when it holds less than that, or
        what is not ours.
        """
        self.stopped: str | None = None
        self._path = path
        try:
            there = path.stat().st_size if path.exists() else 0
            if there and not is_ours:
                raise UsageError(f"{path} is there already: name another file")
            if there < known_bytes:
                raise UsageError(
                    f"{path} was cut or is gone: what was written there before is missing; "
                    "make a new plan"
                )
            self._file = path.open("r+b" if there else "wb")
            self._file.truncate(known_bytes)
            self._file.seek(known_bytes)
        except OSError as error:
            raise WorkFailedError(
                f"{path} cannot be written ({why(error)}); run the plan once more when it can"
            ) from error

    @property
    def bytes(self) -> int:
        """How long the file is."""
        return self._file.tell()

    def send(self, events: Sequence[EventView]) -> Outcomes:
        """Write them; returns once they are on the disk."""
        try:
            self._file.writelines(line_of(event) for event in events)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise WorkFailedError(
                f"{self._path} cannot be written ({why(error)}); run the plan once more when it can"
            ) from error
        return [SENT] * len(events)

    def close(self) -> None:
        """Close it."""
        self._file.close()


def line_of(event: EventView) -> bytes:
    """An event's line: its value as text where it is one, so that no byte of it is altered."""
    told: dict[str, Any] = as_object(event)
    told.pop("event")
    told.pop("valueBase64", None)
    if event.value is not None:
        try:
            told["value"] = event.value.decode()
        except UnicodeDecodeError:
            told["valueBase64"] = b64encode(event.value).decode()
    return orjson.dumps(told) + b"\n"
