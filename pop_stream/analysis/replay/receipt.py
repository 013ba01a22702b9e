"""The receipt of a plan that was run: what became of every event of it, for whoever asks later."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from pop_stream.analysis.replay.done import SENT, Done, Lines
from pop_stream.analysis.replay.journal import Written
from pop_stream.analysis.replay.plan import Plan, Planned

_FORM: Final = 1


def account_of(plan: Plan, written: Written) -> dict[str, Any]:
    """How far a plan is: also while it is not done."""
    done = written.done
    return {
        "planned": plan.listed.events,
        "sent": len(done.by_outcome.get(SENT, Lines())),
        "outcomes": done.counts,
        "left": plan.listed.events - len(done),
    }


def receipt_of(
    plan: Plan, written: Written, lines: Iterable[Planned], *, finished_at: str, file: Path
) -> dict[str, Any]:
    """The receipt. `lines` are all of the plan's list; `file` is the plan's.

    `sentIdsSha256` is that of the ids that were sent, in the order of the list, each with a line
    feed behind it.
    """
    ids_sha256, places = _what_was_sent(lines, written.done)
    return {
        "form": _FORM,
        "kind": plan.kind,
        "planId": plan.plan_id,
        "plan": {"file": file.name, "sha256": plan.sha256, "listSha256": plan.listed.sha256},
        "version": plan.version,
        "cluster": plan.cluster,
        "target": plan.target,
        "selection": list(plan.selection),
        "planned": {"by": plan.operator, "reason": plan.reason, "at": plan.created_at},
        "runs": written.runs,
        "finishedAt": finished_at,
        **{f"{name}Events" if name == "planned" else name: value
           for name, value in account_of(plan, written).items()},
        "sentPlaces": places,
        "sentIdsSha256": ids_sha256,
    }  # fmt: skip


def _what_was_sent(lines: Iterable[Planned], done: Done) -> tuple[str, list[dict[str, Any]]]:
    sent = done.by_outcome.get(SENT, Lines())
    sha256 = hashlib.sha256()
    places: dict[tuple[str, int], dict[str, Any]] = {}
    for line in lines:
        if line.number not in sent:
            continue
        sha256.update(f"{line.pop_id}\n".encode())
        place = places.setdefault(
            (line.topic, line.partition),
            {"topic": line.topic, "partition": line.partition, "first": line.offset, "events": 0},
        )
        place["last"] = line.offset
        place["events"] += 1
    return sha256.hexdigest(), list(places.values())
