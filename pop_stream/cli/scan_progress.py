"""How far a scan of topics is, on stderr: a bar for people, lines of JSON for programs."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

import click

from pop_stream.analysis.scan import Progress

Told: TypeAlias = Callable[[Progress], None]
Style: TypeAlias = Literal["auto", "json", "none"]

_EVERY_SECONDS = 1.0

progress_option = click.option(
    "--progress", "progress_style", type=click.Choice(["auto", "json", "none"]), default="auto",
    show_default=True,
    help="How far it is, on stderr: a bar on a terminal, one JSON object a second, or nothing.",
)  # fmt: skip


@contextmanager
def telling(style: Style, label: str) -> Iterator[Told]:
    """Tell of a scan's progress meanwhile."""
    if style == "json":
        yield _json_lines(label)
    elif style == "none" or not sys.stderr.isatty():
        yield lambda _: None
    else:
        with _bar(label) as told:
            yield told


def _json_lines(label: str) -> Told:
    began = last = time.monotonic()

    def told(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _EVERY_SECONDS and progress.done < progress.total:
            return
        last = now
        rate = progress.done / max(now - began, 0.001)
        line = {
            "doing": label,
            "done": progress.done,
            "total": progress.total,
            "per_second": round(rate),
            "eta_seconds": round((progress.total - progress.done) / rate, 1) if rate else None,
        }
        click.echo(json.dumps(line), err=True)

    return told


@contextmanager
def _bar(label: str) -> Iterator[Told]:
    # Not at the top: rich takes a tenth of a second to import.
    from rich import progress as rich  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[rate]} a second, left"),
        rich.TimeRemainingColumn(),
    )
    began = time.monotonic()
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None, rate="")

        def told(progress: Progress) -> None:
            rate = progress.done / max(time.monotonic() - began, 0.001)
            bar.update(task, completed=progress.done, total=progress.total, rate=f"{rate:,.0f}")

        yield told
