"""`pop-stream doctor`: what is wrong with this machine, and what to do about it."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from pop_stream.cli.diagnosis import Diagnosis, Level
from pop_stream.cli.doctor_files import examine_files
from pop_stream.cli.doctor_machine import examine_machine
from pop_stream.cli.output import print_columns, print_json
from pop_stream.cli.settings_options import with_settings
from pop_stream.errors import KafkaUnreachableError, WorkFailedError
from pop_stream.settings import Settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@with_settings("kafka_", "gstv_", "metrics_")
def doctor(*, settings: Settings, as_json: bool) -> int:
    r"""Say what is wrong with this machine.

    Looks at Python and its packages, the limits of this machine, its clock, whether others can read
    the files of secrets or write the settings, whether Kafka answers and has the topics, and
    whether GSTV takes connections; nothing is sent to GSTV. The exit code is 1 when something
    fails, 3 when it is Kafka that cannot be reached.

    \b
    Example:
      pop-stream doctor
      pop-stream doctor --kafka-bootstrap-servers broker.example.com:9093 --json
    """
    # Not at the top: aiokafka takes its time to import, and --help should not wait for it.
    from pop_stream.cli.doctor_network import KAFKA, examine_network  # noqa: PLC0415

    found = [
        *examine_machine(settings),
        *examine_files(settings, Path()),
        *asyncio.run(examine_network(settings)),
    ]
    if as_json:
        print_json([asdict(each) for each in found])
    elif sys.stdout.isatty():
        for each in found:
            click.echo(describe(each))
    else:
        print_columns((each.check, each.level, each.found, each.remedy) for each in found)
    return exit_code(found, kafka=KAFKA)


def exit_code(found: Sequence[Diagnosis], *, kafka: str) -> int:
    """3 when Kafka cannot be reached, else 1 when anything fails, else 0."""
    failed = [each.check for each in found if each.level is Level.FAIL]
    if kafka in failed:
        return KafkaUnreachableError.exit_code
    return WorkFailedError.exit_code if failed else 0


def describe(each: Diagnosis) -> str:
    """One line for people, and a second one if there is something to do."""
    level = click.style(f"{each.level:<4}", fg=_COLOURS[each.level])
    line = f"{level}  {each.check:<15}  {each.found}"
    return f"{line}\n      {'':<15}  -> {each.remedy}" if each.remedy else line


_COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}
