"""What waits on the failure topic."""

from typing import Final

from grafana.alerts import HEADROOM_SECONDS, PARKED_SECONDS, Alert
from grafana.board import Row
from grafana.figures import AGE, HEADROOM
from grafana.links import KAFKA
from grafana.panels import GREEN, RED, YELLOW, Graph, Query, Stat, word_from
from grafana.selectors import PARKED, TOPIC, increase, topics

_NOTIFICATIONS: Final = "pop_stream_failure_notifications_total"

PARKED_ROW: Final = Row(
    400,
    "What waits on the failure topic?",
    (
        Stat(
            id=401, title="Parked", width=6, height=4, unit="short", decimals=0,
            text="Events that were neither sent back nor settled. Look at their reason; what was "
            "settled in another way is marked with pop-stream failures settle.",
            queries=(Query("max(pop_stream_failed_events_retained)"),),
            steps=((None, GREEN), (1, YELLOW)),
            alerts=(Alert.AWAITING_REDRIVE,), nothing="not watched",
        ),
        Stat(
            id=402, title="The oldest parked", width=6, height=4, unit="s",
            text="How old its event is, since the player produced it. Older than a day: it does "
            "not go by itself, somebody has to look.",
            queries=(Query(f"max({topics(AGE, PARKED)})"),),
            steps=((None, GREEN), (PARKED_SECONDS, RED)),
            alerts=(Alert.AWAITING_REDRIVE,), nothing="not watched",
        ),
        Stat(
            id=403, title="Kafka keeps it for", width=6, height=4, unit="s", least=None,
            text="How long until Kafka may delete the oldest parked event. Not for ever: raise "
            "retention.ms of the failure topic to -1.",
            queries=(Query(f"min({topics(HEADROOM, PARKED)})"),),
            steps=((None, RED), (HEADROOM_SECONDS, GREEN)),
            words=(word_from(1e12, "ever", GREEN),), leads_to=(KAFKA,),
            alerts=(Alert.RETENTION_DEADLINE,), nothing="not watched",
        ),
        Stat(
            id=404, title="Gone before delivery", width=6, height=4, unit="short", decimals=0,
            text="Records that workers found deleted in the time shown. Which ones stands on the "
            "failure topic, with reason gone; only the players can send them again.",
            queries=(
                Query(increase("pop_stream_gone_events_total", TOPIC, over="$__range")),
            ),
            steps=((None, GREEN), (0.5, RED)),
            alerts=(Alert.LOST_TO_RETENTION,), nothing="none",
        ),
        Graph(
            id=405, title="Parked events over time", unit="short", width=6,
            text="A rise that does not fall again: events that GSTV does not want. A fall: they "
            "were sent back, settled, or deleted by Kafka.",
            queries=(Query("max(pop_stream_failed_events_retained)", "parked"),),
            alerts=(Alert.AWAITING_REDRIVE,),
        ),
        Graph(
            id=406, title="Newly parked", unit="short", width=6,
            text="Events handed to the failure topic, by reason. Transient ones are sent back by "
            "themselves; rejected, quarantined and gone need a person.",
            queries=(Query(increase("pop_stream_failed_events_total", by="reason"), "{{reason}}"),),
            alerts=(Alert.FAILED_GROWING,),
        ),
        Graph(
            id=407, title="Sent back by themselves", unit="short", width=6,
            text="Parked events that went to the retry topic for one more attempt, after 1, 6 and "
            "24 hours and then daily. None while GSTV is held.",
            queries=(Query(increase("pop_stream_redriven_events_total"), "sent back"),),
            alerts=(Alert.AWAITING_REDRIVE,),
        ),
        Graph(
            id=408, title="Failure notifications", unit="short", width=6,
            text="By way and result; known: told of before its redrive. Errors: GSTV's side does "
            "not learn of failures; see whether Kafka or the URL refuses them.",
            queries=(
                Query(
                    increase(_NOTIFICATIONS, by="channel, result"), "{{channel}}: {{result}}"
                ),
            ),
            alerts=(Alert.NOTIFICATIONS_FAILING,),
        ),
    ),
)  # fmt: skip
