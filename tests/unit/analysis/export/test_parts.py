"""What is left of an export after a kill, and what its parts hold."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.export import parts as under_test
from pop_stream.analysis.export.formats import FORMATS
from pop_stream.analysis.export.journal import Part
from pop_stream.analysis.export.parts import Parts, chunks_left
from pop_stream.analysis.scan import Span

SPANS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted), min_size=1, max_size=4
).map(lambda ends: [Span("t", number, *each) for number, each in enumerate(ends)])


def offsets(spans: Sequence[Span]) -> list[tuple[int, int]]:
    """Every offset of spans, in reading order."""
    return [(each.partition, offset) for each in spans for offset in range(each.begin, each.end)]


@given(spans=SPANS, size=st.integers(1, 12), stop=st.integers(0, 120))
def test_every_offset_is_read_once_wherever_it_was_killed(
    spans: list[Span], size: int, stop: int
) -> None:
    """Chunk for chunk, in the same order, from where it was to the end."""
    every = offsets(spans)
    before = every[:stop]
    parts = [Part(number, "t", partition, offset + 1, {})
             for number, (partition, offset) in enumerate(before)]  # fmt: skip
    left = chunks_left(spans, parts, size=size)

    assert offsets(left) == every[stop:]
    assert all(0 < each.end - each.begin <= size for each in left)


@given(rows=st.integers(1, 40), begin=st.integers(0, 39))
def test_parts_depend_on_the_records_alone(rows: int, begin: int) -> None:
    """Begun anew where a part ended, it goes on with the very same parts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(under_test, "_PART_ROWS", 7)
        every = reached_of([event(n) for n in range(rows)], rows)
        known = [0, *every]
        at = known[min(begin, len(known) - 1)]

        assert (
            reached_of([event(n) for n in range(at, rows)], rows)
            == [reached for reached in every if reached > at]
            or at == rows
        )


def reached_of(events: list[EventView], end: int) -> list[int]:
    """Where parts of these events end."""
    parts = Parts(FORMATS["ndjson"], Path("nowhere"), by_day=False)
    return [reached for reached, _ in parts._portions(events, end)]


def event(offset: int, **fields: str) -> EventView:
    """An event at an offset."""
    value = f'{{"startTimestamp":"{fields.get("start", "2026-11-20 10:00:00")}"}}'.encode()
    return EventView("t", 0, offset, timestamp=1, key=None, value=value, headers=(), is_ours=False)


def test_a_part_holds_what_fits_into_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the bytes of the records, too: a few may be large."""
    monkeypatch.setattr(under_test, "_PART_BYTES", 3 * len(event(0).value or b""))

    assert reached_of([event(n) for n in range(7)], 7) == [3, 6, 7]


def test_a_part_has_a_file_for_each_day(tmp_path: Path) -> None:
    """And tells how many events are in it; the last part of a chunk may be empty."""
    parts = Parts(FORMATS["ndjson"], tmp_path, by_day=True)
    hits = [event(0), event(1, start="2026-11-21 10:00:00"), event(2), event(3, start="soon")]
    (part,) = parts.write(hits, Span("t", 0, 0, 9), number=5)

    assert part == Part(5, "t", 0, 9, {"2026-11-20": 2, "2026-11-21": 1, "unknown": 1})
    assert len(parts.path(5, "2026-11-20").read_bytes().splitlines()) == 2
    assert list(parts.write([], Span("t", 0, 9, 12), number=6)) == [Part(6, "t", 0, 12, {})]
