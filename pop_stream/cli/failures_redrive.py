"""`pop-stream failures redrive`: sends parked events back to the retry topic."""

import click

from pop_stream.analysis.replay.planning import find_parked
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
from pop_stream.cli.value_types import Whole
from pop_stream.settings import Settings


@click.group(cls=NearGroup, invoke_without_command=True)
@alone
@with_selection(default=("failure",), topics=("failure",))
@click.option(
    "--max-redrives", type=Whole(1), default=10, show_default=True, metavar="N",
    help="Pass over events that were sent back so often: they would go around for ever.",
)  # fmt: skip
@with_planning
@progress_option
@with_settings(*PARKED_SETTINGS)
def redrive(
    *,
    settings: Settings,
    asked: Asked,
    max_redrives: int,
    reply: Reply,
    progress_style: Style,
) -> None:
    r"""Send parked events back to be delivered: tells first, and runs only a plan.

    It tells how many parked events wait that are meant, of which sites, days and reasons, and what
    would be passed over: what people have settled, what was sent back already, what was sent back
    too often. With --plan that is written down; `run` then does exactly that.

    Each is tried once, under its same id, and parked again if that fails, without a second
    notification. Events with reason transient are sent back by the workers, too
    (POP_STREAM_AUTO_REDRIVE), whatever is done here.

    \b
    Example:
      pop-stream failures redrive --where reason=rejected
      pop-stream failures redrive --where reason=rejected --plan fixed.json \
        --reason "GSTV fixed it"
      pop-stream failures redrive run fixed.json --rate 200
    """
    selection = asked.selection
    intent = Intent(
        kind="redrive",
        command="failures redrive",
        target=f"topic:{settings.retry_topic}",
        selection=selection.told(),
    )
    with telling(progress_style, "looking") as told:
        look_and_tell(
            intent,
            lambda keep: find_parked(
                settings, selection, max_redrives=max_redrives, keep=keep, told=told
            ),
            reply,
        )


@redrive.command("run")
@with_running
@progress_option
@with_settings(*PARKED_SETTINGS)
def run(*, settings: Settings, order: Order, progress_style: Style) -> int:
    r"""Do what a plan says: send its parked events to the retry topic.

    What has been settled, sent back or parked again since the plan was made is passed over; what is
    not there any more is told and counted. Ctrl-C pauses. Beside the plan a journal says what
    Kafka has confirmed: after a pause, or a kill, the same command goes on from there. At the end
    there is a receipt beside it.

    \b
    Example:
      pop-stream failures redrive run fixed.json
      pop-stream failures redrive run fixed.json --rate 200 --max 1000 \
        --stop-at-errors 5
    """
    return run_for_person(
        settings, order, kind="redrive", command="failures redrive",
        progress_style=progress_style,
    )  # fmt: skip
