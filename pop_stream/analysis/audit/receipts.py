"""Receipts of redrives: each is believed once the plan, its list and its journal say the same.

That finds what was altered or mixed up. It is no signature: who writes all four files anew can
write what he likes.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pop_stream.analysis.replay.done import SENT, Lines
from pop_stream.analysis.replay.journal import Written, read_journal
from pop_stream.analysis.replay.plan import Plan, Planned
from pop_stream.analysis.replay.plan_files import (
    journal_of,
    list_of,
    plan_of,
    planned_in,
    read_plan,
)
from pop_stream.analysis.replay.receipt import receipt_of
from pop_stream.analysis.replay.run_plan import require_same_world
from pop_stream.analysis.scan import Topics
from pop_stream.errors import UsageError, why
from pop_stream.settings import Settings

#: By so much at most the clock where plans are run is thought to be ahead of Kafka's.
_CLOCKS_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A receipt that agrees with the files beside it."""

    file: Path
    plan: Plan
    #: The lines of the plan's list that were sent back.
    sent: Lines
    #: None of them was sent before, by Kafka's clock, in epoch milliseconds.
    since_ms: int

    def events(self) -> Iterator[Planned]:
        """The events that were sent back, in the order of the plan's list."""
        lines = planned_in(list_of(plan_of(self.file)))
        return (line for line in lines if line.number in self.sent)


def read_receipts(files: Sequence[Path], settings: Settings) -> list[Receipt]:
    """Read receipts, and check each. Asks no Kafka.

    Raises UsageError that names the file and what is wrong with it.
    """
    receipts = [_read_receipt(file) for file in files]
    plans = [receipt.plan.sha256 for receipt in receipts]
    for receipt in receipts:
        if plans.count(receipt.plan.sha256) > 1:
            raise UsageError(f"{receipt.file} is given twice")
        try:
            require_same_world(receipt.plan, settings)
        except UsageError as error:
            raise UsageError(f"{receipt.file}: {error}") from error
    return receipts


def require_same_cluster(receipts: Sequence[Receipt], topics: Topics) -> None:
    """Raise UsageError when one was written for another Kafka cluster than that of these topics."""
    for receipt in receipts:
        if receipt.plan.cluster != (asked := topics.cluster_id()):
            raise UsageError(
                f"{receipt.file} is of the Kafka cluster {receipt.plan.cluster}; "
                f"the one that is asked is {asked}"
            )


def _read_receipt(file: Path) -> Receipt:
    path, told = plan_of(file), _content(file)
    plan = read_plan(path)
    if plan.kind != "redrive":
        raise UsageError(f"{file} is the receipt of a {plan.kind}; only those of redrives can be "
                         "audited")  # fmt: skip
    written = read_journal(journal_of(path), plan.sha256)
    lines = planned_in(list_of(path))
    true = receipt_of(plan, written, lines, finished_at=told.get("finishedAt", ""), file=path)
    if found := difference(told, true):
        raise UsageError(
            f"{file} does not agree with its plan, the list and the journal beside it: {found}"
        )
    since_ms = _first_run(written, journal_of(path)) - _CLOCKS_MS
    return Receipt(
        file=file, plan=plan, sent=written.done.by_outcome.get(SENT, Lines()), since_ms=since_ms
    )


def _content(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"the receipt {file} cannot be read ({why(error)})") from error
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise UsageError(f"{file} is no receipt of pop-stream")
    return content


def _first_run(written: Written, journal: Path) -> int:
    """When the first run began, in epoch milliseconds."""
    try:
        return int(datetime.fromisoformat(written.runs[0]["at"]).timestamp() * 1000)
    except (LookupError, ValueError, TypeError) as error:
        raise UsageError(f"{journal} does not say when the plan was run") from error


def difference(told: Any, true: Any, name: str = "") -> str | None:
    """The first thing in which a receipt says something else than it must; None: there is none."""
    if isinstance(told, dict) and isinstance(true, dict):
        pairs = [(f"{name}.{key}".lstrip("."), told.get(key), true.get(key))
                 for key in {**true, **told}]  # fmt: skip
    elif isinstance(told, list) and isinstance(true, list) and len(told) == len(true):
        pairs = [(f"{name}[{n}]", *pair) for n, pair in enumerate(zip(told, true, strict=True))]
    else:
        return None if told == true else f"{name} is {told!r} in it, and {true!r} by them"
    found = (difference(one, other, part) for part, one, other in pairs)
    return next((each for each in found if each is not None), None)
