"""Where figures are kept."""

from collections.abc import Sequence
from pathlib import Path

import orjson

from bench.report import Measured, as_json, as_markdown

FOLDER = Path(__file__).parent / "results"
#: What the last run gave, whatever it was.
LATEST = FOLDER / "latest.json"


def keep(measured: Measured, folder: Path = FOLDER) -> list[Path]:
    """Write one file for programs and one for people; they replace those of an earlier run."""
    folder.mkdir(exist_ok=True)
    told, table = folder / f"{measured.key}.json", folder / f"{measured.key}.md"
    told.write_bytes(_dumped(as_json(measured)))
    table.write_text(as_markdown(measured) + "\n")
    return [told, table]


def keep_latest(objects: Sequence[object], path: Path = LATEST) -> None:
    """Write a list of rows, of all scenarios."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(_dumped(objects))


def _dumped(told: object) -> bytes:
    return orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n"
