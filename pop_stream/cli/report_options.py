"""Flags of `pop-stream events report`."""

import functools
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from pop_stream.analysis.report.site_zones import SiteZones, parse_site_zones
from pop_stream.cli.value_types import Whole
from pop_stream.cli.writable import require_writable
from pop_stream.errors import UsageError, why

Result = TypeVar("Result")

_SPAN = re.compile(r"(\d{1,6})(s|m|h)")
_UNITS = {"s": 1, "m": 60, "h": 3600}

_OPTIONS = (
    click.option("--sites", metavar="FILE",
                 help="The zones of sites: CSV, siteId,zone in each line."),
    click.option("--site-zone", metavar="ZONE",
                 help="The zone of all sites that --sites does not name, like America/Chicago."),
    click.option("--gap", default="10m", show_default=True, metavar="SPAN",
                 help="Tell of screens without a play for longer, while others of the site play: "
                      "90s, 10m, 2h."),
    click.option("--from", "files", multiple=True, metavar="FILE",
                 help="Read this file instead of topics, as `events search --json` writes it; may "
                      "be repeated; - is stdin."),
    click.option("--top", type=Whole(0), default=20, show_default=True, metavar="N",
                 help="Show so many rows of each table on a terminal; 0: all."),
    click.option("--csv", metavar="FOLDER", help="Write each table to a file in this folder."),
    click.option("--html", metavar="FILE",
                 help="Write one page with pictures, to be read without a network."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object with all tables."),
)  # fmt: skip
_NAMES = ("sites", "site_zone", "gap", "files", "top", "csv", "html", "as_json")


class Wanted(NamedTuple):
    """What a person wants of a report."""

    zones: SiteZones
    gap_seconds: int
    #: Files to read instead of topics.
    files: Sequence[str]
    top: int
    csv: Path | None
    html: Path | None
    as_json: bool


def with_report_options(function: Callable[..., Result]) -> Callable[..., Result]:
    """Give a command the flags, and `wanted: Wanted` as keyword argument."""

    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> Result:
        given = {name: kwargs.pop(name) for name in _NAMES}
        return function(*args, wanted=_wanted(**given), **kwargs)

    wrapped: Callable[..., Result] = command
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _wanted(
    *,
    sites: str | None,
    site_zone: str | None,
    gap: str,
    csv: str | None,
    html: str | None,
    **others: Any,
) -> Wanted:
    return Wanted(
        zones=parse_site_zones(None if sites is None else _lines_of(sites), site_zone),
        gap_seconds=_seconds(gap),
        csv=None if csv is None else require_writable(Path(csv), "--csv", is_folder=True),
        html=None if html is None else require_writable(Path(html), "--html"),
        **others,
    )


def _lines_of(name: str) -> list[str]:
    try:
        # Spreadsheets put a mark before the first line.
        return Path(name).read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--sites {name}: cannot be read ({why(error)})") from error


def _seconds(text: str) -> int:
    span = _SPAN.fullmatch(text)
    if span is None or not int(span[1]):
        raise UsageError(f"--gap {text!r} is no span: write 90s, 10m or 2h")
    return int(span[1]) * _UNITS[span[2]]
