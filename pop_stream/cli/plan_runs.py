"""Runs a plan for a person at a terminal: Ctrl-C pauses, and the end is told."""

import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Event as Flag
from types import FrameType
from typing import Any

import click

from pop_stream.analysis.replay.journal import Journal
from pop_stream.analysis.replay.plan import Kind, Plan
from pop_stream.analysis.replay.plan_files import (
    list_of,
    planned_in,
    read_plan,
    receipt_of,
    write_whole,
)
from pop_stream.analysis.replay.receipt import account_of
from pop_stream.analysis.replay.receipt import receipt_of as receipt_for
from pop_stream.analysis.replay.run_plan import Conduct, Ran, now, open_journal, run_plan
from pop_stream.analysis.replay.sending import Ending, Limits
from pop_stream.cli.output import as_json_text, print_json
from pop_stream.cli.plan_options import Order
from pop_stream.cli.scan_progress import Style, telling
from pop_stream.errors import KafkaUnreachableError, UsageError, WorkFailedError
from pop_stream.settings import Settings

_INTERRUPTED = 130
_WHY = {
    Ending.PAUSED: "Paused",
    Ending.MOST: "Ended at --max",
    Ending.ERRORS: "Stopped: too many fail (--stop-at-errors)",
    Ending.STOPPED: "Stopped",
}


def run_for_person(
    settings: Settings, order: Order, *, kind: Kind, command: str, progress_style: Style
) -> int:
    """Run a plan of a kind, whose command is `command`; returns the exit code."""
    plan = read_plan(order.path)
    if plan.kind != kind:
        raise UsageError(f"{order.path} is the plan of a {plan.kind}, not of a {kind}")
    with open_journal(plan, order.path) as journal:
        how = f"pop-stream {command} run {shlex.quote(str(order.path))}"
        ran = None
        if _is_left(plan, journal, order):
            try:
                with pausing() as pause, telling(progress_style, plan.kind) as told:
                    by = order.by(plan.reason)
                    limits = _limits(order.limits, plan, settings)
                    conduct = Conduct(limits=limits, operator=by, pause=pause, told=told)
                    ran = run_plan(settings, plan, journal, order.path, conduct)
            except (WorkFailedError, KafkaUnreachableError):
                click.echo(_account(plan, journal) + f" Go on with:\n  {how}", err=True)
                raise
        return _end(plan, journal, order, ran, how)


def _limits(limits: Limits, plan: Plan, settings: Settings) -> Limits:
    """GSTV's own limit holds unless a person says otherwise."""
    if limits.rate is None and plan.target.startswith("gstv:"):
        return replace(limits, rate=settings.gstv_rate_limit)
    return limits


def _is_left(plan: Plan, journal: Journal, order: Order) -> bool:
    done = journal.written.done
    return len(done) < plan.listed.events or (order.retries_failed and done.errors > 0)


@contextmanager
def pausing() -> Iterator[Flag]:
    """Give a flag that the first Ctrl-C or SIGTERM sets; the second ends at once."""
    pause = Flag()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def set_it(number: int, _: FrameType | None) -> None:
        pause.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, set_it)
    try:
        yield pause
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(plan: Plan, journal: Journal, order: Order, ran: Ran | None, how: str) -> int:
    if ran is not None and ran.ending is not Ending.DONE:
        why = _WHY[ran.ending] + (f": {ran.why}" if ran.why else "")
        why += f"; {ran.came_back:,} are parked again" if ran.came_back else ""
        click.echo(f"{why}. {_account(plan, journal)} Go on with:\n  {how}", err=True)
        if order.as_json:
            print_json(account_of(plan, journal.written) | {"ending": ran.ending.value})
        return {Ending.PAUSED: _INTERRUPTED, Ending.MOST: 0}.get(ran.ending, 1)
    receipt = _receipt(plan, journal, order, is_new=ran is not None)
    if order.as_json:
        print_json(receipt)
    was = "" if ran is not None else "The plan was done before. "
    click.echo(f"{was}{_account(plan, journal)} The receipt is {receipt_of(order.path)}.", err=True)
    if errors := journal.written.done.errors:
        click.echo(f"{errors:,} failed; try them again with:\n  {how} --retry-failed", err=True)
    outcomes = journal.written.done.counts
    return 1 if errors or outcomes.get("gone") or outcomes.get("another record") else 0


def _receipt(plan: Plan, journal: Journal, order: Order, *, is_new: bool) -> dict[str, Any]:
    """Write the receipt, unless it is there; a kill may have come just before it."""
    path = receipt_of(order.path)
    lines = planned_in(list_of(order.path))
    receipt = receipt_for(plan, journal.written, lines, finished_at=now(), file=order.path)
    if is_new or not path.exists():
        write_whole(path, as_json_text(receipt))
    return receipt


def _account(plan: Plan, journal: Journal) -> str:
    account = account_of(plan, journal.written)
    others = [f"{count:,} {outcome}" for outcome, count in account["outcomes"].items()
              if outcome != "sent"]  # fmt: skip
    said = f"{account['sent']:,} of {account['planned']:,} sent"
    return f"{', '.join([said, *others])}; {account['left']:,} left."
