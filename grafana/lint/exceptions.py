"""What is not as the rules say, and why. One that nothing needs is an error itself."""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Exempt(NamedTuple):
    """A rule, and the one thing for which it does not hold."""

    rule: str
    about: str


_JOB: Final = "target-job-rule"
_INSTANCE: Final = "target-instance-rule"

_WATCHED: Final = "pop-stream watch serves it; $job and $instance choose workers"
_FROM_OUTSIDE: Final = "recorded from what pop-stream watch serves, without its job and instance"
_OF_ALL: Final = "recorded of all workers of a job together"

_BY_WATCH: Final = (
    "pop_stream_oldest_undelivered_timestamp_seconds",
    "pop_stream_retention_deadline_timestamp_seconds",
    "pop_stream_topic_retention_seconds",
    "pop_stream_topic_lag_events",
    "pop_stream_committed_offset",
    "pop_stream_end_offset",
    "pop_stream_low_offset",
    "pop_stream_events_lost_to_retention_total",
    "pop_stream_failed_events_retained",
    "pop_stream_group_members",
    "pop_stream_group_state",
    "pop_stream_backlog_probe_last_success_timestamp_seconds",
    "pop_stream_backlog_probe_duration_seconds",
    "pop_stream_backlog_probe_errors_total",
    "pop_stream_watch_build_info",
)
_BY_TOPIC: Final = (
    "topic:pop_stream_oldest_undelivered_age_seconds:max",
    "topic:pop_stream_retention_headroom_seconds:min",
    "topic_partition:pop_stream_lag_status:code",
)
_BY_JOB: Final = (
    *(
        f"job:pop_stream_delivery_errors:ratio_rate{window}"
        for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
    ),
    "job:pop_stream_delivery_slow:ratio_rate1h",
)

EXCEPTIONS: Final[Mapping[Exempt, str]] = {
    **{Exempt(rule, metric): _WATCHED for rule in (_JOB, _INSTANCE) for metric in _BY_WATCH},
    **{Exempt(rule, metric): _FROM_OUTSIDE for rule in (_JOB, _INSTANCE) for metric in _BY_TOPIC},
    **{Exempt(_INSTANCE, metric): _OF_ALL for metric in _BY_JOB},
    Exempt(_JOB, "ALERTS"): "an alert has the labels of its rule, which mostly has no job",
    Exempt(_INSTANCE, "ALERTS"): "likewise: most alerts are of no one worker",
}

#: Metrics that no panel shows.
NOT_CHARTED: Final[Mapping[str, str]] = {}
