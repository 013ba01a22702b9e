"""Whether we are losing proof of play, and by when."""

from typing import Final

from grafana.alerts import HEADROOM_SECONDS, OLD_SECONDS, TOO_OLD_SECONDS, Alert
from grafana.board import Row
from grafana.figures import AGE, HEADROOM, LAG
from grafana.links import DELIVERY, KAFKA
from grafana.panels import GREEN, PLAIN, RED, YELLOW, Query, Stat, word_from
from grafana.selectors import OWED, partitions, topics

#: While no event waits for longer than this, there is nothing to drain: what lags is under way.
_BACKLOG_SECONDS: Final = 60
_MONTH_SECONDS: Final = 30 * 86_400

_OLDEST: Final = f"max({topics(AGE, OWED)})"
_SLOPE: Final = partitions(f"deriv({topics('pop_stream_topic_lag_events', OWED)}[10m])")
_DRAINED_IN: Final = (
    f"sum({LAG}) / clamp_min(-sum({_SLOPE}), 0.001) * ({_OLDEST} > bool {_BACKLOG_SECONDS})"
)
_LOST: Final = f"increase({topics('pop_stream_events_lost_to_retention_total')}[$__range])"

LOSS: Final = Row(
    100,
    "Are we losing proof of play, and by when?",
    (
        Stat(
            id=101, title="Oldest undelivered", width=4, height=4, unit="s",
            text="The age of the oldest event that GSTV does not have yet, parked ones aside. "
            "Yellow and red as the alerts: find out below whose it is, then see whether it drains.",
            queries=(Query(_OLDEST),),
            steps=((None, GREEN), (OLD_SECONDS, YELLOW), (TOO_OLD_SECONDS, RED)),
            leads_to=(KAFKA, DELIVERY), alerts=(Alert.OLDEST_TOO_OLD,), nothing="not watched",
        ),
        Stat(
            id=102, title="Until Kafka deletes", width=4, height=4, unit="s", least=None,
            text="How long until Kafka may delete the oldest record that is still owed, on any "
            "topic. Red: raise retention.ms of the topic first, then mend the cause.",
            queries=(Query(f"min({topics(HEADROOM)})"),),
            steps=((None, RED), (HEADROOM_SECONDS, GREEN)),
            words=(word_from(1e12, "nothing at risk", GREEN),),
            leads_to=(KAFKA,), alerts=(Alert.RETENTION_DEADLINE,), nothing="not watched",
        ),
        Stat(
            id=103, title="Deleted undelivered", width=4, height=4, unit="short", decimals=0,
            text="Records that Kafka deleted in the time shown before they were delivered. Any is "
            "a loss: tell the owner of the data which ones; only the players can send them again.",
            queries=(Query(f"sum(max by (topic) ({_LOST}))"),),
            steps=((None, GREEN), (0.5, RED)),
            leads_to=(DELIVERY,), alerts=(Alert.LOST_TO_RETENTION,), nothing="not watched",
        ),
        Stat(
            id=104, title="Owed events", width=4, height=4, unit="short", decimals=0,
            text="Events on the topics that are not committed, those under way included. No "
            "colour: ten thousand are nothing after an outage; their age says whether it matters.",
            queries=(Query(f"sum({LAG})"),),
            steps=((None, PLAIN),), leads_to=(KAFKA,), nothing="not watched",
        ),
        Stat(
            id=105, title="Drained in", width=4, height=4, unit="s",
            text="When the backlog will be gone if the last ten minutes go on; 0: there is none. "
            "Not shrinking: events come faster than they leave, or nothing leaves.",
            queries=(Query(_DRAINED_IN),),
            steps=((None, GREEN), (TOO_OLD_SECONDS, YELLOW)),
            words=(word_from(_MONTH_SECONDS, "not shrinking", RED),),
            leads_to=(KAFKA,), alerts=(Alert.FALLING_BEHIND,), nothing="not watched",
        ),
        Stat(
            id=106, title="Parked", width=4, height=4, unit="short", decimals=0,
            text="Events on the failure topic that were neither sent back nor settled. Those that "
            "failed for a passing reason go back by themselves; look at the others one by one.",
            queries=(Query("max(pop_stream_failed_events_retained)"),),
            steps=((None, GREEN), (1, YELLOW)),
            leads_to=(DELIVERY,), alerts=(Alert.AWAITING_REDRIVE,), nothing="not watched",
        ),
    ),
)  # fmt: skip
