"""The flag that names an outbox, the same on every command."""

import click

from pop_stream.cli.value_types import OUTBOX

outbox_option = click.option(
    "--outbox", "outbox", type=OUTBOX, metavar="FILE",
    required=True, help="The outbox of this terminal.",
)  # fmt: skip
