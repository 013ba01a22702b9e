"""The flag that names the key of carried files."""

from pathlib import Path

import click

key_option = click.option(
    "--key-file", "key_file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    required=True,
    help="The key that signs: a file that only its owner can read, the same on both sides. "
         "(umask 077; openssl rand -hex 32 > FILE) makes one.",
)  # fmt: skip
