"""The journal of a plan: what is confirmed, written down before anything more is sent.

One line of JSON each: who began when, and how which lines of the plan's list ended. After a kill
the last line may be there by half; it was then confirmed by nobody, and is taken away.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from pop_stream.analysis.durable import private, sync
from pop_stream.analysis.replay.done import Done, Ended
from pop_stream.errors import UsageError, WorkFailedError, why


@dataclass(slots=True)
class Written:
    """What a journal tells."""

    #: The digest of its plan; empty: nothing was begun yet.
    plan: str = ""
    runs: list[dict[str, Any]] = field(default_factory=list)
    done: Done = field(default_factory=Done)
    #: How long the file that is written to was, at the last line.
    file_bytes: int = 0

    def take(self, entry: dict[str, Any]) -> None:
        """Take a line. Raises ValueError and KeyError when it is none of ours."""
        if "run" in entry:
            self.plan = entry["plan"]
            self.runs.append(entry["run"])
            if entry["run"].get("retriesFailed"):
                self.done.forget_errors()
        else:
            for outcome, begin, end in entry["done"]:
                self.done.add(Ended(outcome, begin, end))
            self.file_bytes = entry.get("fileBytes", 0)


class Journal:
    """The journal of one plan, which one process at a time may hold. Use as a context manager."""

    def __init__(self, path: Path, plan_sha256: str) -> None:
        """Raises UsageError when another process runs the plan, or the journal is another's."""
        self._path = path
        self._plan = plan_sha256
        try:
            self._file = open(path, "a+b", opener=private)  # noqa: SIM115
        except OSError as error:
            raise WorkFailedError(
                f"{path} cannot be written ({why(error)}): a plan needs its journal beside it"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.written = self._read()
        except OSError as error:
            self._file.close()
            raise UsageError(f"the plan is being run by somebody else: {path} is held") from error
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def begin(self, run: dict[str, Any]) -> None:
        """Note who begins."""
        entry = {"plan": self._plan, "run": run}
        self.written.take(entry)
        self._append(entry)
        sync(self._path.parent)

    def note(self, at: str, ended: Sequence[Ended], *, file_bytes: int | None = None) -> None:
        """Note how lines ended; it stands on the disk when this returns."""
        entry: dict[str, Any] = {"at": at, "done": [list(each) for each in ended]}
        if file_bytes is not None:
            entry["fileBytes"] = file_bytes
        self._append(entry)
        self.written.take(entry)

    def _append(self, entry: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise WorkFailedError(
                f"{self._path} cannot be written ({why(error)}); nothing more was sent"
            ) from error

    def _read(self) -> Written:
        self._file.seek(0)
        written, whole = _written_in(self._file, self._path, self._plan)
        self._file.truncate(whole)
        return written


def read_journal(path: Path, plan_sha256: str) -> Written:
    """What the journal of a plan tells; it is left as it is.

    Raises UsageError when it cannot be read, was altered, or is another's.
    """
    try:
        with path.open("rb") as file:
            return _written_in(file, path, plan_sha256)[0]
    except OSError as error:
        raise UsageError(
            f"the journal {path} cannot be read ({why(error)}); without it nobody knows what was "
            "sent"
        ) from error


def _written_in(lines: Iterable[bytes], path: Path, plan_sha256: str) -> tuple[Written, int]:
    """What whole lines tell, and how many bytes these are."""
    written, whole = Written(), 0
    for number, line in enumerate(lines):
        if not line.endswith(b"\n"):
            break
        try:
            written.take(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"line {number + 1} of {path} is none of ours: it was altered, and cannot be "
                "relied on; only a new plan can be run"
            ) from error
        whole += len(line)
    if written.plan not in ("", plan_sha256):
        raise UsageError(f"{path} is the journal of another plan")
    return written, whole
