"""`pop-stream events replay`: sends events once more, to GSTV, a topic, a file, or nowhere."""

from pathlib import Path

import click

from pop_stream.analysis.replay.planning import find_replayable
from pop_stream.analysis.replay.run_plan import gstv_origin
from pop_stream.analysis.replay.target import require_topic
from pop_stream.cli.near import NearGroup
from pop_stream.cli.plan_options import (
    PARKED_SETTINGS,
    Order,
    Reply,
    alone,
    with_planning,
    with_running,
)
from pop_stream.cli.plan_runs import run_for_person
from pop_stream.cli.plan_told import Intent, look_and_tell
from pop_stream.cli.scan_progress import Style, progress_option, telling
from pop_stream.cli.selection_options import Asked, with_selection
from pop_stream.cli.settings_options import with_settings
from pop_stream.errors import UsageError
from pop_stream.settings import Settings

_SETTINGS = (*PARKED_SETTINGS, "receipts_topic", "gstv_", "validation", "max_event_bytes")


@click.group(cls=NearGroup, invoke_without_command=True)
@alone
@with_selection(default=("events",), topics=("events", "retry", "failure"))
@click.option(
    "--to", default="null", show_default=True, metavar="TARGET",
    help="gstv, topic:NAME, file:FILE, or null: nothing is sent, and all else is as if.",
)  # fmt: skip
@click.option(
    "--yes-into-live-topic", is_flag=True,
    help="Let NAME be the topic of the players: the workers send every event to GSTV once more.",
)  # fmt: skip
@with_planning
@progress_option
@with_settings(*_SETTINGS)
def replay(
    *,
    settings: Settings,
    asked: Asked,
    to: str,
    yes_into_live_topic: bool,
    reply: Reply,
    progress_style: Style,
) -> None:
    r"""Send events once more: tells first, and runs only a plan.

    It tells how many events are meant, of which sites, days and reasons. With --plan that is
    written down; `run` then does exactly that. The same event on several topics is sent once. Ids
    stay: on GSTV's side an event that it has already is the same event.

    On a topic the header pop-replay names the replay. What people have settled is not sent to
    GSTV.

    \b
    Example:
      pop-stream events replay --where siteId=1202 --day 2026-11-20 --to gstv
      pop-stream events replay --stored-from 2h --to topic:pop-test \
        --plan p.json --reason "a test"
      pop-stream events replay run p.json --rate 100
    """
    chosen = asked.of(settings)
    intent = Intent(
        kind="replay",
        command="events replay",
        target=_target(to, settings, is_sure=yes_into_live_topic),
        selection=(*chosen.topics, *chosen.selection.told()),
    )
    with telling(progress_style, "looking") as told:
        look_and_tell(
            intent,
            lambda keep: find_replayable(
                settings, chosen.topics, chosen.selection, target=intent.target, keep=keep,
                told=told,
            ),
            reply,
        )  # fmt: skip


@replay.command("run")
@with_running
@progress_option
@with_settings(*_SETTINGS)
def run(*, settings: Settings, order: Order, progress_style: Style) -> int:
    r"""Do what a plan says: send its events to its target.

    What is not there any more is told and counted. GSTV gets each event once; when it asks for
    fewer, that is kept to, and when it takes nothing, the run ends. Ctrl-C pauses. Beside the plan
    a journal says what the target has confirmed: after a pause, or a kill, the same command goes on
    from there. At the end there is a receipt beside it.

    \b
    Example:
      pop-stream events replay run p.json
      pop-stream events replay run p.json --rate 100 --stop-at-errors 5
    """
    return run_for_person(
        settings, order, kind="replay", command="events replay", progress_style=progress_style
    )


def _target(to: str, settings: Settings, *, is_sure: bool) -> str:
    kind, _, name = to.partition(":")
    if to == "gstv":
        return f"gstv:{gstv_origin(settings)}"
    if kind == "topic" and name:
        require_topic(name, settings, is_sure=is_sure)
        return to
    if kind == "file" and name:
        path = Path(name).absolute()
        if path.exists():
            raise UsageError(f"{path} is there already: name another file")
        return f"file:{path}"
    if to == "null":
        return to
    raise UsageError(f"--to {to!r}: write gstv, topic:NAME, file:FILE or null")
