"""What GSTV answers."""

from typing import Final

from grafana.alerts import Alert
from grafana.board import Row
from grafana.figures import ATTEMPTS, CIRCUIT_BY_WORKER, CIRCUIT_WORDS
from grafana.panels import Graph, Query, Timeline
from grafana.selectors import quantiles, rate, workers, worst

_DURATION: Final = "pop_stream_delivery_attempt_duration_seconds"
_TIMEOUT: Final = f"max({workers('pop_stream_http_timeout_seconds')})"
#: Whose the outcomes of attempts are.
_WHOSE: Final = {
    "delivered": "delivered",
    "GSTV fails": "server_error|timeout|reset|bad_response",
    "GSTV refuses the event": "client_error",
    "wrongly set up": "auth|redirect|tls_error",
    "not reached": "connect_error",
    "GSTV asks for fewer": "throttled",
    "ours": "exhausted|closed",
}


def _share(outcomes: str) -> str:
    chosen = f'outcome=~"{outcomes}"'
    return f"{rate(ATTEMPTS, chosen)} / {rate(ATTEMPTS)}"


ANSWERS: Final = Row(
    100,
    "What does GSTV answer?",
    (
        Timeline(
            id=101, title="Does GSTV take events?", unit="short", height=6,
            text="The breaker of each worker. All held: GSTV or the way to it is down; one alone: "
            "look at that worker's network. Held needs nobody, unless the reason is misconfigured.",
            queries=(Query(worst(CIRCUIT_BY_WORKER), "{{instance}}"),), words=CIRCUIT_WORDS,
            alerts=(Alert.PARTNER_UNAVAILABLE,),
        ),
        Graph(
            id=102, title="Attempts that did not count", unit="eps", height=6,
            text="Events that kept their place, by reason. Misconfigured needs a person: the URL, "
            "the credentials or a certificate is wrong. The others pass by themselves.",
            queries=(Query(rate("pop_stream_attempts_held_total", by="reason"), "{{reason}}"),),
            alerts=(Alert.AUTH_REJECTED,),
        ),
        Graph(
            id=103, title="Whose are the outcomes?", unit="percentunit", stacked=True, most=1,
            text="All attempts, shared out. GSTV fails or is not reached: tell GSTV. It refuses "
            "some events: look at them. Wrongly set up, or ours: mend it here.",
            queries=tuple(Query(_share(outcomes), whose) for whose, outcomes in _WHOSE.items()),
            alerts=(Alert.PARTNER_UNAVAILABLE, Alert.AUTH_REJECTED),
        ),
        Graph(
            id=104, title="Attempts that failed", unit="eps", stacked=True,
            text="By what came of them. connect_error and tls_error never reached GSTV; exhausted "
            "means that this machine has no file descriptor or local port left.",
            queries=(Query(rate(ATTEMPTS, 'outcome!="delivered"', "outcome"), "{{outcome}}"),),
            alerts=(Alert.PARTNER_UNAVAILABLE,),
        ),
        Graph(
            id=105, title="Answers by status", unit="eps",
            text="The HTTP statuses that came most often. 409 means that GSTV has the event "
            "already; 404 or 410 on everything is a wrong address, not bad events.",
            queries=(
                Query(
                    worst(rate("pop_stream_partner_responses_total", by="code")),
                    "{{code}}",
                ),
            ),
            alerts=(Alert.AUTH_REJECTED,),
        ),
        Graph(
            id=106, title="How long attempts take", unit="s",
            text="From the start of an attempt to its end, beside the longest that it may take. "
            "Successes near the limit: GSTV is slow, and fewer attempts are made at once.",
            queries=(
                *quantiles(_DURATION, 0.5, 0.99, more='outcome="ok"', name="delivered"),
                *quantiles(_DURATION, 0.99, more='outcome="error"', name="failed"),
                Query(_TIMEOUT, "the longest"),
            ),
            alerts=(Alert.DELIVERY_SLOW,),
        ),
    ),
)  # fmt: skip
