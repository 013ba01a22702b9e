"""Reads the two sides that are reconciled into heaps."""

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

from pop_stream.analysis.audit.audit import Asked, Audit, audit
from pop_stream.analysis.audit.whereabouts import Outcome
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.partner_file import Row, read_rows
from pop_stream.analysis.period import Played
from pop_stream.analysis.play import FIELDS, Play, play_of
from pop_stream.analysis.reconcile.reconcile import Entry, Key, Tally, key_of
from pop_stream.analysis.scan import Stage
from pop_stream.analysis.selection import Selection
from pop_stream.analysis.spill import Heap
from pop_stream.errors import UsageError
from pop_stream.settings import Settings

#: What counts as delivered.
_DELIVERED = (Outcome.DELIVERED, Outcome.SENT_BACK)


def read_ours_from_topics(
    settings: Settings, selection: Selection, heap: Heap, *, stage: Stage
) -> Audit:
    """Add what was delivered as far as commits tell, and is meant, by its ids.

    Raises what `audit` does.
    """
    test = selection.test()

    def take(event: EventView, pop_id: str, outcome: Outcome) -> None:
        if outcome in _DELIVERED and test(event):
            place = f"{event.topic}/{event.partition}/{event.offset}"
            entry = Entry(pop_id, place, play_of(event.fields))
            heap.add(bytes.fromhex(pop_id.replace("-", "")), entry.packed())

    # What was delivered beyond a commit is delivered.
    asked = Asked(end="end", stored=selection.stored)
    return audit(settings, asked, stage=stage, take=take)


def read_ours_from_file(path: Path, played: Played | None, heap: Heap) -> None:
    """Add what `events search --json` or `events export` has written, by its ids.

    Raises UsageError when it cannot be read.
    """
    for row in read_rows(path):
        event = row.fields.get("event")
        play = play_of(event if type(event) is dict else row.fields)
        if _is_meant(play, played):
            entry = Entry(row.id(None), f"line {row.number}", play)
            heap.add(key_of(entry, "id") or _of_line(row), entry.packed())


def read_theirs(
    path: Path,
    key: Key,
    heap: Heap,
    tally: Tally,
    *,
    columns: Mapping[str, str],
    played: Played | None,
) -> None:
    """Add GSTV's rows by a key; those without it are counted.

    `columns` says which column holds a field, or `popId`, where its name does not. Rows that do not
    tell when they were played are taken whatever `played` asks. Raises UsageError when the file
    cannot be read, or not one of its rows has the key.
    """
    rows = 0
    for row in read_rows(path):
        rows += 1
        play = play_of(row.fields, columns)
        if not _is_meant(play, played):
            continue
        entry = Entry(row.id(columns.get("popId")), f"line {row.number}", play)
        wanted = key_of(entry, key)
        if wanted is None:
            tally.theirs_without_key += 1
        else:
            heap.add(wanted, entry.packed())
    if rows and tally.theirs_without_key == rows:
        raise UsageError(
            f"{path}: not one of its {rows:,} rows has "
            + ("a pop-id" if key == "id" else "site, screen, asset and start")
            + "; --column NAME=COLUMN says where it stands, and --key id|play what to compare by"
        )


def parse_columns(texts: tuple[str, ...]) -> dict[str, str]:
    """Read `siteId=Site Nr`. Raises UsageError."""
    columns = {}
    for text in texts:
        name, sign, column = text.partition("=")
        if not sign or not column or name not in ("popId", *FIELDS):
            raise UsageError(
                f"--column {text!r}: write NAME=COLUMN, where NAME is one of "
                + ", ".join(("popId", *FIELDS))
            )
        columns[name] = column
    return columns


def _is_meant(play: Play, played: Played | None) -> bool:
    start = play.get("startTimestamp")
    return played is None or not start or start in played


def _of_line(row: Row) -> bytes:
    return blake2b(f"line {row.number}".encode(), digest_size=16).digest()
