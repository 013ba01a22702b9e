"""Two sides, pair by pair: every row is counted once, on the side or on both sides that have it."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.analysis.play import FIELDS, differing, natural_key, play_of
from pop_stream.analysis.reconcile.reconcile import (
    Difference,
    Entry,
    Key,
    Tally,
    key_of,
    reconcile,
    unique,
)
from pop_stream.analysis.spill import Heap

EVENT = {
    "filename": "spot.mp4", "assetId": "5942", "ioNumber": "124", "screenState": "Full",
    "startTimestamp": "2026-11-20 10:00:00", "endTimestamp": "2026-11-20 10:00:15",
    "siteId": "0012", "screenId": "2",
}  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        EVENT,
        {**EVENT, "startTimestamp": "2026-11-20T10:00:00.000", "screenId": 2, "more": 1},
        {"Site ID": "0012", "SCREEN_ID": "2", "asset-id": "5942", "File Name": " spot.mp4 ",
         "tiNumber": "124", "screenstate": "Full", "start timestamp": "2026-11-20 10:00:00",
         "end_timestamp": "2026-11-20 10:00:15"},
    ],
)  # fmt: skip
def test_a_play_is_the_same_however_its_columns_are_called(fields: dict[str, object]) -> None:
    """Names without case and separators, the alias of the order, times in another form."""
    assert play_of(fields) == EVENT


def test_a_column_that_is_called_otherwise_can_be_named() -> None:
    """And what is not there is not made up."""
    play = play_of({"Location": "0012", "siteId": "x", "Screen": ""},
                   {"siteId": "Location", "screenId": "screen"})  # fmt: skip

    assert play == {"siteId": "0012", "screenId": ""}
    assert natural_key(play) is None


def test_only_what_their_side_has_is_compared() -> None:
    """A column that is there and empty differs; one that is not there says nothing."""
    assert differing(EVENT, {"siteId": "0012"}) == ()
    assert differing(EVENT, {"siteId": "12", "ioNumber": ""}) == ("ioNumber", "siteId")
    assert differing({}, {"ioNumber": ""}) == ()


_names = st.sampled_from(["a", "b"])
_row = st.tuples(st.integers(0, 3), st.integers(0, 2), _names)
_rows = st.lists(_row, max_size=12)


@given(ours=_rows, theirs=_rows, key=st.sampled_from(["id", "play"]))
def test_every_row_is_counted_once(
    ours: list[tuple[int, int, str]], theirs: list[tuple[int, int, str]], key: Key
) -> None:
    """On either side; of those that are alike as many are paired as can be."""
    tally, told = Tally(), list[Difference]()
    with TemporaryDirectory() as folder:
        heaps = [Heap(Path(folder), name) for name in ("ours", "theirs")]
        for heap, rows in zip(heaps, (ours, theirs), strict=True):
            for number, (number_of_id, screen, name) in enumerate(rows):
                play = EVENT | {"screenId": str(screen), "filename": name}
                pop_id = f"019af0c2-6b5e-7a51-9c0e-{number_of_id:012d}"
                entry = Entry(pop_id, str(number), play)
                wanted = key_of(entry, key)
                assert wanted is not None
                heap.add(wanted, entry.packed())
        reconcile(heaps[0], heaps[1], key=key, tally=tally, tell=told.append)

    paired = tally.both + tally.differing
    assert paired + tally.ours_only + tally.ours_repeated == len(ours)
    assert paired + tally.theirs_only + tally.theirs_repeated == len(theirs)
    assert Counter(each.kind for each in told) == Counter({
        "ours-only": tally.ours_only, "theirs-only": tally.theirs_only,
        "differing": tally.differing,
    })  # fmt: skip
    if key == "play":
        alike = Counter(row[1:] for row in ours) & Counter(row[1:] for row in theirs)
        assert tally.both == alike.total()
        assert tally.ours_repeated == tally.theirs_repeated == 0
    else:
        assert tally.ours_repeated == len(ours) - len({row[0] for row in ours})


def test_an_event_that_was_written_twice_is_one(tmp_path: Path) -> None:
    """It is not billed twice."""
    heap = Heap(tmp_path, "ours")
    for place in ("a", "b"):
        heap.add(bytes(16), Entry("x", place, EVENT).packed())

    assert [entry.at for entry in unique(heap)] == ["a"]


def test_what_agrees_is_all_that_there_is() -> None:
    """What could not be compared does not agree."""
    assert Tally(both=3, ours_repeated=1, theirs_repeated=1).agrees
    for wrong in ("differing", "ours_only", "theirs_only", "theirs_without_key"):
        assert not Tally(both=3, **{wrong: 1}).agrees
    assert set(FIELDS) == set(EVENT)
