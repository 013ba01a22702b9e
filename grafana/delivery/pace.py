"""How fast we may go."""

from typing import Final

from grafana.alerts import SATURATED_SHARE, STUCK_TIMEOUTS, Alert
from grafana.board import Row
from grafana.links import KAFKA
from grafana.panels import GREEN, RED, Graph, Query
from grafana.selectors import age, workers

_IN_FLIGHT: Final = workers("pop_stream_in_flight_deliveries")
_LIMIT: Final = workers("pop_stream_in_flight_limit")
_OLDEST: Final = age(workers("pop_stream_oldest_in_flight_timestamp_seconds"))
_STUCK: Final = f"{STUCK_TIMEOUTS} * max({workers('pop_stream_http_timeout_seconds')})"
_PAUSED: Final = f"rate({workers('pop_stream_partner_throttled_seconds_total')}[$__rate_interval])"

PACE: Final = Row(
    200,
    "How fast may we go?",
    (
        Graph(
            id=201, title="Attempts under way, and allowed", unit="short", width=6,
            text="All workers together. The limit follows how GSTV bears it; it falls when "
            "attempts only wait there. Low for long: GSTV is slow, ask GSTV.",
            queries=(Query(f"sum({_IN_FLIGHT})", "under way"), Query(f"sum({_LIMIT})", "allowed")),
            alerts=(Alert.SATURATED,),
        ),
        Graph(
            id=202, title="How full that is", unit="percentunit", width=6,
            text="The share of the allowed attempts that the fullest worker has under way. Above "
            "the line for long, with a backlog: GSTV or the limit is what holds us.",
            queries=(Query(f"max({_IN_FLIGHT} / {_LIMIT})", "the fullest worker"),),
            steps=((None, GREEN), (SATURATED_SHARE, RED)), alerts=(Alert.SATURATED,),
        ),
        Graph(
            id=203, title="Paused because GSTV asked", unit="percentunit", width=6, most=1,
            text="The share of time in which nothing was attempted, after a 429 or a Retry-After. "
            "For long: agree on a rate with GSTV, and set POP_STREAM_GSTV_RATE_LIMIT.",
            queries=(
                Query(f"avg({_PAUSED})", "mean of the workers"),
                Query(f"max({_PAUSED})", "the most paused worker"),
            ),
            alerts=(Alert.PARTNER_THROTTLING,),
        ),
        Graph(
            id=204, title="The oldest attempt under way", unit="s", width=6,
            text="How long ago it began. Above the limit an attempt hangs although it should have "
            "been given up: start that worker anew, and keep its log.",
            queries=(
                Query(f"max({_OLDEST})", "oldest"),
                Query(_STUCK, f"{STUCK_TIMEOUTS} times the longest"),
            ),
            leads_to=(KAFKA,), alerts=(Alert.STUCK_IN_FLIGHT,),
        ),
    ),
)  # fmt: skip
