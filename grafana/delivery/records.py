"""What players send."""

from typing import Final

from grafana.alerts import Alert
from grafana.board import Row
from grafana.panels import Graph, Query
from grafana.selectors import increase, rate

RECORDS: Final = Row(
    500,
    "What do players send?",
    (
        Graph(
            id=501, title="Taken, by stage", unit="eps", width=8,
            text="Events taken from the three topics. Much on retry or failure beside little on "
            "forward: old trouble is being worked off.",
            queries=(Query(rate("pop_stream_events_received_total", by="stage"), "{{stage}}"),),
        ),
        Graph(
            id=502, title="What cannot be posted", unit="short", width=8,
            text="Events quarantined, by what is wrong with them. Each has its original bytes on "
            "the failure topic: show them to the players' side.",
            queries=(Query(increase("pop_stream_decode_errors_total", by="reason"), "{{reason}}"),),
            alerts=(Alert.POISON,),
        ),
        Graph(
            id=503, title="Odd, but forwarded", unit="short", width=8,
            text="By what is odd; GSTV got them as they were. Many of one kind after a release of "
            "the players: tell the players' side.",
            queries=(Query(increase("pop_stream_events_flagged_total", by="flag"), "{{flag}}"),),
        ),
    ),
)  # fmt: skip
