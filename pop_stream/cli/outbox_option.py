"""The flag that names an outbox, the same on every command."""

from pathlib import Path

import click

outbox_option = click.option(
    "--outbox", "outbox", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    required=True, help="The outbox of this terminal.",
)  # fmt: skip
