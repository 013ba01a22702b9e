"""Flags that say which events are meant, the same on every command for analysts."""

import functools
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from pop_stream.analysis.condition import parse_conditions
from pop_stream.analysis.period import Clock, parse_played, parse_stored, parse_zone
from pop_stream.analysis.roles import Role, topics_of
from pop_stream.analysis.selection import Selection
from pop_stream.errors import UsageError, why
from pop_stream.pop.identity import parse_pop_id
from pop_stream.settings import Settings

Result = TypeVar("Result")

#: What a command needs to know to read topics.
SETTINGS = ("kafka_", "events_topic", "retry_topic", "failure_topic", "notification_topic")
#: What a topic is called on the command line.
TOPICS = ("events", "retry", "failure", "notifications")


class Chosen(NamedTuple):
    """What a person asked for."""

    topics: tuple[str, ...]
    selection: Selection


_OPTIONS = (
    click.option("--where", multiple=True, metavar="CONDITIONS",
                 help="NAME=VALUE, NAME~GLOB, NAME<VALUE and so on, all of which must hold; NAME "
                      "is a field of the event, reason, status, key or any header; a VALUE is one "
                      "of several with commas, or of the lines of a file: @FILE."),
    click.option("--id", "ids", multiple=True, metavar="POP_ID",
                 help="Only this event; may be repeated; @FILE for the ids in a file."),
    click.option("--day", metavar="DAY", help="Played on this day, in the time of its site."),
    click.option("--played-from", metavar="TIME",
                 help="Played then or later, in the time of its site: '2026-11-20 10:00'."),
    click.option("--played-to", metavar="TIME", help="Played before that."),
    click.option("--stored-from", metavar="TIME",
                 help="Came to Kafka then or later: a time in --zone, or how long ago (2h)."),
    click.option("--stored-to", metavar="TIME", help="Came to Kafka before that."),
    click.option("--zone", default="UTC", show_default=True, metavar="ZONE",
                 help="The zone of --stored-from and --stored-to, like America/Chicago."),
)  # fmt: skip


class Asked(NamedTuple):
    """What a person asked for, before the names of the topics are known."""

    roles: tuple[str, ...]
    selection: Selection

    def of(self, settings: Settings) -> Chosen:
        """Which topics and events these are."""
        names = topics_of(settings)
        return Chosen(tuple(names[Role(role)] for role in self.roles), self.selection)


def with_selection(
    *, default: Sequence[str], topics: Sequence[str] = TOPICS
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Give a command the flags, and `asked: Asked` as keyword argument.

    `topics` are those that may be chosen; `default` those that are read when none is.
    """

    def decorate(function: Callable[..., Result]) -> Callable[..., Result]:
        @functools.wraps(function)
        def command(*args: Any, **kwargs: Any) -> Result:
            roles = tuple(kwargs.pop("roles", ())) or tuple(default)
            given = {name: kwargs.pop(name) for name in _NAMES}
            return function(*args, asked=Asked(roles, _selection(**given)), **kwargs)

        wrapped: Callable[..., Result] = command
        for option in reversed(_OPTIONS):
            wrapped = option(wrapped)
        if len(topics) > 1:
            wrapped = click.option(
                "--topic", "roles", multiple=True, type=click.Choice(topics),
                help=f"Read this topic; may be repeated. Defaults to {' and '.join(default)}.",
            )(wrapped)  # fmt: skip
        return wrapped

    return decorate


_NAMES = ("where", "ids", "day", "played_from", "played_to", "stored_from", "stored_to", "zone")


def _selection(
    *, where: Sequence[str], ids: Sequence[str], zone: str, **times: str | None
) -> Selection:
    clock = Clock(now=datetime.now(UTC), zone=parse_zone(zone))
    return Selection(
        conditions=parse_conditions(where, read_list=read_list),
        played=parse_played(times["played_from"], times["played_to"], day=times["day"]),
        stored=parse_stored(times["stored_from"], times["stored_to"], clock),
        pop_ids=parse_pop_ids(ids) if ids else None,
    )


def parse_pop_ids(given: Sequence[str], *, option: str = "--id") -> frozenset[str]:
    """Read ids, and for @FILE those in the file. Raises UsageError that names what is none."""
    texts = [one for each in given
             for one in (read_list(each[1:]) if each.startswith("@") else [each])]  # fmt: skip
    parsed = {text: parse_pop_id(text.encode()) for text in texts}
    if wrong := [text for text, pop_id in parsed.items() if pop_id is None]:
        raise UsageError(
            f"{option}: not the form of a pop-id: {', '.join(map(repr, wrong[:5]))}; one is like "
            "019af0c2-6b5e-7a51-9c0e-3f2b8d1c4e77"
        )
    return frozenset(pop_id for pop_id in parsed.values() if pop_id is not None)


def read_list(name: str) -> Sequence[str]:
    """The lines of a file that are not empty; `-` is stdin. Raises UsageError."""
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"@{name}: cannot be read as a list ({why(error)})") from error
    return [line.strip() for line in text.splitlines() if line.strip()]
