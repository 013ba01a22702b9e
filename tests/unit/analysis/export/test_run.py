"""An export that is ended anywhere goes on, and ends with the same files."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pop_stream.analysis import durable as durable_module
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.export import journal as journal_module
from pop_stream.analysis.export import parts as parts_module
from pop_stream.analysis.export.journal import WORK_FOLDER
from pop_stream.analysis.export.order import Order
from pop_stream.analysis.export.run import exporting, finished_export
from pop_stream.analysis.scan import Progress, Span
from pop_stream.analysis.selection import Selection
from pop_stream.errors import UsageError, WorkFailedError

COUNT = 9


class FakeTopics:
    """Two partitions in memory; in place of `Topics`."""

    def __init__(self, *, begin: int = 0, end: int = COUNT, cluster: str = "c") -> None:
        self.begin, self.end, self.cluster = begin, end, cluster

    def cluster_id(self) -> str:
        """Which Kafka it is."""
        return self.cluster

    def spans(self, topics: Sequence[str], stored: object = None) -> list[Span]:
        """Where they begin and end."""
        del stored
        return [Span(topic, p, self.begin, self.end) for topic in topics for p in (0, 1)]

    def read(
        self, spans: Sequence[Span], *, wants: object, progress: Callable[[Progress], None]
    ) -> Iterator[list[EventView]]:
        """Their events: of three days, and every fourth offset holds none."""
        del wants
        for span in spans:
            for offset in range(span.begin, span.end):
                if offset % 4 != 3:
                    start = f"2026-11-2{offset % 3} 10:00:00"
                    yield [EventView(span.topic, span.partition, offset, timestamp=1, key=None,
                                     value=f'{{"startTimestamp":"{start}"}}'.encode(), headers=(),
                                     is_ours=False)]  # fmt: skip
            progress(Progress(span.end - span.begin, span.end - span.begin))


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module, "_PART_ROWS", 2)


def order(form: str = "ndjson", *, by_day: bool = True) -> Order:
    """An order of all events."""
    return Order(format=form, by_day=by_day, topics={"events": "t"}, selection=Selection())


def run(folder: Path, asked: Order, topics: FakeTopics | None = None) -> dict[str, Any]:
    """Export, or go on with it."""
    with exporting(asked, folder) as export:
        export.read(topics or FakeTopics())  # type: ignore[arg-type] - it can what is asked of it
        return export.finish()


def files(folder: Path) -> dict[str, bytes]:
    """What is in a folder, but for its manifest."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*")
            if path.is_file() and path.name != "manifest.json"}  # fmt: skip


class Killed(BaseException):
    """In place of a kill: nothing is tidied up for it."""


def killed_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process end at the so-manieth time that something is brought to the disk."""
    left = step

    def fsync(_: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    monkeypatch.setattr(durable_module.os, "fsync", fsync)
    monkeypatch.setattr(journal_module.os, "fsync", fsync)


@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet"])
@pytest.mark.parametrize("by_day", [False, True])
def test_wherever_it_is_killed_the_files_are_the_same(
    form: str, by_day: bool, tmp_path: Path
) -> None:
    """At every step that reaches the disk: the same command goes on, and every event is once."""
    asked = order(form, by_day=by_day)
    whole = run(tmp_path / "whole", asked)
    step = 0
    while True:
        folder = tmp_path / str(step)
        with pytest.MonkeyPatch.context() as patch:
            killed_at(step, patch)
            try:
                run(folder, asked)
                break
            except Killed:
                pass
        manifest = finished_export(asked, folder) or run(folder, asked)
        assert files(folder) == files(tmp_path / "whole"), step
        assert manifest["files"] == whole["files"]
        assert not (folder / WORK_FOLDER).exists()
        step += 1

    assert step > 30
    assert whole["rows"] == 14


def test_killed_again_and_again_it_comes_to_its_end(tmp_path: Path) -> None:
    """One more step each time."""
    run(tmp_path / "whole", order())
    for step in range(3, 100):
        with pytest.MonkeyPatch.context() as patch:
            killed_at(step, patch)
            try:
                run(tmp_path / "it", order())
                break
            except Killed:
                continue

    assert files(tmp_path / "it") == files(tmp_path / "whole")


def test_what_came_after_the_start_is_not_in_it(tmp_path: Path) -> None:
    """The end is where the topic ended at the first start."""
    with pytest.MonkeyPatch.context() as patch:
        killed_at(12, patch)
        with pytest.raises(Killed):
            run(tmp_path / "it", order())

    assert run(tmp_path / "it", order(), FakeTopics(end=COUNT + 50))["rows"] == 14


@pytest.mark.parametrize(
    ("topics", "error", "says"),
    [
        (FakeTopics(begin=8), WorkFailedError, "were deleted since this export began"),
        (FakeTopics(end=5), WorkFailedError, "were deleted since this export began"),
        (FakeTopics(cluster="d"), UsageError, "another Kafka"),
    ],
)
def test_it_does_not_go_on_with_other_records(
    topics: FakeTopics, error: type[Exception], says: str, tmp_path: Path
) -> None:
    """Those that are gone, and those of another Kafka: it would look like all, and be less."""
    with pytest.MonkeyPatch.context() as patch:
        killed_at(12, patch)
        with pytest.raises(Killed):
            run(tmp_path / "it", order())

    with pytest.raises(error, match=says):
        run(tmp_path / "it", order(), topics)


def test_records_that_are_gone_but_were_read_are_no_matter(tmp_path: Path) -> None:
    """They are in the parts; it was killed before these became a file."""

    def read_and_no_more() -> None:
        with exporting(order(), tmp_path / "it") as export:
            export.read(FakeTopics())  # type: ignore[arg-type] - it can what is asked of it
            raise Killed

    with pytest.raises(Killed):
        read_and_no_more()

    assert run(tmp_path / "it", order(), FakeTopics(begin=COUNT))["rows"] == 14


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    """With what to do; and nothing in it is touched."""
    with pytest.MonkeyPatch.context() as patch:
        killed_at(12, patch)
        with pytest.raises(Killed):
            run(tmp_path / "begun", order())
    run(tmp_path / "done", order())
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    (tmp_path / "file").touch()
    before = files(tmp_path)

    with pytest.raises(UsageError, match="repeat its command as it was"):
        run(tmp_path / "begun", order("csv"))
    with pytest.raises(UsageError, match="is done: name another folder"):
        finished_export(order("csv"), tmp_path / "done")
    with pytest.raises(UsageError, match="is not empty"):
        run(tmp_path / "full", order())
    with pytest.raises(UsageError, match="is no folder"):
        run(tmp_path / "file", order())
    assert files(tmp_path) == before


def test_another_version_does_not_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may write in another way, and half of a file would be in the one."""
    with pytest.MonkeyPatch.context() as patch:
        killed_at(12, patch)
        with pytest.raises(Killed):
            run(tmp_path / "it", order())
    monkeypatch.setattr("pop_stream.analysis.export.run.__version__", "9.9.9")

    with pytest.raises(UsageError, match=r"this is 9\.9\.9"):
        run(tmp_path / "it", order())


def test_a_disk_that_is_full_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1, and that the same command goes on."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal_module.os, "fsync", full)
    with pytest.raises(WorkFailedError, match=r"No space left on device.*goes on where it was"):
        run(tmp_path / "it", order())
