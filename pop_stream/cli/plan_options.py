"""Flags of commands that plan, and of those that run a plan."""

import functools
import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click
from click.core import ParameterSource

from pop_stream import __version__
from pop_stream.analysis.replay.run_plan import Operator
from pop_stream.analysis.replay.sending import Limits
from pop_stream.cli.selection_options import SETTINGS
from pop_stream.cli.value_types import FILE, Amount, Whole
from pop_stream.errors import UsageError

Result = TypeVar("Result")

#: What a command needs to know to say how it stands with parked events.
PARKED_SETTINGS = (*SETTINGS, "settled_topic", "group", "auto_redrive")

operator_option = click.option(
    "--operator", metavar="NAME", help="Who decides it. Defaults to the name of this login."
)


class Write(NamedTuple):
    """Where a plan is written to, by whom, and why."""

    path: Path
    operator: str
    reason: str


class Reply(NamedTuple):
    """What a person wants to have of what is found."""

    #: None: no plan.
    write: Write | None
    as_json: bool


_PLANNING = (
    click.option("--dry-run", is_flag=True,
                 help="Only tell, and write nothing. Without --plan that is so anyway."),
    click.option("--plan", "plan_path", type=FILE,
                 metavar="FILE",
                 help="Write down what would be sent, for `run FILE`; its list of events goes "
                      "beside it."),
    click.option("--reason", metavar="TEXT", help="Why, for those who ask later; with --plan."),
    operator_option,
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
)  # fmt: skip


def with_planning(function: Callable[..., Result]) -> Callable[..., Result]:
    """Give a command the flags of planning, and `reply: Reply` as keyword argument."""

    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> Result:
        given = [kwargs.pop(name) for name in ("dry_run", "plan_path", "reason", "operator")]
        reply = Reply(_write(*given), kwargs.pop("as_json"))
        return function(*args, reply=reply, **kwargs)

    wrapped: Callable[..., Result] = command
    for option in reversed(_PLANNING):
        wrapped = option(wrapped)
    return wrapped


def _write(
    dry_run: bool, path: Path | None, reason: str | None, operator: str | None
) -> Write | None:
    if path is None:
        return None
    if dry_run:
        raise UsageError("give either --dry-run or --plan: a plan is written, and nothing is sent")
    if not reason:
        raise UsageError("--plan needs --reason: somebody will ask why")
    return Write(path, operator or getpass.getuser(), reason)


_RUNNING = (
    click.argument("plan_path", type=FILE, metavar="PLAN"),
    click.option("--rate", type=Amount(min=0, min_open=True), metavar="N",
                 help="Send at most so many events a second. Defaults to as many as are taken; for "
                      "GSTV, to POP_STREAM_GSTV_RATE_LIMIT."),
    click.option("--max", "most", type=Whole(1), metavar="N",
                 help="End after so many were sent; the next run goes on."),
    click.option("--stop-at-errors", type=Amount(0, 100), metavar="PERCENT", default=20,
                 show_default=True,
                 help="End when more than so many of a hundred fail: of the last hundred, or of "
                      "those sent back that are parked again meanwhile. 100: never."),
    click.option("--retry-failed", is_flag=True, help="Try those once more that failed before."),
    click.option("--reason", metavar="TEXT", help="Why it is run. Defaults to the plan's reason."),
    operator_option,
    click.option("--json", "as_json", is_flag=True,
                 help="Print the receipt, or how far it is, as one JSON object."),
)  # fmt: skip


class Order(NamedTuple):
    """What a person orders with a plan."""

    path: Path
    limits: Limits
    operator: str
    #: None: the plan's.
    reason: str | None
    retries_failed: bool
    as_json: bool

    def by(self, plan_reason: str) -> Operator:
        """Who orders it, and why."""
        return Operator(
            name=self.operator,
            reason=self.reason or plan_reason,
            version=__version__,
            retries_failed=self.retries_failed,
        )


def with_running(function: Callable[..., Result]) -> Callable[..., Result]:
    """Give a command the flags of running, and `order: Order` as keyword argument."""

    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> Result:
        limits = Limits(
            rate=kwargs.pop("rate"),
            most=kwargs.pop("most"),
            stop_at_errors=kwargs.pop("stop_at_errors"),
        )
        order = Order(
            path=kwargs.pop("plan_path"),
            limits=limits,
            operator=kwargs.pop("operator") or getpass.getuser(),
            reason=kwargs.pop("reason"),
            retries_failed=kwargs.pop("retry_failed"),
            as_json=kwargs.pop("as_json"),
        )
        return function(*args, order=order, **kwargs)

    wrapped: Callable[..., Result] = command
    for option in reversed(_RUNNING):
        wrapped = option(wrapped)
    return wrapped


def alone(function: Callable[..., Result]) -> Callable[..., Result | None]:
    """Let a group do its own work only when none of its commands is called.

    Raises UsageError for flags of the group before a command: they would say nothing.
    """

    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> Result | None:
        context = click.get_current_context()
        called = context.invoked_subcommand
        if called is None:
            return function(*args, **kwargs)
        for name in context.params:
            if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                raise UsageError(
                    f"write `{context.command_path} {called} ...` with its flags behind it: what "
                    "is sent stands in the plan"
                )
        return None

    return command
