"""What the doctor looks at beyond this machine: Kafka, its topics, GSTV.

Every look is bounded in time, and nothing is ever POSTed.
"""

import asyncio
import ssl

from pop_stream.access.tls import client_ssl_context
from pop_stream.cli.diagnosis import Diagnosis, Level, fail, warn, well
from pop_stream.errors import KafkaUnreachableError, WorkFailedError
from pop_stream.gstv.endpoint import Endpoint, parse_endpoint
from pop_stream.kafka.reach import require_kafka
from pop_stream.kafka.topic_findings import Severity
from pop_stream.kafka.topics import check as check_topics
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
    """Judge whether a connection to GSTV can be made, with TLS if it is https."""
    if settings.gstv_url is None:
        return warn("gstv", "no address is set", remedy="set POP_STREAM_GSTV_URL for the worker")
    try:
        context = None
        if settings.gstv_url.startswith("https:"):
            context = client_ssl_context(settings.gstv_ssl_cafile)
        endpoint = parse_endpoint(settings.gstv_url, ssl_context=context)
    except ValueError as error:
        return fail("gstv", str(error), remedy="mend POP_STREAM_GSTV_URL")
    if (why := await _why_not(endpoint)) is None:
        return well("gstv", f"{endpoint.origin} takes connections (nothing was sent)")
    return fail(
        "gstv",
        f"{endpoint.origin} cannot be reached: {why}",
        remedy="check POP_STREAM_GSTV_URL, the firewall, and POP_STREAM_GSTV_SSL_CAFILE for TLS",
    )


async def _why_not(endpoint: Endpoint) -> str | None:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(
                endpoint.host, endpoint.port, ssl=endpoint.ssl_context
            )
    except TimeoutError:
        return f"no answer in {CONNECT_SECONDS:g} s"
    except ssl.SSLCertVerificationError as error:
        return f"its certificate is not accepted: {error.verify_message}"
    except ssl.SSLError as error:
        return f"no TLS: {error.reason}"
    except OSError as error:
        return error.strerror or str(error)
    writer.transport.abort()
    return None
