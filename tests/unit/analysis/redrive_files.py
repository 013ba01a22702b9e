"""The files of a redrive that was run, as its command leaves them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.replay.done import Ended
from pop_stream.analysis.replay.journal import Journal
from pop_stream.analysis.replay.plan import Plan, PlannedList
from pop_stream.analysis.replay.plan_files import (
    ListWriter,
    journal_of,
    list_of,
    planned_in,
    receipt_of,
    write_whole,
)
from pop_stream.analysis.replay.receipt import receipt_of as receipt_for
from pop_stream.analysis.scan import Span
from tests.unit.analysis.records import FAILURE, RETRY

#: When the run began.
BEGAN = "2026-11-20T12:00:00.000+00:00"
BEGAN_MS = 1_795_176_000_000

PLAN = Plan(
    kind="redrive",
    plan_id="p",
    version="1",
    created_at=BEGAN,
    operator="kim",
    reason="GSTV fixed it",
    cluster="c",
    selection=("reason=rejected",),
    spans=(Span(FAILURE, 0, 0, 99),),
    target=f"topic:{RETRY}",
    listed=PlannedList(name="", events=0, sha256=""),
    overview={},
    passed_over={},
)


def redriven(
    folder: Path,
    events: Sequence[EventView],
    ended: Sequence[Ended],
    *,
    plan: Plan = PLAN,
    name: str = "fixed.json",
) -> Path:
    """Write the plan, its list, its journal and its receipt; give the receipt."""
    path = folder / name
    with ListWriter(list_of(path)) as writer:
        for event in events:
            writer.add(event)
        whole = replace(plan, listed=writer.finish())
    write_whole(path, whole.as_json())
    with Journal(journal_of(path), whole.sha256) as journal:
        journal.begin({"operator": "kim", "at": BEGAN})
        journal.note(BEGAN, ended)
        lines = planned_in(list_of(path))
        receipt = receipt_for(whole, journal.written, lines, finished_at=BEGAN, file=path)
    receipt_of(path).write_text(json.dumps(receipt))
    return receipt_of(path)
