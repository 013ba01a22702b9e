"""What is looked at before the worker joins its group: better not to start than to start half."""

import logging
from collections.abc import Callable

from pop_stream import __version__
from pop_stream.errors import SettingsError, TopicsMissingError
from pop_stream.kafka.topic_findings import Severity
from pop_stream.kafka.topics import check
from pop_stream.settings import Settings
from pop_stream.watch.metrics import MetricsServer, Tally
from pop_stream.watch.status import Status

log = logging.getLogger(__name__)


def serve_metrics(settings: Settings, tally: Tally, look: Callable[[], Status]) -> MetricsServer:
    """Serve the metrics and the worker's status. Raises SettingsError when the port is taken."""
    host, port = settings.metrics_host, settings.metrics_port
    try:
        server = MetricsServer(tally, version=__version__, host=host, port=port, look=look)
    except OSError as error:
        problem = (
            f"POP_STREAM_METRICS_PORT: cannot listen on {host}:{port} ({error.strerror}); "
            "choose another port, or 0 for any free one"
        )
        raise SettingsError([problem]) from error
    log.info("metrics.listening", extra={"host": host, "port": server.port})
    return server


async def require_topics(settings: Settings) -> None:
    """Raise TopicsMissingError for what would lose events; log what might.

    Raises KafkaUnreachableError when no broker answers.
    """
    used = {settings.events_topic, settings.retry_topic, settings.failure_topic,
            settings.notification_topic, settings.settled_topic}  # fmt: skip
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
