"""`pop-stream failures summary`: parked events, counted."""

from collections import Counter
from typing import Any

import click

from pop_stream.analysis.matching import matching
from pop_stream.analysis.parked.overview import AGES, Overview
from pop_stream.analysis.parked.parked_now import ParkedNow
from pop_stream.analysis.parked.parking import OPEN, State
from pop_stream.analysis.replay.planning import now_ms, part, since
from pop_stream.analysis.scan import Topics
from pop_stream.cli.output import print_json, print_table
from pop_stream.cli.plan_options import PARKED_SETTINGS
from pop_stream.cli.scan_progress import Style, progress_option, telling
from pop_stream.cli.selection_options import Asked, with_selection
from pop_stream.cli.settings_options import with_settings
from pop_stream.cli.value_types import Whole
from pop_stream.settings import Settings

_KINDS = ("reason", "status", "day", "age", "site")


@click.command()
@with_selection(default=("failure",), topics=("failure",))
@click.option(
    "--top", type=Whole(1), default=10, show_default=True, metavar="N",
    help="Show so many of each kind; --json tells all.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@progress_option
@with_settings(*PARKED_SETTINGS)
def summary(
    *, settings: Settings, asked: Asked, top: int, as_json: bool, progress_style: Style
) -> None:
    r"""Count parked events: by how it stands with them, and those that wait by kind.

    "sent back" is known from the retry topic, as long as that keeps its records, and from what the
    workers' redrives have committed. Days are those of the play, in the time of its site; ages
    count from when an event was parked.

    \b
    Example:
      pop-stream failures summary
      pop-stream failures summary --where reason=rejected --json
    """
    selection = asked.selection
    states: Counter[str] = Counter({state.value: 0 for state in State})
    waiting = Overview(_KINDS, now_ms=now_ms())
    with (
        ParkedNow(settings) as parked,
        Topics(settings) as topics,
        telling(progress_style, "counting") as told,
    ):
        read = parked.read(part(told, 0, 2))
        spans = since(read, topics.spans([settings.failure_topic], selection.stored))
        for event in matching(topics, spans, selection, progress=part(told, 1, 2)):
            state = parked.parking.state_of(event)
            states[state.value] += 1
            if state in OPEN:
                waiting.add(event)
    if as_json:
        print_json({"selection": selection.told(), "states": states,
                    "waiting": waiting.as_object()})  # fmt: skip
        return
    rows = [("records", state, f"{count:,}") for state, count in states.items()]
    print_table(("of", "kind", "events"), [*rows, *_rows(waiting, top)])
    click.echo(f"Of {settings.failure_topic}: {'; '.join(selection.told())}", err=True)


def _rows(waiting: Overview, top: int) -> list[tuple[str, str, str]]:
    rows: list[tuple[str, str, str]] = []
    for name, counter in waiting.by.items():
        shown: Any = counter.most_common(top)
        if name == "age":
            shown = [(age, counter[age]) for age in AGES if counter[age]]
        rows += [(f"waiting by {name}", kind, f"{count:,}") for kind, count in shown]
        if len(shown) < len(counter):
            left = sum(counter.values()) - sum(count for _, count in shown)
            rows.append((f"waiting by {name}", f"{len(counter) - len(shown):,} more", f"{left:,}"))
    return rows
