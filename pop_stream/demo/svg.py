"""Saves the picture of a run as an SVG."""

import io
import re
from pathlib import Path

from rich.console import Console, RenderableType

from pop_stream.demo.view import WIDTH

# rich names a font on a server; a picture should not need the network.
_FONT_FROM_A_SERVER = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def save_svg(path: Path, *pictures: RenderableType) -> None:
    """Draw the pictures under each other into a file. Raises OSError."""
    console = Console(record=True, width=WIDTH + 2, file=io.StringIO(), force_terminal=True)
    for picture in pictures:
        console.print(picture)
        console.print()
    svg = console.export_svg(title="pop-stream demo", unique_id="demo")
    path.write_text(_FONT_FROM_A_SERVER.sub("", svg))
