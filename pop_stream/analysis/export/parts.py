"""The parts of an export: what is written at once, and what is left when it is killed."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pop_stream.analysis.durable import durable
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.export.columns import day_of
from pop_stream.analysis.export.formats import Format
from pop_stream.analysis.export.journal import Part
from pop_stream.analysis.scan import Span

#: So much of a part is held in memory until it is written.
_PART_ROWS: Final = 10_000
_PART_BYTES: Final = 4 * 1024 * 1024
#: After so many records without a part it is noted how far it is, too.
_CHUNK: Final = 1_000_000


def chunks_left(spans: Sequence[Span], parts: Sequence[Part], *, size: int = _CHUNK) -> list[Span]:
    """What of spans is not read yet, in pieces of at most so many offsets, in reading order."""
    reached = {(each.topic, each.partition): each.reached for each in parts}
    return [
        span._replace(begin=max(begin, at), end=end)
        for span in spans
        for at in [reached.get((span.topic, span.partition), span.begin)]
        for begin in range(span.begin, span.end, size)
        for end in [min(begin + size, span.end)]
        if at < end
    ]


class Parts:
    """Makes the parts of an export.

    Which records a part holds depends on the records alone, not on when they were fetched: what is
    done again after a kill comes out the same.
    """

    def __init__(self, form: Format, folder: Path, *, by_day: bool) -> None:
        self._form = form
        self._folder = folder
        self._by_day = by_day

    def path(self, number: int, day: str) -> Path:
        """Where a part stands."""
        return self._folder / (day or "all") / f"{number:08d}"

    def write(self, hits: Iterable[EventView], chunk: Span, *, number: int) -> Iterator[Part]:
        """Write what is meant of a chunk, and give each part when it stands on the disk.

        The first has this number; the last tells that all of the chunk is read, and may be empty.
        Raises OSError.
        """
        for count, (reached, kept) in enumerate(self._portions(hits, chunk.end), number):
            for day, rows in kept.items():
                with durable(self.path(count, day)) as path:
                    self._form.write_part(rows, path)
            rows_by_day = {day: len(rows) for day, rows in kept.items()}
            yield Part(count, chunk.topic, chunk.partition, reached, rows_by_day)

    def _portions(
        self, hits: Iterable[EventView], end: int
    ) -> Iterator[tuple[int, dict[str, list[Any]]]]:
        """Events by their day, as many as a part holds, and up to which offset that is."""
        kept: dict[str, list[Any]] = {}
        rows = size = 0
        for event in hits:
            day = day_of(event) if self._by_day else ""
            kept.setdefault(day, []).append(self._form.keep(event))
            rows, size = rows + 1, size + len(event.value or b"")
            if rows >= _PART_ROWS or size >= _PART_BYTES:
                yield event.offset + 1, kept
                kept, rows, size = {}, 0, 0
        yield end, kept
