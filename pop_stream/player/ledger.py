"""The players' own record of what the broker has confirmed, one JSON object a line."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import orjson


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
    """Appends confirmed events to a file; what was flushed survives this process."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, confirmed: Confirmed) -> None:
        """Note an event; call `flush` to be sure of it."""
        self._file.write(orjson.dumps(asdict(confirmed)) + b"\n")

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        self._file.flush()


@contextmanager
def open_ledger(path: Path | None) -> Iterator[PlayerLedger | None]:
    """Open a ledger at its end; without a path there is none."""
    if path is None:
        yield None
        return
    with path.open("ab") as file:
        yield PlayerLedger(file)
