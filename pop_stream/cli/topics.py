"""`pop-stream topics`: create the topics, judge those that are there, and who may use them."""

import asyncio
from dataclasses import asdict

import click

from pop_stream.cli.near import NearGroup
from pop_stream.cli.output import print_json, print_table
from pop_stream.cli.settings_options import with_settings
from pop_stream.cli.topics_acls import acls
from pop_stream.errors import TopicsMissingError
from pop_stream.settings import TOPICS, Settings

SETTINGS = ("kafka_", *TOPICS)


@click.group(cls=NearGroup)
def topics() -> None:
    r"""Create and check the topics, and say who needs which rights.

    \b
    Example:
      pop-stream topics ensure --partitions 24 --replication 3
      pop-stream topics check
    """


topics.add_command(acls)


@topics.command()
@click.option(
    "--partitions",
    type=click.IntRange(1, 10_000),
    default=12,
    show_default=True,
    help="Of each new topic: more than there will ever be workers.",
)
@click.option(
    "--replication",
    type=click.IntRange(1, 100),
    help="Copies of each new topic. Defaults to as many as there are brokers, 3 at most.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@with_settings(*SETTINGS)
def ensure(*, settings: Settings, partitions: int, replication: int | None, as_json: bool) -> None:
    r"""Create the topics that are missing.

    An existing topic is never altered; `pop-stream topics check` judges it.

    \b
    Example:
      pop-stream topics ensure
      pop-stream topics ensure --partitions 48 --replication 3 --json
    """
    # Not at the top: aiokafka takes its time to import, and --help should not wait for it.
    from pop_stream.kafka import topics as there  # noqa: PLC0415

    ensured = asyncio.run(there.ensure(settings, partitions=partitions, replication=replication))
    if as_json:
        print_json([asdict(topic) for topic in ensured])
        return
    print_table(
        ("topic", "", "partitions", "copies"),
        (
            (
                topic.name,
                "created" if topic.created else "exists",
                str(topic.partitions),
                str(topic.replication),
            )
            for topic in ensured
        ),
    )


@topics.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@with_settings(*SETTINGS, "max_event_bytes")
def check(*, settings: Settings, as_json: bool) -> int:
    r"""Say what about the topics would lose events, or stop them.

    Alters nothing. The exit code is 1 when there is an error; warnings alone leave it 0.

    \b
    Example:
      pop-stream topics check
      pop-stream topics check --json
    """
    # As above.
    from pop_stream.kafka import topics as there  # noqa: PLC0415
    from pop_stream.kafka.topic_findings import Severity  # noqa: PLC0415

    findings = asyncio.run(there.check(settings))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    elif findings:
        print_table(
            ("topic", "", "problem", "what to do"),
            ((f.topic, f.severity, f.problem, f.remedy) for f in findings),
        )
    else:
        click.echo("All topics are there and fit.", err=True)
    wrong = any(finding.severity is Severity.ERROR for finding in findings)
    return TopicsMissingError.exit_code if wrong else 0
