"""The files of a plan: the plan, its list of events, its journal and its receipt."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pop_stream.analysis.durable import durable, private, sha256_of
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.replay.plan import Plan, Planned, PlannedList, parse_plan
from pop_stream.errors import UsageError, WorkFailedError, why

_RECEIPT: Final = ".receipt.json"


def list_of(plan: Path) -> Path:
    """Where the list of a plan's events is."""
    return plan.with_name(plan.name + ".events")


def journal_of(plan: Path) -> Path:
    """Where it is written down what of a plan is done."""
    return plan.with_name(plan.name + ".journal")


def receipt_of(plan: Path) -> Path:
    """Where the receipt of a plan is."""
    return plan.with_name(plan.name + _RECEIPT)


def plan_of(receipt: Path) -> Path:
    """Where the plan of a receipt is. Raises UsageError when the file is not named as one."""
    name = receipt.name.removesuffix(_RECEIPT)
    if name in ("", receipt.name):
        raise UsageError(f"{receipt}: a receipt is called PLAN{_RECEIPT}, and stands beside PLAN")
    return receipt.with_name(name)


def require_free(plan: Path) -> None:
    """Raise UsageError unless a plan can be written there without writing over anything."""
    for path in (plan, list_of(plan), journal_of(plan), receipt_of(plan)):
        if path.exists():
            raise UsageError(f"{path} is there already: name another file for the plan")
    if not plan.parent.is_dir():
        raise UsageError(f"{plan.parent} is no folder")


class ListWriter:
    """Writes the list of a plan's events, in their order. Use it as a context manager.

    Unless it is finished, nothing stays. Raises WorkFailedError when it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(path.name + ".partial")
        self._sha256 = hashlib.sha256()
        self._count = 0
        try:
            self._file = open(self._partial, "wb", opener=private)  # noqa: SIM115
        except OSError as error:
            raise WorkFailedError(
                f"{path} cannot be written ({why(error)}); --plan FILE names another place"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._partial.unlink(missing_ok=True)

    def add(self, event: EventView) -> None:
        """Add one."""
        planned = Planned(self._count, event.topic, event.partition, event.offset, event.pop_id)
        line = planned.as_line().encode()
        self._file.write(line)
        self._sha256.update(line)
        self._count += 1

    def finish(self) -> PlannedList:
        """Put it in its place."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._partial.rename(self._path)
        return PlannedList(
            name=self._path.name, events=self._count, sha256=self._sha256.hexdigest()
        )


def write_whole(path: Path, content: str) -> None:
    """Write a file so that it is there whole or not at all, for its owner alone.

    Raises WorkFailedError.
    """
    try:
        with (
            durable(path) as unfinished,
            open(unfinished, "w", encoding="utf-8", opener=private) as file,
        ):
            file.write(content)
    except OSError as error:
        raise WorkFailedError(
            f"{path} cannot be written ({why(error)}); --plan FILE names another place"
        ) from error


def read_plan(path: Path) -> Plan:
    """Read a plan, and check it and its list. Raises UsageError."""
    try:
        plan = parse_plan(path.read_text("utf-8"))
        found = sha256_of(list_of(path))
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        # Of the two it is the one that is named.
        file = (error.filename if isinstance(error, OSError) else None) or path
        raise UsageError(
            f"the plan {file} cannot be read ({why(error)}); the command without `run` writes one, "
            "with --plan FILE --reason TEXT, and beside it its list"
        ) from error
    if found != plan.listed.sha256:
        raise UsageError(
            f"{list_of(path)} was altered after it was written: its digest is another; "
            "only a new plan can be run"
        )
    return plan


def planned_in(path: Path) -> Iterator[Planned]:
    """The events of a plan's list, in their order. Raises UsageError."""
    with path.open(encoding="ascii", newline="\n") as file:
        for number, line in enumerate(file):
            yield Planned.parse(number, line)
