"""How the group, Kafka and the watch are."""

from typing import Final

from grafana.alerts import BLIND_SECONDS, Alert
from grafana.board import Row
from grafana.figures import GROUP, GROUP_WORDS
from grafana.panels import GREEN, RED, Graph, Query, Stat, Timeline
from grafana.selectors import TOPIC, increase, quantiles, workers

_SEEN: Final = "time() - max(pop_stream_backlog_probe_last_success_timestamp_seconds)"
_LOOKS: Final = (
    "sum by (reason) (increase(pop_stream_backlog_probe_errors_total[$__rate_interval]))"
)

GROUP_ROW: Final = Row(
    200,
    "How are the group, Kafka and the watch?",
    (
        Timeline(
            id=201, title="The group", unit="short", width=12, height=4,
            text="The state of the consumer group as Kafka tells it. Yellow for minutes, or again "
            "and again: workers come and go; see below which, and their logs for why.",
            queries=(Query(GROUP, "group"),), words=GROUP_WORDS,
            alerts=(Alert.REBALANCE_STORM, Alert.NO_WORKERS),
        ),
        Stat(
            id=202, title="Topics missing", width=6, height=4, unit="short", decimals=0,
            text="Topics of the workers that Kafka does not have. Somebody deleted one: "
            "pop-stream topics ensure makes it again, and what was in it is lost.",
            queries=(Query(f"max({workers('pop_stream_missing_topics')})"),),
            steps=((None, GREEN), (1, RED)), nothing="no worker",
        ),
        Stat(
            id=203, title="Strangers in the group", width=6, height=4, unit="short", decimals=0,
            text="Members that are no workers: they take partitions and deliver nothing. Find out "
            "who uses the group's name, and stop them.",
            queries=(Query(f"max({workers('pop_stream_group_strangers')})"),),
            steps=((None, GREEN), (1, RED)), nothing="no worker",
        ),
        Graph(
            id=204, title="Members, and partitions that they have", unit="short", width=8,
            text="Partitions that no worker has are not worked on. Fewer members than workers: "
            "some run without being in the group.",
            queries=(
                Query("max(pop_stream_group_members)", "members"),
                Query(
                    f"sum by (topic) ({workers('pop_stream_assigned_partitions', TOPIC)})",
                    "partitions of {{topic}}",
                ),
            ),
            alerts=(Alert.NO_WORKERS,),
        ),
        Graph(
            id=205, title="Rebalances", unit="short", width=8,
            text="Times that a worker got its partitions anew. A few with each deployment; many "
            "without one: workers end or lose Kafka again and again.",
            queries=(Query(increase("pop_stream_rebalances_total"), "rebalances"),),
            alerts=(Alert.REBALANCE_STORM,),
        ),
        Graph(
            id=206, title="How long rebalances take", unit="s", width=8,
            text="From giving up the old partitions to having the new ones; nothing is delivered "
            "from them meanwhile. Long: a worker does not let go, or Kafka is slow.",
            queries=quantiles("pop_stream_rebalance_duration_seconds", 0.5, 0.99),
            alerts=(Alert.REBALANCE_STORM,),
        ),
        Graph(
            id=207, title="Commits", unit="short", width=6,
            text="By result. Refused now and then, in a rebalance: nothing is lost, some events "
            "are sent again. Refused all the time: the worker is not in the group. Receipts that "
            "failed hold the commits back until they are written.",
            queries=(
                Query(increase("pop_stream_commits_total", by="result"), "{{result}}"),
                Query(
                    increase("pop_stream_delivery_receipts_total", by="result"),
                    "receipts {{result}}",
                ),
            ),
            alerts=(Alert.CONSUMER_STALLED,),
        ),
        Graph(
            id=208, title="How long commits take", unit="s", width=6,
            text="A measure of Kafka's health that needs no access to it. Seconds: the brokers "
            "are overloaded, or far away.",
            queries=quantiles("pop_stream_commit_duration_seconds", 0.5, 0.99),
        ),
        Graph(
            id=209, title="Looks of the watch", unit="s", width=6,
            text="How long ago pop-stream watch saw Kafka, and how long a look takes. Above the "
            "line: what is shown of topics is too old to rely on.",
            queries=(
                Query(_SEEN, "last seen"),
                Query("max(pop_stream_backlog_probe_duration_seconds)", "a look takes"),
            ),
            steps=((None, GREEN), (BLIND_SECONDS, RED)), alerts=(Alert.PROBE_BLIND,),
        ),
        Graph(
            id=210, title="Looks that failed", unit="short", width=6,
            text="Unreachable: the brokers do not answer; refused: the watch may not read; "
            "missing: a topic is not there.",
            queries=(Query(_LOOKS, "{{reason}}"),), alerts=(Alert.PROBE_BLIND,),
        ),
    ),
)  # fmt: skip
