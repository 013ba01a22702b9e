"""Two heaps of rows, joined by their keys."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from pop_stream.analysis.spill import KEY_BYTES, Heap, joined

_rows = st.lists(st.tuples(st.integers(0, 20), st.binary(max_size=9)), max_size=60)


@given(ours=_rows, theirs=_rows)
def test_every_key_comes_once_with_all_its_rows(
    ours: list[tuple[int, bytes]], theirs: list[tuple[int, bytes]]
) -> None:
    """Those of both sides, in the order in which they were added."""
    with TemporaryDirectory() as folder:
        heaps = (Heap(Path(folder), "ours"), Heap(Path(folder), "theirs"))
        for heap, rows in zip(heaps, (ours, theirs), strict=True):
            for key, row in rows:
                heap.add(key.to_bytes(KEY_BYTES), row)
        pairs = {int.from_bytes(pair.key): pair for pair in joined(*heaps)}

    assert pairs.keys() == {key for key, _ in (*ours, *theirs)}
    for key, pair in pairs.items():
        assert pair.ours == [row for one, row in ours if one == key]
        assert pair.theirs == [row for one, row in theirs if one == key]


def test_what_does_not_fit_into_memory_goes_to_disk(tmp_path: Path) -> None:
    """And comes back."""
    heaps = (Heap(tmp_path, "ours"), Heap(tmp_path, "theirs"))
    for number in range(3000):
        for heap in heaps:
            heap.add((number // 2).to_bytes(KEY_BYTES), b"x" * 5000)
    counts = Counter((len(pair.ours), len(pair.theirs)) for pair in joined(*heaps))

    assert counts == {(2, 2): 1500}
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) > 10_000_000
