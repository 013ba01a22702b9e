"""A plan, and the files beside it."""

import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pop_stream.analysis.replay.done import SENT, Ended
from pop_stream.analysis.replay.journal import Journal, Written, read_journal
from pop_stream.analysis.replay.plan import Plan, Planned, PlannedList, parse_plan
from pop_stream.analysis.replay.plan_files import (
    ListWriter,
    journal_of,
    list_of,
    planned_in,
    read_plan,
    write_whole,
)
from pop_stream.analysis.replay.plan_files import receipt_of as place_of_receipt
from pop_stream.analysis.replay.receipt import receipt_of
from pop_stream.analysis.scan import Span
from pop_stream.errors import UsageError
from tests.unit.analysis.views import POP_ID, view

PLAN = Plan(
    kind="redrive",
    plan_id="p",
    version="1",
    created_at="2026-11-20T10:00:00Z",
    operator="kim",
    reason="süß",
    cluster="c",
    selection=("reason=rejected",),
    spans=(Span("pop-events-failure", 3, 0, 20),),
    target="topic:pop-events-retry",
    listed=PlannedList(name="p.json.events", events=3, sha256="0"),
    overview={"events": 3},
    passed_over={"settled": 1},
)


def test_a_plan_reads_as_it_was_written() -> None:
    """Its digest is the same, too."""
    again = parse_plan(PLAN.as_json())

    assert again == PLAN
    assert again.sha256 == PLAN.sha256


@pytest.mark.parametrize(
    "change",
    [{"target": "null"}, {"operator": "lee"}, {"spans": []}, {"passedOver": {}}, {"form": 2},
     {"sha256": "0"}, {"list": None}, {"selection": ["everything"]}],
)  # fmt: skip
def test_a_plan_that_was_altered_is_refused(change: dict[str, Any]) -> None:
    """Whatever was altered."""
    content = json.loads(PLAN.as_json()) | change
    with pytest.raises(UsageError):
        parse_plan(json.dumps(content))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"sha256": 1, "form": 1}'])
def test_what_is_no_plan_is_refused(text: str) -> None:
    """Without a trace of Python."""
    with pytest.raises(UsageError, match="no plan"):
        parse_plan(text)


@pytest.mark.parametrize(
    "line", ["", "t/1/2\n", f"t/1/x {POP_ID}\n", f"t/1/2 {POP_ID}", f"a b/1/2 {POP_ID}\n"]
)
def test_a_line_that_is_none_of_ours_is_refused(line: str) -> None:
    """With its number."""
    with pytest.raises(UsageError, match="line 8"):
        Planned.parse(7, line)


def written_plan(folder: Path) -> Path:
    """A plan with a list of one event."""
    path = folder / "p.json"
    with ListWriter(list_of(path)) as writer:
        writer.add(view())
        listed = writer.finish()
    write_whole(path, replace(PLAN, listed=listed).as_json())
    return path


def test_the_list_names_the_events(tmp_path: Path) -> None:
    """By place and id; nothing else is left in the folder."""
    path = written_plan(tmp_path)

    assert read_plan(path).listed.events == 1
    assert list(planned_in(list_of(path))) == [Planned(0, "pop-events", 3, 17, POP_ID)]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["p.json", "p.json.events"]


def test_a_plan_and_all_beside_it_are_their_owners_alone(tmp_path: Path) -> None:
    """They name events and who sends them back; who reviews a plan is given it."""
    before = os.umask(0o022)
    try:
        path = written_plan(tmp_path)
        with Journal(journal_of(path), "digest") as journal:
            journal.begin({"operator": "kim"})
        write_whole(place_of_receipt(path), "{}")
    finally:
        os.umask(before)

    names = ["p.json", "p.json.events", "p.json.journal", "p.json.receipt.json"]
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
    assert modes == dict.fromkeys(names, 0o600)


def test_a_list_that_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    """A dry run that was interrupted is no plan."""
    with ListWriter(tmp_path / "p.json.events") as writer:
        writer.add(view())
    assert list(tmp_path.iterdir()) == []


