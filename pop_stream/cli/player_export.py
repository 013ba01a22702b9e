"""`pop-stream player export`: plays that wait, as a signed file to be carried by hand."""

import time
from pathlib import Path

import click

from pop_stream.cli.key_option import key_option
from pop_stream.cli.outbox_option import outbox_option
from pop_stream.cli.output import print_json
from pop_stream.cli.player_progress import telling
from pop_stream.cli.value_types import FILE
from pop_stream.player.carrying.key import read_key
from pop_stream.player.carrying.writing import Written, write, write_and_take
from pop_stream.player.outbox.reading import require_outbox


@click.command()
@outbox_option
@click.option("--to", "to", type=FILE, metavar="FILE",
              required=True, help="A new file: none is ever written over.")  # fmt: skip
@key_option
@click.option("--take", is_flag=True,
              help="Then have the outbox not send them any more: they count as confirmed once the "
                   "file is on the disk and was read from there again. Not while a process sends "
                   "from the outbox.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def export(*, outbox: Path, to: Path, key_file: Path, take: bool, as_json: bool) -> int:
    r"""Write the plays that wait into a signed file, for a terminal without a network.

    `player import` sends them from there. Without --take the outbox sends them as well, as soon
    as it can: at worst they come twice, under the same pop-ids, and count once. With --take only
    the file has them; the outbox keeps them for a while as it keeps what Kafka has confirmed.

    The exit code is 1 when something in the outbox could not be read, which stays there.

    \b
    Example:
      pop-stream player export --outbox pops.outbox --to /media/usb/1202.pops \
        --key-file pops.key
      pop-stream player export --outbox pops.outbox --to 1202.pops \
        --key-file pops.key --take
    """
    require_outbox(outbox)
    key, now_ms = read_key(key_file), time.time_ns() // 1_000_000
    with telling("exporting") as told:
        work = write_and_take if take else write
        written = work(outbox, to, key, now_ms=now_ms, told=told)
    _print(written, to, as_json=as_json)
    return 1 if written.damaged else 0


def _print(written: Written, to: Path, *, as_json: bool) -> None:
    contents = written.contents
    if as_json:
        print_json(
            {
                "file": str(to),
                "plays": contents.plays,
                "screens": contents.screen_count,
                "from": contents.begins,
                "to": contents.ends,
                "bytes": written.bytes,
                "taken": written.taken,
                "damagedRows": written.damaged,
            }
        )
    else:
        taken = f"; {written.taken:,} of them the outbox sends no more" if written.taken else ""
        click.echo(
            f"{contents.plays:,} plays of {contents.screen_count:,} screens are in {to}{taken}"
        )
    if written.damaged:
        click.echo(
            f"{written.damaged:,} rows cannot be read and stay in the outbox: `pop-stream player "
            "verify` names them",
            err=True,
        )
