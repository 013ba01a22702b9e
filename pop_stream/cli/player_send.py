"""`pop-stream player send`: plays that were shown, into an outbox or to Kafka."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import orjson

from pop_stream.cli.settings_options import with_settings
from pop_stream.cli.streams import UnwrittenError
from pop_stream.cli.told_plays import told_plays
from pop_stream.cli.value_types import OUTBOX, GivenPath
from pop_stream.errors import KafkaUnreachableError, WorkFailedError
from pop_stream.player.keeping import keep, new_boot
from pop_stream.player.outbox.clock import zone_of
from pop_stream.player.sending.record import Record, record_of
from pop_stream.player.telling import records_of
from pop_stream.settings import Settings


@click.command()
@click.option("--filename", metavar="NAME", help="The file that was shown.")
@click.option("--asset-id", metavar="ID", help="GSTV's id of it.")
@click.option("--io-number", metavar="NUMBER", help="The insertion order, where there is one.")
@click.option("--site", metavar="ID", help="The site.")
@click.option("--screen", metavar="ID", help="The screen.")
@click.option("--screen-state", type=click.Choice(["Full", "Partial"]),
              help='How much of a 12" screen showed it.')  # fmt: skip
@click.option("--start", metavar="TIME",
              help="When it began, by the site's clock: 2026-11-20 10:00:00.")  # fmt: skip
@click.option("--end", metavar="TIME", help="When it ended.")
@click.option("--from", "source", metavar="FILE", type=GivenPath(dir_okay=False, allow_dash=True),
              help="Take events from a file, or with - from stdin: one JSON object, or one a line, "
                   "with the owner's fields. They go on byte for byte.")  # fmt: skip
@click.option("--outbox", type=OUTBOX, metavar="FILE",
              help="Keep them in this outbox, from which `player drain` sends them; it is made "
                   "where there is none. Without it they go straight to Kafka.")  # fmt: skip
@click.option("--zone", metavar="NAME",
              help="The site's time zone, like America/Chicago. Defaults to that of this "
                   "machine.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a play.")
@with_settings("kafka_", "events_topic", "log_")
def send(
    *,
    settings: Settings,
    source: str | None,
    outbox: Path | None,
    zone: str | None,
    as_json: bool,
    **flags: str | None,
) -> int:
    r"""Tell of plays that were shown: they are kept in an outbox, or sent to Kafka.

    Prints the pop-id of each play once it is safe: on the disk, or confirmed by all of Kafka's
    replicas in sync. All are checked first, and when one is wrong none is kept or sent. What is
    odd but possible is told, and goes on. Each call makes new pop-ids: a play that is given
    twice counts twice.

    \b
    Example:
      pop-stream player send --outbox pops.outbox --filename spot.webm \
        --asset-id 5942 --site 1202 --screen 3 \
        --start "2026-11-20 10:00:00" --end "2026-11-20 10:00:15"
      pop-stream player send --outbox pops.outbox --from events.ndjson
      tail -1 events.ndjson | pop-stream player send --from - --json
    """
    site_zone, boot = zone_of(zone), new_boot()
    with told_plays(settings, source, flags) as plays, _told_what_is_safe() as safe:
        if outbox is None:
            return _to_kafka(settings, records_of(plays, boot=boot, zone=site_zone), safe, as_json)
        for rows in keep(outbox, plays, boot=boot, zone=site_zone):
            for row in rows:
                safe.append(_print(record_of(row), {"outbox": str(outbox)}, as_json=as_json))
    return 0


@contextmanager
def _told_what_is_safe() -> Iterator[list[str]]:
    """Give a list for the ids of what is safe: after Ctrl-C, those must not be given again."""
    safe: list[str] = []
    try:
        yield safe
    except (KeyboardInterrupt, UnwrittenError, WorkFailedError, KafkaUnreachableError):
        if safe:
            click.echo(
                f"\n{len(safe):,} plays are safe: those whose pop-ids are printed. Give only the "
                "others again; a play that is given twice counts twice.",
                err=True,
            )
        raise


def _to_kafka(settings: Settings, records: Iterator[Record], safe: list[str], as_json: bool) -> int:
    # Not at the top: aiokafka takes its time to import, and an outbox needs none of it.
    from pop_stream.player.sending.confirming import send_confirmed  # noqa: PLC0415

    def confirmed(sent: Sequence[Record]) -> None:
        where = {"topic": settings.events_topic}
        safe.extend(_print(record, where, as_json=as_json) for record in sent)

    refused = asyncio.run(send_confirmed(settings, records, confirmed=confirmed))
    for each in refused:
        screen = each.record.key.decode()
        click.echo(f"Kafka refused a play of screen {screen}: {each.why}", err=True)
    return 1 if refused else 0


def _print(record: Record, where: Mapping[str, object], *, as_json: bool) -> str:
    """Print a play that is safe; gives its id."""
    headers = {name: value.decode() for name, value in record.headers}
    if not as_json:
        click.echo(headers["pop-id"])
        return headers["pop-id"]
    told = {"popId": headers["pop-id"], "screen": record.key.decode(),
            "seq": int(headers["pop-seq"]), "boot": headers["pop-boot"]}  # fmt: skip
    click.echo(orjson.dumps(told | dict(where)))
    return headers["pop-id"]
