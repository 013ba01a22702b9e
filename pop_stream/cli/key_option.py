"""The flag that names the key of carried files."""

import click

from pop_stream.cli.value_types import FILE

key_option = click.option(
    "--key-file", "key_file", type=FILE, metavar="FILE",
    required=True,
    help="The key that signs: a file that only its owner can read, the same on both sides. "
         "(umask 077; openssl rand -hex 32 > FILE) makes one.",
)  # fmt: skip
