"""Which topic it is, and which partition."""

from typing import Final

from grafana.alerts import Alert
from grafana.board import Row
from grafana.figures import LAG_STATUS, LAG_STATUS_WORDS
from grafana.links import DELIVERY, KAFKA
from grafana.panels import (
    GREEN,
    PLAIN,
    RED,
    Column,
    Graph,
    Query,
    Table,
    Timeline,
    word_for,
    word_from,
)
from grafana.selectors import TOPIC, partitions, topics, workers, worst

_PROGRESS: Final = workers("pop_stream_partition_last_progress_timestamp_seconds", TOPIC)
_COMMITTED: Final = topics("pop_stream_committed_offset")
_LOST: Final = f"increase({topics('pop_stream_events_lost_to_retention_total')}[$__range])"
_LEGEND: Final = "{{topic}}/{{partition}}"


def _each(metric: str) -> Query:
    return Query(partitions(topics(metric)))


def _of_topic(metric: str, worst_is: str, times: str = "") -> Query:
    return Query(f"{worst_is} by (topic) ({topics(metric)}){times}")


PARTITIONS: Final = Row(
    100,
    "Which topic, which partition?",
    (
        Table(
            id=101, title="Topics", unit="short", width=24, height=5,
            text="What is owed on each topic, when the oldest of it was produced, and when Kafka "
            "may delete it. Kept until soon: raise retention.ms of that topic.",
            queries=(
                Query(f"sum by (topic) ({partitions(topics('pop_stream_topic_lag_events'))})"),
                # Grafana writes dates of milliseconds.
                _of_topic(
                    "pop_stream_oldest_undelivered_timestamp_seconds", "min", " * 1000"
                ),
                _of_topic(
                    "pop_stream_retention_deadline_timestamp_seconds", "min", " * 1000"
                ),
                _of_topic("pop_stream_topic_retention_seconds", "min"),
                Query(f"max by (topic) ({_LOST})"),
            ),
            columns=(
                Column(of="topic"),
                Column(of="A", title="Owed", unit="short"),
                Column(of="B", title="Oldest produced", unit="dateTimeAsIso",
                       words=(word_for(0, "none", GREEN),), steps=((None, PLAIN),)),
                Column(of="C", title="Kept until", unit="dateTimeAsIso",
                       words=(word_from(1e15, "not at risk", GREEN),), steps=((None, PLAIN),)),
                Column(of="D", title="Retention", unit="s",
                       words=(word_from(1e12, "for ever", GREEN),), steps=((None, PLAIN),)),
                Column(of="E", title="Deleted undelivered", unit="short",
                       steps=((None, GREEN), (0.5, RED))),
            ),
            sorted_by="Owed", chooses="topic", leads_to=(KAFKA, DELIVERY),
            alerts=(Alert.RETENTION_DEADLINE, Alert.LOST_TO_RETENTION), nothing="not watched",
        ),
        Table(
            id=102, title="Partitions", unit="short", width=24, height=10,
            text="The most owed first. Stalled, or without progress for minutes while events are "
            "owed: start its owner anew. Two owners: a rebalance is under way.",
            queries=(
                _each("pop_stream_topic_lag_events"),
                _each(LAG_STATUS),
                _each("pop_stream_low_offset"),
                _each("pop_stream_committed_offset"),
                _each("pop_stream_end_offset"),
                Query(f"time() - max by (topic, partition, instance) ({_PROGRESS})"),
            ),
            columns=(
                Column(of="topic"), Column(of="partition"),
                Column(of="A", title="Owed", unit="short"),
                Column(of="B", title="Status", unit="short", words=LAG_STATUS_WORDS),
                Column(of="C", title="First offset", unit="none"),
                Column(of="D", title="Committed", unit="none"),
                Column(of="E", title="End", unit="none"),
                Column(of="F", title="Last progress", unit="s"),
                Column(of="instance", title="Owner"),
            ),
            sorted_by="Owed", alerts=(Alert.CONSUMER_STALLED, Alert.FALLING_BEHIND),
            nothing="not watched",
        ),
        Timeline(
            id=103, title="Status of the worst partitions", unit="short",
            text="Falling behind: more comes than goes, add workers up to the number of "
            "partitions. Stalled: the commit does not move, start the owner anew.",
            queries=(Query(worst(partitions(topics(LAG_STATUS))), _LEGEND),),
            words=LAG_STATUS_WORDS, alerts=(Alert.CONSUMER_STALLED, Alert.FALLING_BEHIND),
        ),
        Graph(
            id=104, title="Owed, by the worst partitions", unit="short",
            text="One alone far above the others: that partition or its owner is stuck, or one "
            "site produces much. All alike: it is GSTV, or too few workers.",
            queries=(
                Query(worst(partitions(topics("pop_stream_topic_lag_events"))), _LEGEND),
            ),
            alerts=(Alert.CONSUMER_STALLED,),
        ),
        Graph(
            id=105, title="Committed, by the fastest partitions", unit="eps", least=None,
            text="How fast commits go forward. One far above the others: keys are spread "
            "unevenly, and more workers will not help. Below 0: offsets were set back.",
            queries=(Query(worst(partitions(f"deriv({_COMMITTED}[5m])")), _LEGEND),),
        ),
        Graph(
            id=106, title="Longest without progress", unit="s",
            text="How long ago a partition's commit moved, or nothing was left to commit. A "
            "straight rise of one: it is stuck at one event; of all: GSTV is held.",
            queries=(
                Query(
                    worst(f"time() - max by (topic, partition) ({_PROGRESS})"), _LEGEND
                ),
            ),
            leads_to=(DELIVERY,), alerts=(Alert.CONSUMER_STALLED,),
        ),
    ),
)  # fmt: skip
