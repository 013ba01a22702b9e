"""The parts of PromQL that panels share.

`$job` and `$instance` are the workers'. What `pop-stream watch` shows is served by another job, and
is chosen by topic only.
"""

from typing import Final

from grafana.panels import Query

WORKER: Final = 'job=~"$job", instance=~"$instance"'
TOPIC: Final = 'topic=~"$topic"'
#: Topics from which attempts are made: all but the failure topic, by the ending of its name.
OWED: Final = f'{TOPIC}, topic!~".*-failure"'
#: The failure topic alone, whichever topic is chosen: what is parked is parked there.
PARKED: Final = 'topic=~".*-failure"'
#: The topic that players write to.
PRODUCED: Final = f'{TOPIC}, topic!~".*-(retry|failure)"'
#: How many series of many a graph shows.
MOST: Final = 10


def workers(metric: str, more: str = "") -> str:
    """A metric of the chosen workers; `more` are further matchers."""
    return f"{metric}{{{WORKER}{f', {more}' if more else ''}}}"


def topics(metric: str, which: str = TOPIC) -> str:
    """A metric that has a topic, of the chosen topics."""
    return f"{metric}{{{which}}}"


def rate(metric: str, more: str = "", by: str = "") -> str:
    """How often a second, all workers together."""
    return _summed(f"rate({workers(metric, more)}[$__rate_interval])", by)


def increase(metric: str, more: str = "", by: str = "", over: str = "$__rate_interval") -> str:
    """How often in a span of time, all workers together."""
    return _summed(f"increase({workers(metric, more)}[{over}])", by)


def quantile(share: float, metric: str, more: str = "", by: str = "le") -> str:
    """The value below which this share of a histogram's observations is, over all workers."""
    buckets = f"rate({workers(f'{metric}_bucket', more)}[$__rate_interval])"
    return f"histogram_quantile({share}, sum by ({by}) ({buckets}))"


def quantiles(metric: str, *shares: float, more: str = "", name: str = "") -> tuple[Query, ...]:
    """Several of them, each called by its number."""
    return tuple(
        Query(quantile(share, metric, more), f"{name} p{share * 100:g}".strip()) for share in shares
    )


def partitions(expression: str) -> str:
    """Each partition once, however many watches show it."""
    return f"max by (topic, partition) ({expression})"


def worst(expression: str, most: int = MOST) -> str:
    """The series with the greatest values only: a graph of hundreds tells nothing."""
    return f"topk({most}, {expression})"


def at_workers(expression: str) -> str:
    """Of a metric that every Prometheus target may have, what the workers have."""
    return f"{expression} and on (job, instance) {workers('pop_stream_build_info')}"


def age(timestamp: str) -> str:
    """How many seconds ago; 0 where the timestamp is 0, which stands for "none"."""
    return f"(time() - {timestamp}) * ({timestamp} > bool 0)"


def _summed(expression: str, by: str) -> str:
    return f"sum by ({by}) ({expression})" if by else f"sum({expression})"
