"""What is looked at before the worker joins its group: better not to start than to start half."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from aiokafka.errors import KafkaError

from pop_stream import __version__
from pop_stream.errors import StartRefusedError, TopicsMissingError
from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.allowed import is_hidden, lacking, no_right_to_see, topics_named
from pop_stream.kafka.clients import producer_of
from pop_stream.kafka.group import group_of, partitions_of
from pop_stream.kafka.rights import (
    DELIVERING,
    Kind,
    Operation,
    Rule,
    rules_of_worker,
    topics_of_worker,
)
from pop_stream.kafka.topic_findings import Severity
from pop_stream.kafka.topics import check
from pop_stream.pop.receipt import encode_receipt, receipt_of
from pop_stream.pop.redrive import redrive_group
from pop_stream.settings import Settings
from pop_stream.stream.guard import Surroundings
from pop_stream.stream.parts import schedule_of
from pop_stream.stream.starting_point import doubts, foreign
from pop_stream.watch.facts import facts_of
from pop_stream.watch.history import Sample
from pop_stream.watch.server import Server, serve
from pop_stream.watch.status import Status
from pop_stream.watch.tally import Tally
from pop_stream.watch.worker_pages import worker_pages, worker_registry

log = logging.getLogger(__name__)

_WRITE_MS: Final = 15_000


def serve_metrics(
    settings: Settings,
    tally: Tally,
    look: Callable[[], Status],
    samples: Callable[[], Sequence[Sample]],
) -> Server:
    """Serve the worker's metrics, health and status, and its page for people.

    Raises SettingsError when the port is taken.
    """
    server = serve(
        worker_registry(tally, facts_of(settings)),
        worker_pages(look, samples),
        host=settings.metrics_host,
        port=settings.metrics_port,
    )
    log.info("metrics.listening", extra={"host": settings.metrics_host, "port": server.port})
    return server


async def look_around(settings: Settings) -> Surroundings:
    """See whether the topics are still there, and who is in the group.

    Raises KafkaUnreachableError, and WorkFailedError when Kafka refuses.
    """
    async with connected_admin(settings) as admin:
        described = await topics_named(admin, topics_of_worker(settings))
        members = (await group_of(admin, settings.group)).members
    if hidden := [topic["topic"] for topic in described if is_hidden(topic)]:
        raise no_right_to_see(hidden)
    missing = {topic["topic"] for topic in described if not topic["partitions"]}
    return Surroundings(missing, members)


async def require_rights(settings: Settings) -> None:
    """Raise StartRefusedError with every right that Kafka does not give this worker.

    Without one of them it would take events that it cannot hand on, or could commit nothing.
    Raises KafkaUnreachableError when no broker answers.
    """
    rules = [each for each in rules_of_worker(settings) if not each.prefixed]
    if "failure" in settings.stages:
        rules += [
            Rule(kind=Kind.GROUP, name=redrive_group(settings.group, step),
                 operations=(Operation.READ,), because="notes up to where it has sent back")
            for step in schedule_of(settings).steps
        ]  # fmt: skip
    async with connected_admin(settings) as admin:
        found = await lacking(admin, rules)
    problems = [
        f"{' and '.join(each.word for each in needed)} on the {rule.kind.name.lower()} "
        f"{rule.name}: it {rule.because}"
        for rule, operations in found
        # What is not seen of a configuration is told with the topics, and no reason not to start.
        if (needed := [each for each in operations if each is not Operation.DESCRIBE_CONFIGS])
    ]
    if problems:
        stages = ", ".join(settings.stages)
        raise StartRefusedError(
            f"the worker does not start: Kafka does not give its user the rights for {stages}; "
            "`pop-stream topics acls` shows and gives them. It lacks:\n  - "
            + "\n  - ".join(problems)
        )


async def require_topics(settings: Settings) -> None:
    """Raise TopicsMissingError for what would lose events; log what might.

    Raises KafkaUnreachableError when no broker answers.
    """
    used = topics_of_worker(settings)
    errors = []
    for finding in await check(settings):
        if finding.topic not in used:
            continue
        if finding.severity is Severity.ERROR:
            errors.append(f"{finding.topic}: {finding.problem}; {finding.remedy}")
        else:
            log.warning("topic.doubtful", extra={"topic": finding.topic, "problem":
                        finding.problem, "remedy": finding.remedy})  # fmt: skip
    if errors:
        raise TopicsMissingError("the topics are not ready.\n  - " + "\n  - ".join(errors))


async def require_starting_point(settings: Settings) -> None:
    """Raise StartRefusedError when it is a guess where to begin, or a stranger is in the group.

    Raises KafkaUnreachableError when no broker answers.
    """
    by_stage = {
        "forward": settings.events_topic,
        "retry": settings.retry_topic,
        "failure": settings.failure_topic,
    }
    mine = {by_stage[stage] for stage in settings.stages}
    looked_at = mine | {settings.retry_topic, settings.failure_topic}
    states = await partitions_of(settings, sorted(looked_at))
    consumed = [state for state in states if state.topic in mine]
    written: Counter[str] = Counter()
    for state in states:
        if state.topic in (settings.retry_topic, settings.failure_topic):
            written[state.topic] += state.end
    problems = list(doubts(settings.group, consumed, written))
    if problems and settings.start_without_commit == "earliest":
        log.warning("start.without_commit", extra={"problems": problems})
        problems = []
    if strangers := foreign((await look_around(settings)).members):
        problems.append(
            f"in the group {settings.group!r} there are others than workers: "
            f"{', '.join(strangers)}. They take partitions, and what they commit is never "
            "delivered: end them, or give them a group of their own."
        )
    if problems:
        raise StartRefusedError("the worker does not start.\n  - " + "\n  - ".join(problems))


async def require_receipts(settings: Settings) -> None:
    """Where receipts are on, write one of nothing: that they begin now, and can be written.

    A worker that cannot would deliver what it never commits, and each that is started after it the
    same again. One that delivers nothing writes none. Raises StartRefusedError.
    """
    if settings.receipts == "off" or not DELIVERING & {*settings.stages}:
        return
    nothing = receipt_of(
        (), group=settings.group, worker=__version__, topic=settings.events_topic, partition=0
    )
    try:
        async with producer_of(settings, acks="all", request_timeout_ms=_WRITE_MS) as producer:
            await producer.send_and_wait(settings.receipts_topic, encode_receipt(nothing))
    except KafkaError as error:
        raise StartRefusedError(
            f"the worker does not start: a receipt cannot be written to {settings.receipts_topic} "
            f"({type(error).__name__}), and without it nothing that is delivered may be committed. "
            "Give the worker the right Write on it, or set POP_STREAM_RECEIPTS=off"
        ) from error
