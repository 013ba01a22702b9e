"""`pop-stream metrics`: what can be asked of Prometheus."""

from collections.abc import Iterator
from dataclasses import asdict

import click

from pop_stream.cli.output import print_json, print_table
from pop_stream.watch.table import METRICS, OPEN, Kind, Metric, Source

_HEAD = """\
<!-- Made by `pop-stream metrics --markdown > docs/metrics.md` from pop_stream/watch/table.py. -->
# Metrics

Workers serve theirs on `POP_STREAM_METRICS_PORT`, `pop-stream watch` on `POP_STREAM_WATCH_PORT`,
both at `/metrics`.
Every series is there from the start, at 0, so that `increase()` sees its first event.
No label ever holds a screen, a site, an id, a URL or an error's text.
Beside these there are those of every Python process: `process_*`, `python_gc_*`.

Times are epoch seconds; 0 stands for "none".
"""
_TITLES = {
    Source.WORKER: "Workers",
    Source.WATCH: "`pop-stream watch`",
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.option("--markdown", is_flag=True, help="Print docs/metrics.md.")
def metrics(*, as_json: bool, markdown: bool) -> None:
    r"""List the metrics of workers and of the watch.

    \b
    Example:
      pop-stream metrics
      pop-stream metrics --json
    """
    if markdown:
        click.echo(metrics_page(), nl=False)
    elif as_json:
        print_json([{**asdict(each), "shown_as": each.shown_as} for each in METRICS])
    else:
        print_table(
            ("metric", "type", "served by", "meaning"),
            [(each.shown_as, each.kind, each.source, each.help) for each in METRICS],
        )


def metrics_page() -> str:
    """Give the whole of docs/metrics.md."""
    return "\n".join([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    for source, title in _TITLES.items():
        yield f"## {title}\n"
        yield "| metric | type | meaning | labels |"
        yield "| --- | --- | --- | --- |"
        for metric in METRICS:
            if metric.source is source:
                cells = (f"`{metric.shown_as}`", metric.kind, _meaning(metric), _labels(metric))
                yield f"| {' | '.join(cells)} |"
        yield ""


def _meaning(metric: Metric) -> str:
    if metric.kind is not Kind.HISTOGRAM:
        return metric.help
    return f"{metric.help} Buckets up to {', '.join(f'{b:g}' for b in metric.buckets)} s."


def _labels(metric: Metric) -> str:
    return "; ".join(
        f"`{name}`" if values is OPEN else f"`{name}`: {', '.join(values)}"
        for name, values in metric.labels.items()
    )
