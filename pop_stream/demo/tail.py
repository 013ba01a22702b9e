"""Reads a growing file of JSON lines, each line once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson


class Tail:
    """Follows a file that another process appends to. It need not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def new_lines(self) -> Iterator[dict[str, Any]]:
        """Yield the objects of the lines that were finished since the last call."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                yield orjson.loads(line)
