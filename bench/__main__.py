"""`python -m bench`: measure, print the tables, and keep the figures."""

import logging
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import click

from bench import partner
from bench.certificates import openssl
from bench.machine import machine, versions
from bench.player import run as player
from bench.receiver import find_receiver
from bench.report import Measured, as_markdown, as_rows
from bench.results import LATEST, keep, keep_latest
from bench.run import Runner
from bench.scenario import Choice, Scenario, minutes
from bench.scenarios import SCENARIOS, scenario
from bench.stage import stage
from bench.systems import SYSTEMS, left_out
from pop_stream.errors import PopStreamError, WorkFailedError

Facts = Mapping[str, str | int | float]

PARTNER = "partner"
PLAYER = "player"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be measured."""

    scenarios: Mapping[str, Scenario]
    #: None: as many as each scenario says.
    rounds: int | None
    #: Whether the figures replace those that are published.
    whole: bool
    #: The systems that cannot be run here, each with the reason.
    left_out: Mapping[str, str]


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
    help="Who is measured, where several are.",
)
@click.option(
    "--rounds", type=click.IntRange(min=1), default=None, metavar="N",
    help="How often each row is measured, in turn.  [default: the scenario's own number; "
    "player: 3]",
)  # fmt: skip
@click.option(
    "--events", type=click.IntRange(min=10_000), default=None, metavar="N",
    help="No topic gets more events.  [default: the scenario's own numbers]",
)  # fmt: skip
@click.option(
    "--all-cores", is_flag=True,
    help="Let everything run on all cores, instead of one or two as the scenario says.",
)  # fmt: skip
def main(
    *,
    scenarios: tuple[str, ...],
    systems: str,
    rounds: int | None,
    events: int | None,
    all_cores: bool,
) -> None:
    """Measure what an event costs, beside other ways to do the same.

    A run of fewer rounds, events or systems than the scenario's own is shown, and kept in
    latest.json only.
    """
    if PLAYER in scenarios:
        player.measure(rounds or 3)
    keys = [each for each in scenarios or SCENARIOS if each not in {PLAYER, PARTNER}]
    asked = _systems(systems)
    absent = left_out(asked) if keys else {}
    for name, why in absent.items():
        _say(f"{name} is left out: {why}")
    found = tuple(each for each in asked if each not in absent)
    choice = Choice(systems=found, events=events, all_cores=all_cores)
    wanted = Wanted(
        scenarios={key: scenario(key, choice) for key in keys},
        rounds=rounds,
        whole=choice == Choice(systems=tuple(SYSTEMS)),
        left_out=absent,
    )
    objects = _measure_scenarios(wanted) if keys else []
    if PARTNER in scenarios:
        figures = partner.run(_say)
        click.echo(partner.as_markdown(figures) + "\n")
        objects += partner.as_json(figures)
    if objects:
        keep_latest(objects)
        _say(f"kept in {LATEST}")


def _systems(names: str) -> tuple[str, ...]:
    systems = tuple(names.split(","))
    if unknown := sorted(set(systems) - set(SYSTEMS)):
        raise click.UsageError(
            f"no such system: {', '.join(unknown)} (there is {', '.join(SYSTEMS)})"
        )
    return systems


def _measure_scenarios(wanted: Wanted) -> list[object]:
    """Measure one after the other, and keep each at once.

    Raises WorkFailedError at the end when something failed.
    """
    _say(f"about {minutes(wanted.scenarios.values()):g} minutes on two cores, or less if told so")
    objects: list[object] = []
    facts = machine()
    failed = False
    with stage(_say) as kafka:
        runner = Runner(kafka)
        for key, each in wanted.scenarios.items():
            if why := _obstacle(each):
                _say(f"scenario {key} is left out: {why}")
                continue
            _say(f"scenario {key}: {each.title}")
            rounds = wanted.rounds or each.rounds
            measured = replace(_measure(key, each, runner, rounds, facts), left_out=wanted.left_out)
            click.echo(as_markdown(measured) + "\n")
            objects += as_rows(measured)
            keep_latest(objects)
            if wanted.whole and rounds >= each.rounds:
                _say(f"kept in {', '.join(map(str, keep(measured)))}")
            failed = failed or bool(measured.failures)
    if failed:
        raise WorkFailedError("not everything could be measured: see above")
    return objects


def _obstacle(each: Scenario) -> str | None:
    if not each.rows:
        return "none of the systems takes part"
    if any(row.variant.behaviour.https for row in each.rows) and openssl() is None:
        return "it needs openssl for a certificate"
    return None


def _measure(key: str, each: Scenario, runner: Runner, rounds: int, facts: Facts) -> Measured:
    kinds = [find_receiver(row.variant.behaviour) for row in each.rows]
    begun_at = time.monotonic()
    found = runner.run(each, rounds)
    return Measured(
        key=key,
        scenario=each,
        rounds=found.rounds,
        failures=found.failures,
        receivers=list(dict.fromkeys(map(str, kinds))),
        seconds=time.monotonic() - begun_at,
        versions={name: value for kind in kinds for name, value in versions(kind).items()},
        machine=facts,
    )


def _say(text: str) -> None:
    click.echo(text, err=True)


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
