"""Compares what counts as delivered with the ids that GSTV says it has."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct
from typing import Any
from uuid import UUID

import orjson

from pop_stream.analysis.audit.whereabouts import Outcome
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.partner_file import read_rows
from pop_stream.analysis.spill import Heap, joined
from pop_stream.errors import UsageError
from pop_stream.gstv.mock.ledger import read_ledger
from pop_stream.pop.identity import parse_pop_id

_PLACE = Struct("<BIQ")
_OUTCOMES = tuple(Outcome)
_DELIVERED = _OUTCOMES.index(Outcome.DELIVERED)


@dataclass(slots=True)
class Comparison:
    """How the two sides agree, in events by their ids."""

    #: Delivered by our account, and GSTV has them.
    agreed: int = 0
    #: Delivered by our account, and GSTV does not know them: the worst there is.
    unknown_to_gstv: int = 0
    #: GSTV has them, though by our account they are not delivered yet.
    known_already: int = 0
    #: GSTV has them, and they are not among the offsets that were walked.
    theirs_only: int = 0
    #: Neither delivered nor known to GSTV.
    not_yet: int = 0
    #: Lines of GSTV's file without an id.
    without_id: int = 0
    #: The first differences, for people.
    first: list[dict[str, Any]] = field(default_factory=list)

    def as_object(self) -> dict[str, Any]:
        """For programs."""
        return {
            "agreed": self.agreed,
            "unknownToGstv": self.unknown_to_gstv,
            "knownAlready": self.known_already,
            "theirsOnly": self.theirs_only,
            "notYet": self.not_yet,
            "linesWithoutId": self.without_id,
        }


def read_theirs(path: Path, heap: Heap, *, column: str | None) -> int:
    """Read the ids that GSTV has; how many lines have none.

    A ledger of the mock is known by its lines; of it only what was delivered counts. Raises
    UsageError when the file cannot be read, and when no line of it has an id.
    """
    without = 0
    for pop_id in _ledger_ids(path) if _is_ledger(path) else _ids(path, column):
        if pop_id is None:
            without += 1
        else:
            heap.add(_key(pop_id), b"")
    if without and not heap.rows:
        raise UsageError(
            f"{path}: none of its {without:,} lines has a pop-id; --id-column names the column "
            "that holds them"
        )
    return without


def note_ours(heap: Heap, event: EventView, pop_id: str, outcome: Outcome) -> None:
    """Add one walked record."""
    row = _PLACE.pack(_OUTCOMES.index(outcome), event.partition, event.offset)
    heap.add(_key(pop_id), row)


def compare(
    ours: Heap, theirs: Heap, *, most: int, tell: Callable[[Mapping[str, Any]], None]
) -> Comparison:
    """Compare; `tell` is given every difference, and the first `most` of them are kept."""
    found = Comparison()
    for pair in joined(ours, theirs):
        pop_id = str(UUID(bytes=pair.key))
        rows = [_PLACE.unpack(row) for row in pair.ours]
        difference = _difference(found, rows, known=bool(pair.theirs))
        if difference is None:
            continue
        told = {
            "difference": difference,
            "popId": pop_id,
            "places": [
                {"partition": partition, "offset": offset, "outcome": _OUTCOMES[outcome].value}
                for outcome, partition, offset in rows
            ],
        }
        tell(told)
        if len(found.first) < most:
            found.first.append(told)
    return found


def _difference(found: Comparison, rows: list[Any], *, known: bool) -> str | None:
    delivered = any(row[0] == _DELIVERED for row in rows)
    if not rows:
        found.theirs_only += 1
        return "theirs-only"
    if delivered and not known:
        found.unknown_to_gstv += 1
        return "unknown-to-gstv"
    if known and not delivered:
        found.known_already += 1
        return "known-already"
    if delivered:
        found.agreed += 1
    else:
        found.not_yet += 1
    return None


def _key(pop_id: str) -> bytes:
    # Three times as fast as uuid.UUID, and there may be many millions.
    return bytes.fromhex(pop_id.replace("-", ""))


def _ids(path: Path, column: str | None) -> Iterator[str | None]:
    return (row.id(column) for row in read_rows(path))


def _is_ledger(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            first = orjson.loads(file.readline(1_000_000))
    except (OSError, orjson.JSONDecodeError):
        return False
    return type(first) is dict and {"nth", "decision", "answered_at"} <= first.keys()


def _ledger_ids(path: Path) -> Iterator[str | None]:
    try:
        for entry in read_ledger(path):
            if entry.delivered:
                yield parse_pop_id((entry.id or "").encode("utf-8", "replace"))
    except ValueError as error:
        raise UsageError(str(error)) from error
