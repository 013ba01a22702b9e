"""`python -m bench`: measure, print the table, and keep the figures."""

import logging
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import click
import orjson

from bench import partner
from bench.machine import machine, versions
from bench.player import run as player
from bench.receiver import find_receiver
from bench.report import Measured, as_json, as_markdown
from bench.run import Plan, run
from bench.scenarios import SCENARIOS
from bench.systems import SYSTEMS
from pop_stream.errors import PopStreamError

PARTNER = "partner"
PLAYER = "player"
_RESULTS = Path(__file__).parent / "results" / "latest.json"


@click.command()
@click.option(
    "--scenario", "scenarios", type=click.Choice([*SCENARIOS, PARTNER, PLAYER]), multiple=True,
    help="What to measure; may be given several times. `partner`: how delivery stands a partner "
    "that is down, slow or wrong. `player`: the outbox, beside other queues on SQLite.  "
    "[default: all others]",
)  # fmt: skip
@click.option(
    "--systems",
    default=",".join(SYSTEMS),
    show_default=True,
    metavar="A,B",
    help="Who is measured.",
)
@click.option(
    "--rounds", type=click.IntRange(min=1), default=3, show_default=True, metavar="N",
    help="How often each system is measured, in turn.",
)  # fmt: skip
@click.option(
    "--events", type=click.IntRange(min=10_000), default=None, metavar="N",
    help="How many events wait in the topic.  [default: the scenario's own number]",
)  # fmt: skip
@click.option(
    "--all-cores", is_flag=True,
    help="Let everything run on all cores. Else all shares one, where no neighbour on the same "
    "physical core makes a busy system look dearer than an idle one.",
)  # fmt: skip
def main(
    *,
    scenarios: tuple[str, ...],
    systems: str,
    rounds: int,
    events: int | None,
    all_cores: bool,
) -> None:
    """Measure what an event costs, beside other ways to do the same."""
    if PLAYER in scenarios:
        player.measure(rounds)
    others = tuple(each for each in scenarios if each != PLAYER)
    if others or not scenarios:
        _measure_delivery(others, systems, rounds, events, all_cores=all_cores)


def _measure_delivery(
    scenarios: tuple[str, ...], systems: str, rounds: int, events: int | None, *, all_cores: bool
) -> None:
    names = systems.split(",")
    if unknown := sorted(set(names) - set(SYSTEMS)):
        raise click.UsageError(
            f"no such system: {', '.join(unknown)} (there is {', '.join(SYSTEMS)})"
        )
    # The mock is no small part of the work with `partner`, which compares no CPU.
    if not all_cores and scenarios != (PARTNER,):
        # Children keep to it as well.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    receiver = find_receiver()
    measured = []
    for key in scenarios or tuple(SCENARIOS):
        if key == PARTNER:
            continue
        scenario = SCENARIOS[key]
        if events is not None:
            scenario = replace(scenario, backlog=events)
        facts = machine()
        plan = Plan(scenario=scenario, systems=names, rounds=rounds, receiver=receiver)
        measured.append(
            Measured(
                key=key,
                scenario=scenario,
                receiver=f"{receiver.name} {receiver.version}",
                rounds=run(plan, lambda text: click.echo(text, err=True)),
                versions=versions(receiver),
                machine=facts,
            )
        )
        click.echo(as_markdown(measured[-1]) + "\n")
    _RESULTS.parent.mkdir(exist_ok=True)
    objects = [one for each in measured for one in as_json(each)]
    if PARTNER in scenarios:
        figures = partner.run(lambda text: click.echo(text, err=True))
        click.echo(partner.as_markdown(figures) + "\n")
        objects += partner.as_json(figures)
    _RESULTS.write_bytes(orjson.dumps(objects, option=orjson.OPT_INDENT_2) + b"\n")
    click.echo(f"kept in {_RESULTS}", err=True)


if __name__ == "__main__":
    # aiokafka warns while the leaders of a new topic are being elected.
    logging.basicConfig(level=logging.ERROR)
    # Both run the ends of all `with` blocks, and so end the children.
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except PopStreamError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
