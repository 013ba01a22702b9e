"""`pop-stream events`: find, export and count what stands on the topics."""

import click

from pop_stream.cli.lazy import LazyCommand, LazyGroup

COMMANDS = {
    "search": LazyCommand("pop_stream.cli.events_search:search", "Find events on the topics."),
    "tail": LazyCommand(
        "pop_stream.cli.events_tail:tail",
        "Show events as they come, of all topics in the order in which they were stored.",
    ),
    "export": LazyCommand(
        "pop_stream.cli.events_export:export",
        "Export events to Parquet, CSV or NDJSON files, with a manifest.",
    ),
    "query": LazyCommand(
        "pop_stream.cli.events_query:query",
        "Ask events by SQL, on the topics or in exported files.",
    ),
    "report": LazyCommand(
        "pop_stream.cli.events_report:report",
        "Count what was played: by asset, order, site, screen, hour and day, and what is odd.",
    ),
    "replay": LazyCommand(
        "pop_stream.cli.events_replay:replay",
        "Send events once more: tells first, and runs only a plan.",
    ),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def events() -> None:
    r"""Find, export, count and replay events, without disturbing the workers.

    Topics are read without a consumer group, up to where they end at the start.

    \b
    Example:
      pop-stream events search --where 'siteId=1202 filename~*.mp4' \
        --day 2026-11-20
    """
