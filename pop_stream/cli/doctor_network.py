"""What the doctor looks at beyond this machine: Kafka, its topics, GSTV.

Every look is bounded in time, and no event is ever POSTed.
"""

import asyncio

from pop_stream.cli.diagnosis import Diagnosis, Level, fail, warn, well
from pop_stream.errors import KafkaUnreachableError, WorkFailedError
from pop_stream.gstv.from_settings import endpoint_of
from pop_stream.gstv.trial import try_way
from pop_stream.kafka.reach import require_kafka
from pop_stream.kafka.rights import topics_of_worker
from pop_stream.kafka.topic_findings import HIDDEN, Severity
from pop_stream.kafka.topics import check as check_topics
from pop_stream.pop.outcome import NoAnswer, Trouble
from pop_stream.settings import Settings

KAFKA = "kafka"
CONNECT_SECONDS = 3.0
_KAFKA_SECONDS = 10.0


async def examine_network(settings: Settings) -> list[Diagnosis]:
    """Look at Kafka and GSTV at the same time."""
    kafka, gstv = await asyncio.gather(examine_kafka(settings), examine_gstv(settings))
    return [*kafka, gstv]


async def examine_kafka(settings: Settings) -> list[Diagnosis]:
    """Judge whether a broker answers, and then the topics."""
    servers = settings.kafka_bootstrap_servers
    try:
        async with asyncio.timeout(_KAFKA_SECONDS):
            await require_kafka(settings)
        topics = await _examine_topics(settings)
    except (KafkaUnreachableError, TimeoutError) as error:
        found, _, remedy = str(error).partition("\n")
        return [fail(KAFKA, found or f"no answer from {servers}", remedy=remedy)]
    return [well(KAFKA, f"answers at {servers}"), *topics]


async def _examine_topics(settings: Settings) -> list[Diagnosis]:
    try:
        async with asyncio.timeout(_KAFKA_SECONDS):
            findings = await check_topics(settings)
    except WorkFailedError as error:
        return [fail("topics", str(error), remedy="look at the rights that Kafka gives us")]
    # What this worker does not use may well be hidden from it.
    used = topics_of_worker(settings)
    findings = [each for each in findings if each.problem != HIDDEN or each.topic in used]
    if not findings:
        return [well("topics", "all there and fit")]
    return [
        Diagnosis(
            check=f"topic {finding.topic}",
            level=Level.FAIL if finding.severity is Severity.ERROR else Level.WARN,
            found=finding.problem,
            remedy=finding.remedy,
        )
        for finding in findings
    ]


async def examine_gstv(settings: Settings) -> Diagnosis:
    """Judge whether a connection to GSTV can be made, the way a worker makes it."""
    url = settings.gstv_url
    if url is None:
        return warn("gstv", "no address is set", remedy="set POP_STREAM_GSTV_URL for the worker")
    try:
        origin = endpoint_of(settings, url).origin
        why = await try_way(settings, url, timeout_seconds=CONNECT_SECONDS)
    except ValueError as error:
        return fail("gstv", str(error), remedy="mend POP_STREAM_GSTV_URL or what goes with it")
    if why is None:
        return well("gstv", f"{origin} takes connections (no event was sent)")
    return fail(
        "gstv", f"{origin} cannot be reached: {why.detail or why.trouble}", remedy=_remedy(why)
    )


def _remedy(why: NoAnswer) -> str:
    match why.trouble:
        case Trouble.ADDRESS:
            return "check what the name leads to; POP_STREAM_GSTV_ALLOWED_NETWORKS allows networks"
        case Trouble.PROXY:
            return "check POP_STREAM_GSTV_PROXY, its user and its password"
        case Trouble.TOKEN | Trouble.CREDENTIALS:
            return "check POP_STREAM_GSTV_OAUTH_URL, the client's id, its secret and its scope"
        case Trouble.TLS:
            return "check POP_STREAM_GSTV_URL, POP_STREAM_GSTV_SSL_CAFILE and the host's name"
        case _:
            return "check POP_STREAM_GSTV_URL, the firewall, and POP_STREAM_GSTV_PROXY if any"
