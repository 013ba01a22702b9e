"""`pop-stream player status`: how an outbox stands."""

import time
from pathlib import Path

import click

from pop_stream.cli import player_standing as told
from pop_stream.cli.outbox_option import outbox_option
from pop_stream.cli.output import print_json
from pop_stream.cli.value_types import FILE
from pop_stream.player.outbox.reading import require_outbox
from pop_stream.player.outbox.standing import standing_of


@click.command()
@outbox_option
@click.option("--prometheus", "textfile", type=FILE,
              metavar="FILE", help="Write it for node_exporter's textfile collector, too: a name "
                                   "that ends in .prom, in its folder.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(*, outbox: Path, textfile: Path | None, as_json: bool) -> int:
    r"""Say how an outbox stands: what waits and since when, what is lost, who records and sends.

    Writes nothing into the outbox, and may be asked while it is used, or when its disk is
    read-only. With --prometheus, which is asked often, what is confirmed is not counted: all of
    the file would be read for it. The exit code is 1 when something is lost or set aside, or when
    the file is damaged; `player verify` looks more closely.

    \b
    Example:
      pop-stream player status --outbox /var/lib/player/pops.outbox
      pop-stream player status --outbox pops.outbox --json
      pop-stream player status --outbox pops.outbox \
        --prometheus /var/lib/node_exporter/pops.prom
    """
    require_outbox(outbox)
    standing = standing_of(outbox, with_confirmed=textfile is None)
    now_ms = time.time_ns() // 1_000_000
    if textfile is not None:
        told.write_textfile(textfile, told.as_textfile(standing))
    if as_json:
        print_json(told.as_object(standing, now_ms=now_ms))
    else:
        for line in told.as_lines(standing, now_ms=now_ms):
            click.echo(line)
    return 0 if standing.is_well else 1