def test_a_list_that_was_altered_is_refused(tmp_path: Path) -> None:
    """By a single byte. So is a plan; and the file is named."""
    path = written_plan(tmp_path)
    whole = path.read_text()
    path.write_text(whole.replace("kim", "lee"))
    with pytest.raises(UsageError, match=r"p\.json: the plan was altered"):
        read_plan(path)
    path.write_text(whole)
    listed = list_of(path)
    listed.write_bytes(listed.read_bytes().replace(b"17", b"18"))
    with pytest.raises(UsageError, match=r"p\.json\.events was altered"):
        read_plan(path)


def test_a_journal_goes_on_behind_half_a_line(tmp_path: Path) -> None:
    """What was written by half was confirmed by nobody."""
    path = tmp_path / "p.journal"
    with Journal(path, "digest") as journal:
        journal.begin({"operator": "kim"})
        journal.note("now", [Ended(SENT, 0, 5)], file_bytes=100)
    with path.open("ab") as file:
        file.write(b'{"at":"now","done":[["sent",5,')
    with Journal(path, "digest") as journal:
        assert len(journal.written.done) == 5
        assert journal.written.file_bytes == 100
        journal.note("now", [Ended(SENT, 5, 6)])
    with Journal(path, "digest") as journal:
        assert journal.written.done.counts == {SENT: 6}


def test_a_journal_belongs_to_one_plan_and_one_process(tmp_path: Path) -> None:
    """Two runs of a plan at once would send everything twice."""
    path = tmp_path / "p.journal"
    with Journal(path, "digest") as journal:
        journal.begin({})
        with pytest.raises(UsageError, match="somebody else"):
            Journal(path, "digest")
    with pytest.raises(UsageError, match="another plan"):
        Journal(path, "other")


@pytest.mark.parametrize(
    "line", ["x", "{}", "[]", '{"done":[["sent",0,5]]}\n{"done":[["sent",4,6]]}', '{"done":[1]}']
)
def test_a_journal_that_was_altered_is_refused(tmp_path: Path, line: str) -> None:
    """It would say that something was sent which was not."""
    path = tmp_path / "p.journal"
    path.write_text(line + "\n")
    with pytest.raises(UsageError, match="was altered"):
        Journal(path, "digest")


def test_a_journal_is_read_without_touching_it(tmp_path: Path) -> None:
    """While another process holds it, too; one that is not there is not made."""
    path = tmp_path / "p.journal"
    with Journal(path, "digest") as journal:
        journal.begin({})
        journal.note("now", [Ended(SENT, 0, 5)])
        with path.open("ab") as file:
            file.write(b'{"at":"now","done":[["sent",5,')
        before = path.read_bytes()
        assert read_journal(path, "digest").done.counts == {SENT: 5}
    assert path.read_bytes() == before
    with pytest.raises(UsageError, match="another plan"):
        read_journal(path, "other")
    with pytest.raises(UsageError, match=r"none\.journal"):
        read_journal(tmp_path / "none.journal", "digest")
    assert list(tmp_path.iterdir()) == [path]


def test_a_receipt_tells_of_every_event() -> None:
    """Which were sent, by place and by digest; how the others ended."""
    written = Written(plan=PLAN.sha256, runs=[{"operator": "lee"}])
    written.done.add(Ended(SENT, 0, 1))
    written.done.add(Ended("settled", 1, 2))
    written.done.add(Ended(SENT, 2, 3))
    lines = [Planned(n, "t", n // 2, 10 + n, POP_ID) for n in range(3)]
    receipt = receipt_of(PLAN, written, lines, finished_at="now", file=Path("x/p.json"))

    assert receipt["outcomes"] == {"sent": 2, "settled": 1}
    assert (receipt["plannedEvents"], receipt["sent"], receipt["left"]) == (3, 2, 0)
    assert receipt["planned"] == {"by": "kim", "reason": "süß", "at": PLAN.created_at}
    assert receipt["sentPlaces"] == [
        {"topic": "t", "partition": 0, "first": 10, "events": 1, "last": 10},
        {"topic": "t", "partition": 1, "first": 12, "events": 1, "last": 12},
    ]
    assert (
        receipt["sentIdsSha256"]
        != receipt_of(PLAN, Written(), lines, finished_at="now", file=Path("p.json"))[
            "sentIdsSha256"
        ]
    )
