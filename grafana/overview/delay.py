"""How late is what is delivered."""

from typing import Final

from grafana.alerts import FRESH_SECONDS, SLOW_SHARE, Alert
from grafana.board import Row
from grafana.links import DELIVERY
from grafana.panels import GREEN, RED, Graph, Heatmap, Query
from grafana.selectors import increase, quantiles

_DELAY: Final = "pop_stream_delivery_delay_seconds"
_SLOW: Final = 'max(job:pop_stream_delivery_slow:ratio_rate1h{job=~"$job"})'

DELAY: Final = Row(
    400,
    "How late is what is delivered?",
    (
        Heatmap(
            id=401, title="From Kafka to GSTV", unit="s",
            text="How long delivered events took from the player's record to GSTV's success, "
            "downtime included. A band far up: a backlog drains, or events come back from parking.",
            queries=(Query(increase(f"{_DELAY}_bucket", by="le"), "{{le}}"),),
        ),
        Graph(
            id=402, title="Delay that half, 95 % and 99 % stay below", unit="s",
            text="Of events as they are delivered; the line is what 99 % are promised. What is "
            "not delivered yet is not in it: see the age of the oldest.",
            queries=quantiles(_DELAY, 0.5, 0.95, 0.99),
            steps=((None, GREEN), (FRESH_SECONDS, RED)),
            leads_to=(DELIVERY,), alerts=(Alert.DELIVERY_SLOW,),
        ),
        Graph(
            id=403, title="Slow events, last hour", unit="percentunit",
            text="The share of delivered events that took longer than promised; 1 % may, the line "
            "is where it is told of. High while a backlog drains; else GSTV is slow.",
            queries=(Query(_SLOW, "slow"),),
            steps=((None, GREEN), (SLOW_SHARE, RED)),
            leads_to=(DELIVERY,), alerts=(Alert.DELIVERY_SLOW,),
        ),
        Graph(
            id=404, title="How late players are", unit="s",
            text="From the moment in an event's pop-id to its record in Kafka: time that players "
            "held it. Not our delay: nothing to do here but to tell the players' side.",
            queries=quantiles("pop_stream_ingest_delay_seconds", 0.5, 0.99),
        ),
    ),
)  # fmt: skip
