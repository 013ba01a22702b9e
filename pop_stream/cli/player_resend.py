"""`pop-stream player resend`: plays of an outbox that are to be sent again."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from pop_stream.analysis.period import Clock, parse_played, parse_stored, parse_zone
from pop_stream.cli.outbox_option import outbox_option
from pop_stream.cli.output import print_json
from pop_stream.cli.player_progress import telling
from pop_stream.cli.selection_options import parse_pop_ids
from pop_stream.errors import UsageError
from pop_stream.player.outbox.reading import require_outbox
from pop_stream.player.outbox.row import State
from pop_stream.player.sending.resending import Resent, Wanted
from pop_stream.player.sending.resending import resend as send_again


@click.command()
@outbox_option
@click.option("--aside", is_flag=True, help="Those that Kafka refused, once the reason is gone.")
@click.option("--all", "everything", is_flag=True, help="All of them that are still kept.")
@click.option("--stored-from", metavar="TIME",
              help="Confirmed by Kafka then or later: a time in --zone, or how long ago "
                   "(2h).")  # fmt: skip
@click.option("--stored-to", metavar="TIME", help="Confirmed by Kafka before that.")
@click.option("--zone", default="UTC", show_default=True, metavar="ZONE",
              help="The zone of --stored-from and --stored-to, like America/Chicago.")  # fmt: skip
@click.option("--day", metavar="DAY", help="Played on this day, in the time of the site.")
@click.option("--played-from", metavar="TIME",
              help="Played then or later, in the time of the site: "
                   "'2026-11-20 10:00'.")  # fmt: skip
@click.option("--played-to", metavar="TIME", help="Played before that.")
@click.option("--screen", "screens", multiple=True, metavar="SITE/SCREEN",
              help="Only of this screen; may be repeated.")  # fmt: skip
@click.option("--id", "ids", multiple=True, metavar="POP_ID",
              help="Only this play; may be repeated; @FILE for the ids in a file.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only count them.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def resend(*, outbox: Path, everything: bool, dry_run: bool, as_json: bool, **asked: Any) -> int:
    r"""Have plays wait again that Kafka has confirmed, or that were set aside.

    For the day on which Kafka lost what it had confirmed. An outbox keeps confirmed plays for 14
    days, while there is room. `player drain` sends them under their old pop-ids: what was there
    already counts once. It may run meanwhile, and so may the player.

    Say which: by when Kafka confirmed them, when they were played, screen or id; all that is given
    must hold. Plays that were packed together for want of room are sent together.

    The exit code is 1 when there is none, or something in the outbox could not be read.

    \b
    Example:
      pop-stream player resend --outbox pops.outbox --stored-from 3h --dry-run
      pop-stream player resend --outbox pops.outbox --day 2026-11-20 \
        --screen 1202/3
      pop-stream player resend --outbox pops.outbox --aside
    """
    wanted = _wanted(**asked)
    if everything == any(value for name, value in asked.items() if name != "zone"):
        raise UsageError("say which plays: --stored-from, --day, --screen, --id and the like, or "
                         "--aside; else --all, and nothing beside it")  # fmt: skip
    require_outbox(outbox)
    with telling("looking at plays") as told:
        resent = send_again(outbox, wanted, is_dry_run=dry_run, told=told)
    _print(resent, outbox, dry_run=dry_run, as_json=as_json)
    return 1 if resent.damaged or not resent.plays else 0


def _wanted(
    *, aside: bool, zone: str, screens: tuple[str, ...], ids: tuple[str, ...], **times: str | None
) -> Wanted:
    if aside and (times["stored_from"] or times["stored_to"]):
        raise UsageError("Kafka never stored what was set aside: leave --stored-from and -to out")
    clock = Clock(now=datetime.now(UTC), zone=parse_zone(zone))
    return Wanted(
        state=State.ASIDE if aside else State.ACKED,
        played=parse_played(times["played_from"], times["played_to"], day=times["day"]),
        stored=parse_stored(times["stored_from"], times["stored_to"], clock),
        screens=frozenset(screens) if screens else None,
        pop_ids=frozenset(UUID(each).bytes for each in parse_pop_ids(ids)) if ids else None,
    )


def _print(resent: Resent, outbox: Path, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "outbox": str(outbox),
                "plays": resent.plays,
                "dryRun": dry_run,
                "damagedRows": resent.damaged,
            }
        )
    elif not resent.plays:
        click.echo(
            "none of the plays that are still kept is meant; `pop-stream player status` counts them"
        )
    elif dry_run:
        click.echo(f"{resent.plays:,} plays would wait again")
    else:
        click.echo(f"{resent.plays:,} plays wait again: `pop-stream player drain` sends them")
    if resent.damaged:
        click.echo(
            f"{resent.damaged:,} rows cannot be read and stay as they are: `pop-stream player "
            "verify` names them",
            err=True,
        )
