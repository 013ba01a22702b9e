"""The players' own record of what the broker has confirmed, one JSON object a line."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import orjson

from pop_stream.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """An event that Kafka has taken: every replica in sync has it."""

    #: The pop-id.
    id: str
    topic: str
    partition: int
    offset: int
    #: Of the record's value, in hexadecimal digits.
    sha256: str
    #: The record's key, `siteId/screenId`.
    key: str


class PlayerLedger:
    """Collects confirmed events and appends them to a file; what was flushed outlives us."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._lines: list[bytes] = []

    def write(self, confirmed: Confirmed) -> None:
        """Note an event. It is in the file after the next `flush`."""
        self._lines.append(orjson.dumps(confirmed, option=orjson.OPT_APPEND_NEWLINE))

    def flush(self) -> None:
        """Hand what was noted to the operating system. Raises OSError when it does not take it."""
        rest = memoryview(b"".join(self._lines))
        self._lines.clear()
        while rest:
            rest = rest[self._file.write(rest) :]


@contextmanager
def open_ledger(path: Path | None) -> Iterator[PlayerLedger | None]:
    """Open a ledger at its end; without a path there is none.

    Raises UsageError when the file cannot be opened.
    """
    if path is None:
        yield None
        return
    try:
        file = path.open("ab", buffering=0)
    except OSError as error:
        raise UsageError(f"the ledger {path} cannot be written ({error.strerror})") from error
    with file:
        yield PlayerLedger(file)
