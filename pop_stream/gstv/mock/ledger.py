"""The mock's ledger: one line of JSON for each request whose body was read.

The promise that makes it evidence: the line of a success is with the operating system before the
first byte of the answer is sent. Even `kill -9` of the mock leaves no answered success unwritten.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

#: The status that says: this event was already taken (see the contract, section 4).
_ALREADY_KNOWN: Final = 409
#: No line is longer: ids come from headers, whose length is limited.
_LINE_MAX: Final = 1_048_576


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One line."""

    id: str | None
    #: What X-Pop-Attempt said; None when it was no number.
    attempt: int | None
    #: How often this id had come, this time included, since the mock was started.
    nth: int
    #: Of the body, in hexadecimal.
    sha256: str
    site_id: str | None
    screen_id: str | None
    #: The answer's status, or the fault: hang, gone (the client left before it was answered),
    #: reset-after-read, reset-mid-response, reset-after-response.
    decision: int | str
    #: The status of the answer, also of one that was cut off; None without any answer.
    status: int | None
    #: Epoch seconds: when the body had been read.
    received_at: float
    #: Epoch seconds: just before the answer was sent; None without an answer.
    answered_at: float | None
    #: The length of the body, in bytes.
    size: int

    @property
    def delivered(self) -> bool:
        """Whether an answer that says "taken" (2xx or 409) may have reached the client whole."""
        taken = self.status is not None and (self.status < 300 or self.status == _ALREADY_KNOWN)
        return taken and self.decision != "reset-mid-response"

    def line(self) -> bytes:
        """Write the entry as one line of JSON."""
        return orjson.dumps(
            {
                "id": self.id,
                "attempt": self.attempt,
                "nth": self.nth,
                "sha256": self.sha256,
                "siteId": self.site_id,
                "screenId": self.screen_id,
                "decision": self.decision,
                "status": self.status,
                "received_at": self.received_at,
                "answered_at": self.answered_at,
                "bytes": self.size,
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )


class LedgerWriter:
    """Appends to a ledger file. Every call hands its bytes to the operating system at once."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raises OSError."""
        _drop_torn_line(path)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def append(self, lines: bytes) -> None:
        """Write whole lines. Raises OSError when that is not possible."""
        rest = memoryview(lines)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def read_ledger(path: Path | str) -> Iterator[LedgerEntry]:
    """Read a ledger that may be growing.

    A last line without its end is left out: its answer has not been sent. Raises OSError without
    a file, and ValueError for a broken line anywhere else.
    """
    with Path(path).open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield _entry(orjson.loads(line))
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}, line {number}: not a line of a ledger") from error


def _entry(line: dict[str, Any]) -> LedgerEntry:
    return LedgerEntry(
        id=line["id"],
        attempt=line["attempt"],
        nth=line["nth"],
        sha256=line["sha256"],
        site_id=line["siteId"],
        screen_id=line["screenId"],
        decision=line["decision"],
        status=line["status"],
        received_at=line["received_at"],
        answered_at=line["answered_at"],
        size=line["bytes"],
    )


def _drop_torn_line(path: Path) -> None:
    """Cut off what a killed mock left of a line, so that the next line starts a line."""
    if not path.is_file():
        return
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        start = max(0, end - _LINE_MAX)
        file.seek(start)
        tail = file.read()
        file.truncate(start + tail.rfind(b"\n") + 1)
