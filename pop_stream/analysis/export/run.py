"""An export from its first start to its manifest, over any number of kills.

with exporting(order, folder) as export:
    export.read(topics)
    manifest = export.finish()
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pop_stream import __version__
from pop_stream.analysis.durable import durable, sha256_of
from pop_stream.analysis.export.formats import FORMATS
from pop_stream.analysis.export.journal import WORK_FOLDER, Joined, Journal, open_journal
from pop_stream.analysis.export.manifest import (
    MANIFEST,
    manifest_of,
    read_manifest,
    write_manifest,
)
from pop_stream.analysis.export.order import Beginning, Order
from pop_stream.analysis.export.parts import Parts, chunks_left
from pop_stream.analysis.matching import matching
from pop_stream.analysis.scan import Progress, Topics
from pop_stream.errors import UsageError, WorkFailedError

_ANEW: Final = "begin anew in another folder"

Told = Callable[[Progress], None]


def _tell_nobody(_: Progress) -> None:
    pass


class Export:
    """An export under way; `exporting` begins it or goes on with it. Read it, then finish it."""

    def __init__(self, order: Order, folder: Path, journal: Journal) -> None:
        self._order = order
        self._folder = folder
        self._journal = journal
        self._form = FORMATS[order.format]
        self._parts = Parts(self._form, folder / WORK_FOLDER / "parts", by_day=order.by_day)

    @property
    def goes_on(self) -> bool:
        """Whether it was begun before."""
        return self._journal.beginning is not None

    def read(self, topics: Topics, *, progress: Told = _tell_nobody) -> None:
        """Read what is not read yet. `progress` is told in offsets.

        Raises what `Topics.read` does, and WorkFailedError when records are gone that were there
        when it began.
        """
        beginning, journal = self._begin(topics), self._journal
        total = sum(each.end - each.begin for each in beginning.spans)
        left = chunks_left(beginning.spans, journal.parts)
        done = total - sum(each.end - each.begin for each in left)
        selection = beginning.selection_of(self._order)
        for chunk in left:

            def tell(now: Progress, before: int = done) -> None:
                progress(Progress(before + now.done, total))

            hits = matching(topics, [chunk], selection, progress=tell)
            for part in self._parts.write(hits, chunk, number=len(journal.parts)):
                journal.note_part(part)
            done += chunk.end - chunk.begin

    def _begin(self, topics: Topics) -> Beginning:
        begun, order = self._journal.beginning, self._order
        if begun is not None:
            _require_records(topics, begun, self._journal)
            return begun
        spans = topics.spans(list(order.topics.values()), order.selection.stored)
        begun = Beginning.of(
            order, spans, cluster=topics.cluster_id(), began=_now(), pop_stream=__version__
        )
        self._journal.begin(begun)
        return begun

    def finish(self, *, progress: Told = _tell_nobody) -> dict[str, Any]:
        """Make files of what was read, and at last the manifest; give it.

        `progress` is told in events.
        """
        journal = self._journal
        assert journal.beginning is not None, "it is read first"  # noqa: S101
        rows = self._rows_by_day()
        done, total = 0, sum(rows.values())
        for day in sorted(rows):
            path = f"{f'day={day}/' if day else ''}events.{self._order.format}"
            if path not in journal.joined:

                def tell(joined: int, before: int = done) -> None:
                    progress(Progress(before + joined, total))

                journal.note_joined(self._join(path, day, rows[day], tell))
            shutil.rmtree(self._parts.path(0, day).parent, ignore_errors=True)
            done += rows[day]
        manifest = manifest_of(journal.beginning, list(journal.joined.values()), finished=_now())
        write_manifest(manifest, self._folder)
        return manifest

    def _rows_by_day(self) -> dict[str, int]:
        # Without days there is one file, even one without events.
        rows = {} if self._order.by_day else {"": 0}
        for part in self._journal.parts:
            for day, number in part.rows.items():
                rows[day] = rows.get(day, 0) + number
        return rows

    def _join(self, name: str, day: str, rows: int, tell: Callable[[int], None]) -> Joined:
        def parts() -> Iterator[Path]:
            joined = 0
            for each in self._journal.parts:
                if day in each.rows:
                    yield self._parts.path(each.number, day)
                    joined += each.rows[day]
                    tell(joined)

        path = self._folder / name
        with durable(path) as unfinished:
            self._form.join(parts(), unfinished)
        return Joined(name, day, rows, path.stat().st_size, sha256_of(path))


def finished_export(order: Order, folder: Path) -> dict[str, Any] | None:
    """The manifest of a folder that holds this very order, done; None when it holds none.

    Raises UsageError when it holds another.
    """
    if not (folder / MANIFEST).exists():
        return None
    manifest = read_manifest(folder)
    if manifest["asked"]["fingerprint"] != order.fingerprint:
        raise UsageError(f"{folder} holds another export, which is done: name another folder")
    # Killed between its last two steps, it would be there still.
    shutil.rmtree(folder / WORK_FOLDER, ignore_errors=True)
    return manifest


@contextmanager
def exporting(order: Order, folder: Path) -> Iterator[Export]:
    """Begin an export to a folder, or go on where it was left.

    Raises UsageError when the folder is of something else, and WorkFailedError when the disk
    refuses.
    """
    try:
        _require_ours_or_empty(folder)
        with open_journal(folder) as journal:
            _require_same(order, journal, folder)
            yield Export(order, folder, journal)
        shutil.rmtree(folder / WORK_FOLDER, ignore_errors=True)
    except OSError as error:
        raise WorkFailedError(
            f"{folder}: cannot be written ({error.strerror or error}); "
            "when it can, the same command goes on where it was"
        ) from error


def _require_ours_or_empty(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder")
    if folder.exists() and not (folder / WORK_FOLDER).exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty, and no export was begun there: name another one")


def _require_same(order: Order, journal: Journal, folder: Path) -> None:
    begun = journal.beginning
    if begun is not None and begun.pop_stream != __version__:
        raise UsageError(
            f"the export in {folder} was begun by pop-stream {begun.pop_stream}, and this is "
            f"{__version__}, which may write files in another way: {_ANEW}"
        )
    if begun is not None and begun.fingerprint != order.fingerprint:
        what = f"{begun.format} of {', '.join(begun.topics.values())}: {'; '.join(begun.told)}"
        raise UsageError(
            f"{folder} holds the beginning of another export ({what}). To go on with that one, "
            "repeat its command as it was; for this one name another folder, or remove that one"
        )


def _require_records(topics: Topics, begun: Beginning, journal: Journal) -> None:
    """What is still to be read must still be there, in the Kafka where it was."""
    if (cluster := topics.cluster_id()) != begun.cluster:
        raise UsageError(f"this is another Kafka ({cluster}, not {begun.cluster}): {_ANEW}")
    now = {(each.topic, each.partition): each for each in topics.spans([*begun.topics.values()])}
    for left in chunks_left(begun.spans, journal.parts):
        there = now.get((left.topic, left.partition))
        if there is None or there.begin > left.begin or there.end < left.end:
            raise WorkFailedError(
                f"records of {left.topic}/{left.partition} from {left.begin:,} to before "
                f"{left.end:,} were deleted since this export began: {_ANEW}"
            )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
