"""What a journal remembers, whatever ends its writer."""

from pathlib import Path

import pytest

from pop_stream.analysis.condition import parse_conditions
from pop_stream.analysis.export.journal import WORK_FOLDER, Joined, Part, open_journal
from pop_stream.analysis.export.order import Beginning, Order
from pop_stream.analysis.period import Played, Stored
from pop_stream.analysis.scan import Span
from pop_stream.analysis.selection import Selection
from pop_stream.errors import UsageError

PART = Part(0, "pop-events", 2, 117, {"2026-11-20": 100, "unknown": 17})
JOINED = Joined("events.csv", "", 117, 4000, "ab" * 32)


def order(form: str = "csv", *, typed: tuple[str | None, ...] = (), **asked: object) -> Order:
    """An order of events."""
    return Order(
        format=form, by_day=False, topics={"events": "pop-events"},
        selection=Selection(**asked),  # type: ignore[arg-type] - tests of what it takes
        stored_as_typed=typed,
    )  # fmt: skip


def beginning(of: Order) -> Beginning:
    """What is fixed of it."""
    spans = [Span("pop-events", 0, 5, 900), Span("pop-events", 1, 0, 0)]
    return Beginning.of(of, spans, cluster="c", began="2026-11-27T02:00:00Z", pop_stream="0.1.0")


def test_a_journal_gives_back_what_was_noted(tmp_path: Path) -> None:
    """By another process, after this one was killed."""
    begun = beginning(order(stored=Stored(5, None), played=Played("2026-11-20 00:00:00")))
    with open_journal(tmp_path) as journal:
        assert journal.beginning is None
        journal.begin(begun)
        journal.note_part(PART)
        journal.note_joined(JOINED)
    with open_journal(tmp_path) as journal:
        assert journal.beginning == begun
        assert journal.parts == [PART]
        assert journal.joined == {"events.csv": JOINED}


def test_a_line_that_is_torn_was_never_written(tmp_path: Path) -> None:
    """Wherever it is torn; and what is noted after it is whole."""
    with open_journal(tmp_path) as journal:
        journal.begin(beginning(order()))
        journal.note_part(PART)
    path = tmp_path / WORK_FOLDER / "journal.ndjson"
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in range(first, len(whole)):
        path.write_bytes(whole[:cut])
        with open_journal(tmp_path) as journal:
            assert journal.parts == []
            journal.note_part(PART)
        assert path.read_bytes() == whole
    path.write_bytes(whole[: first - 1])
    with open_journal(tmp_path) as journal:
        assert journal.beginning is None


def test_what_is_no_journal_is_said(tmp_path: Path) -> None:
    """Rather than begun over."""
    (tmp_path / WORK_FOLDER).mkdir()
    for line in ('{"begin": {"spans": 7}}\n', "no JSON\n"):
        (tmp_path / WORK_FOLDER / "journal.ndjson").write_text(line)
        with pytest.raises(UsageError, match="no journal"), open_journal(tmp_path):
            pass


def test_two_do_not_write_to_one_folder(tmp_path: Path) -> None:
    """The second is told."""
    with (
        open_journal(tmp_path),
        pytest.raises(UsageError, match="another export is writing"),
        open_journal(tmp_path),
    ):
        pass


def test_another_order_has_another_fingerprint() -> None:
    """Whatever of it is another; and the same one has the same."""
    orders = [
        order(),
        order("ndjson"),
        order(played=Played("2026-11-20 00:00:00")),
        order(stored=Stored(5, 6)),
        order(pop_ids=frozenset(("b", "a"))),
        order(conditions=parse_conditions(["siteId=1"], read_list=list)),
        order(conditions=parse_conditions(["siteId!=1"], read_list=list)),
        order(typed=("2h", None, "UTC")),
    ]

    assert len({each.fingerprint for each in orders}) == len(orders)
    assert order(pop_ids=frozenset(("a", "b"))).fingerprint == orders[4].fingerprint


def test_two_hours_ago_is_the_same_when_it_is_said_again() -> None:
    """An export goes on with the moment that was meant at its first start."""
    first = order(typed=("2h", None, "UTC"), stored=Stored(1000, None))
    again = order(typed=("2h", None, "UTC"), stored=Stored(9000, None))

    assert first.fingerprint == again.fingerprint
    assert beginning(first).selection_of(again).stored == Stored(1000, None)
