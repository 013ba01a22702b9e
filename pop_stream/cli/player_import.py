"""`pop-stream player import`: sends a file that was carried by hand."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click

from pop_stream.cli.key_option import key_option
from pop_stream.cli.output import print_json
from pop_stream.cli.player_progress import telling
from pop_stream.cli.settings_options import with_settings
from pop_stream.cli.value_types import FILE
from pop_stream.errors import PopStreamError
from pop_stream.player.carrying.key import read_key
from pop_stream.player.carrying.reading import Carried, verified
from pop_stream.player.sending.record import Record
from pop_stream.settings import Settings


@click.command("import")
@click.argument("file", type=FILE)
@key_option
@click.option("--dry-run", is_flag=True, help="Verify it and say what is in it; send nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_settings("kafka_", "events_topic", "log_")
def import_(*, settings: Settings, file: Path, key_file: Path, dry_run: bool, as_json: bool) -> int:
    r"""Send the plays of a file that `player export` wrote to Kafka.

    All of it is verified first. A file that was altered, cut off or signed with another key is
    refused as a whole, with exit code 2. When the sending fails or is interrupted, give the same
    command again: all go once more, under the same pop-ids, and count once.

    \b
    Example:
      pop-stream player import /media/usb/1202.pops --key-file pops.key
      pop-stream player import /media/usb/1202.pops --key-file pops.key \
        --dry-run --json
    """
    with verified(file, read_key(key_file)) as carried:
        refused = [] if dry_run else _sent(settings, carried)
    contents = carried.contents
    confirmed = 0 if dry_run else contents.plays - len(refused)
    if as_json:
        print_json(
            {
                "file": str(file),
                "plays": contents.plays,
                "screens": contents.screen_count,
                "from": contents.begins,
                "to": contents.ends,
                "confirmed": confirmed,
                "refused": [{"popId": pop_id, "why": why} for pop_id, why in refused],
                "dryRun": dry_run,
            }
        )
    else:
        what = f"{contents.plays:,} plays of {contents.screen_count:,} screens"
        click.echo(
            f"{what} are in {file}, unaltered; none was sent"
            if dry_run
            else f"{confirmed:,} of {what} confirmed on {settings.events_topic}"
        )
    for pop_id, why in refused:
        click.echo(f"Kafka refused {pop_id}: {why}", err=True)
    return 1 if refused else 0


def _sent(settings: Settings, carried: Carried) -> list[tuple[str, str]]:
    """Send all; gives those that Kafka refuses, with why."""
    # Not at the top: aiokafka takes its time to import, and --dry-run needs none of it.
    from pop_stream.player.sending.confirming import send_confirmed  # noqa: PLC0415

    done, total = 0, carried.contents.plays
    with telling("sending") as told:

        def confirmed(sent: Sequence[Record]) -> None:
            nonlocal done
            done += len(sent)
            told(done, total)

        try:
            refused = asyncio.run(send_confirmed(settings, carried.records(), confirmed=confirmed))
        except (KeyboardInterrupt, PopStreamError):
            click.echo(
                f"\n{done:,} of {total:,} are confirmed. The same command sends all of them, under "
                "the same pop-ids.",
                err=True,
            )
            raise
    return [(dict(each.record.headers)["pop-id"].decode(), each.why) for each in refused]
