"""What retries do for what failed."""

from typing import Final

from grafana.alerts import Alert
from grafana.board import Row
from grafana.figures import ATTEMPTS
from grafana.links import KAFKA
from grafana.panels import PLAIN, Graph, Query, Stat
from grafana.selectors import age, increase, workers

_DELIVERED: Final = 'outcome="delivered"'
_OVERDUE: Final = age(workers("pop_stream_retry_oldest_due_timestamp_seconds"))

RETRIES: Final = Row(
    300,
    "Do retries help?",
    (
        Stat(
            id=301, title="Delivered by which attempt", unit="short", width=8, decimals=0,
            text="Events in the time shown, by the number of the attempt that delivered them. "
            "Many at the later ones: GSTV fails in passing, and retries save what it fails.",
            queries=(
                Query(
                    increase(ATTEMPTS, _DELIVERED, by="attempt", over="$__range"),
                    "attempt {{attempt}}",
                ),
            ),
            steps=((None, PLAIN),), nothing="no worker",
        ),
        Graph(
            id=302, title="Handed to the retry topic", unit="short", width=8,
            text="Events, by reason. Transient: GSTV failed; rejected: it does not want the event "
            "as it is, and will hardly want it later.",
            queries=(
                Query(increase("pop_stream_retries_scheduled_total", by="reason"), "{{reason}}"),
            ),
        ),
        Graph(
            id=303, title="The most overdue retry", unit="s", width=8,
            text="How long ago it was due. It grows while GSTV is held, or when the retry stage "
            "has no worker: see who has the partitions of the retry topic.",
            queries=(Query(f"max({_OVERDUE})", "overdue"),), leads_to=(KAFKA,),
            alerts=(Alert.FALLING_BEHIND,),
        ),
    ),
)  # fmt: skip
