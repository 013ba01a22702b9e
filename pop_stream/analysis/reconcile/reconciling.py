"""Reconciles: reads both sides, each event once, and gives each play to whoever counts plays."""

import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pop_stream.analysis.audit.audit import Audit
from pop_stream.analysis.csv_files import WriteRow
from pop_stream.analysis.play import FIELDS
from pop_stream.analysis.reconcile.orders import Orders, OrderState
from pop_stream.analysis.reconcile.playlists import VIOLATIONS, Playlists
from pop_stream.analysis.reconcile.reconcile import (
    Difference,
    Entry,
    Key,
    Tally,
    key_of,
    reconcile,
    unique,
)
from pop_stream.analysis.reconcile.sides import (
    read_ours_from_file,
    read_ours_from_topics,
    read_theirs,
)
from pop_stream.analysis.scan import Stage
from pop_stream.analysis.selection import Selection
from pop_stream.analysis.spill import Heap
from pop_stream.settings import Settings

#: The files of differences, and their columns.
HEADERS: Mapping[str, tuple[str, ...]] = {
    "ours-only": ("popId", "place", *FIELDS),
    "theirs-only": ("popId", "place", *FIELDS),
    "differing": ("popId", "place", "theirPlace", "field", "ours", "theirs"),
    "outside-playlist": ("popId", "place", "why", *FIELDS),
}
#: So many of each are kept, for people.
_SHOWN = 10


class Theirs(NamedTuple):
    """GSTV's file, and how it is compared."""

    path: Path
    key: Key
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be reconciled."""

    #: None: from the topics.
    ours: Path | None
    selection: Selection
    theirs: Theirs | None = None
    orders: Orders | None = None
    playlists: Playlists | None = None
    #: Until when orders are looked at, in the time of the sites.
    as_of: datetime


@dataclass(slots=True)
class Reconciled:
    """What was found."""

    #: Our rows, of which those that come again are not counted for orders.
    rows: int = 0
    plays: int = 0
    tally: Tally | None = None
    orders: list[OrderState] = field(default_factory=list)
    unknown_orders: int = 0
    playlist: Counter[str] | None = None
    #: The first differences of each kind, for people.
    first: list[Difference] = field(default_factory=list)
    #: Of our side, when it comes from the topics.
    audit: Audit | None = None

    @property
    def needs_acting(self) -> bool:
        """Whether something differs, is short, or was played when it should not."""
        differs = self.tally is not None and not self.tally.agrees
        outside = self.playlist is not None and any(self.playlist[why] for why in VIOLATIONS)
        return differs or outside or any(state.owed for state in self.orders)


def run(settings: Settings, wanted: Wanted, write: WriteRow, *, stage: Stage) -> Reconciled:
    """Do it; `write` is given every difference.

    Raises UsageError for files that cannot be read, and what `audit` does.
    """
    found = Reconciled()
    with tempfile.TemporaryDirectory(prefix="pop-stream-reconcile-") as name:
        folder = Path(name)
        ours, theirs, played = Heap(folder, "ours"), Heap(folder, "theirs"), wanted.selection.played
        if wanted.theirs is not None:
            # First: a file that is wrong is told of before anything long begins.
            path, key, columns = wanted.theirs
            found.tally = Tally()
            read_theirs(path, key, theirs, found.tally, columns=columns, played=played)
        if wanted.ours is not None:
            read_ours_from_file(wanted.ours, played, ours)
        else:
            found.audit = read_ours_from_topics(settings, wanted.selection, ours, stage=stage)
        found.rows = ours.rows
        by_key = _each_play(ours, Heap(folder, "by-key"), wanted, found, write)
        if wanted.theirs is not None and found.tally is not None:
            mine = ours if wanted.theirs.key == "id" else by_key
            reconcile(mine, theirs, key=wanted.theirs.key, tally=found.tally,
                      tell=_Tell(found, write))  # fmt: skip
    if wanted.orders is not None:
        found.orders = list(wanted.orders.states(wanted.as_of))
        found.unknown_orders = wanted.orders.unknown
    found.playlist = None if wanted.playlists is None else wanted.playlists.counts
    return found


def _each_play(
    ours: Heap, by_key: Heap, wanted: Wanted, found: Reconciled, write: WriteRow
) -> Heap:
    """Count each event once, and sort it by its natural key if that is what is compared."""
    key: Key = "id" if wanted.theirs is None else wanted.theirs.key
    for entry in unique(ours):
        found.plays += 1
        if wanted.orders is not None:
            wanted.orders.count(entry.play)
        if wanted.playlists is not None:
            why = wanted.playlists.judge(entry.play)
            if why in VIOLATIONS:
                write("outside-playlist", (entry.pop_id, entry.at, why, *_fields(entry)))
        if found.tally is not None:
            wanted_key = key_of(entry, key)
            if wanted_key is None:
                found.tally.ours_without_key += 1
            elif key == "play":
                by_key.add(wanted_key, entry.packed())
    return by_key


class _Tell:
    """Writes each difference, and keeps the first of each kind."""

    def __init__(self, found: Reconciled, write: WriteRow) -> None:
        self._found = found
        self._write = write
        self._kept: Counter[str] = Counter()

    def __call__(self, difference: Difference) -> None:
        kind, mine, other = difference.kind, difference.ours, difference.theirs
        self._kept[kind] += 1
        if self._kept[kind] <= _SHOWN:
            self._found.first.append(difference)
        if mine is not None and other is not None:
            for name in difference.fields:
                self._write(kind, (mine.pop_id, mine.at, other.at, name,
                                   mine.play.get(name, ""), other.play[name]))  # fmt: skip
            return
        entry = mine or other
        if entry is not None:
            self._write(kind, (entry.pop_id, entry.at, *_fields(entry)))


def _fields(entry: Entry) -> tuple[str, ...]:
    return tuple(entry.play.get(name, "") for name in FIELDS)
