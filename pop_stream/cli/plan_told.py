"""Looks for what is to be sent, tells of it, and writes it down as a plan when asked to."""

import random
import shlex
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import click

from pop_stream import __version__
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.replay.plan import Kind, Plan, PlannedList
from pop_stream.analysis.replay.plan_files import ListWriter, list_of, require_free, write_whole
from pop_stream.analysis.replay.planning import Findings
from pop_stream.analysis.replay.run_plan import now
from pop_stream.cli.output import print_json
from pop_stream.cli.plan_options import Reply, Write
from pop_stream.pop.identity import uuid7

Keep = Callable[[EventView], None]

_SHOWN_KINDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What a person wants to be done with the events that are found."""

    kind: Kind
    #: As it is typed: `failures redrive` or `events replay`.
    command: str
    target: str
    selection: Sequence[str]


def look_and_tell(intent: Intent, find: Callable[[Keep], Findings], reply: Reply) -> None:
    """Find, write the plan if one is asked for, and tell. Nothing is sent."""
    plan, write = None, reply.write
    with ExitStack() as stack:
        if write is None:
            found = find(lambda _: None)
        else:
            require_free(write.path)
            writer = stack.enter_context(ListWriter(list_of(write.path)))
            found = find(writer.add)
            if found.overview.events:
                plan = _plan(intent, found, writer.finish(), write)
                write_whole(write.path, plan.as_json())
    if reply.as_json:
        print_json(_as_object(intent, found, plan))
    else:
        _tell(intent, found)
    click.echo(_what_next(intent, found, write), err=True)


def _plan(intent: Intent, found: Findings, listed: PlannedList, write: Write) -> Plan:
    return Plan(
        kind=intent.kind,
        plan_id=uuid7(time.time_ns() // 1_000_000, random.getrandbits(74)),
        version=__version__,
        created_at=now(),
        operator=write.operator,
        reason=write.reason,
        cluster=found.cluster,
        selection=intent.selection,
        spans=found.spans,
        target=intent.target,
        listed=listed,
        overview=found.overview.as_object(),
        passed_over=dict(found.passed_over),
    )


def _as_object(intent: Intent, found: Findings, plan: Plan | None) -> dict[str, Any]:
    return {
        "kind": intent.kind,
        "target": intent.target,
        "selection": list(intent.selection),
        **found.overview.as_object(),
        "passedOver": dict(found.passed_over),
        # Receipts are not written yet; what was sent back and has not come back is passed over.
        "deliveredSince": None,
        "planId": plan.plan_id if plan else None,
        "sha256": plan.sha256 if plan else None,
    }


def _tell(intent: Intent, found: Findings) -> None:
    overview = found.overview
    click.echo(f"events      {overview.events:,} ({overview.bytes:,} bytes) to {intent.target}")
    for name, counter in overview.by.items():
        click.echo(f"by {name:<8} {_kinds(counter)}")
    for line in overview.first_lines:
        click.echo(f"such as     {line}")
    for why, count in sorted(found.passed_over.items()):
        click.echo(f"passed over {count:,} {why}")
    if intent.kind == "redrive":
        click.echo(
            "delivered   not known of any; what was sent back and stayed away is passed over"
        )


def _kinds(counter: Counter[str]) -> str:
    most = counter.most_common(_SHOWN_KINDS)
    shown = ", ".join(f"{kind} {count:,}" for kind, count in most)
    if len(counter) > len(most):
        shown += f" and {len(counter) - len(most):,} more"
    return shown or "-"


def _what_next(intent: Intent, found: Findings, write: Write | None) -> str:
    if not found.overview.events:
        return "There is nothing to send." + (" No plan was written." if write else "")
    if write is None:
        return "Nothing was sent. To do it, write a plan: add --plan FILE --reason TEXT."
    return (
        f"Nothing was sent. The plan is {write.path}; to do what it says:\n"
        f"  pop-stream {intent.command} run {shlex.quote(str(write.path))}"
    )
