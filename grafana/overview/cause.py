"""Whether it is the players, GSTV, Kafka or us."""

from typing import Final

from grafana.alerts import BLIND_SECONDS, BUDGET, BURNS, FAILING_SHARE, REFUSED_SHARE, Alert
from grafana.board import Row
from grafana.figures import (
    ATTEMPTS,
    CIRCUIT,
    CIRCUIT_WORDS,
    ERRORS,
    GROUP,
    GROUP_WORDS,
    LAG_STATUS,
    PRODUCED_RATE,
)
from grafana.links import DELIVERY, KAFKA
from grafana.panels import GREEN, PLAIN, RED, YELLOW, Query, Stat, word_for_nan, word_from
from grafana.selectors import WORKER, rate, topics, workers

_FAILING: Final = rate(ATTEMPTS, 'outcome!="delivered"')
_SEEN: Final = "pop_stream_backlog_probe_last_success_timestamp_seconds"
#: `up` of the targets that were workers in the last day: it is 0 of one that does not answer.
_UP: Final = (
    f"up{{{WORKER}}} and on (job, instance) last_over_time({workers('pop_stream_build_info')}[1d])"
)

CAUSE: Final = Row(
    200,
    "Is it the players, GSTV, Kafka or us?",
    (
        Stat(
            id=201, title="Players: produce", width=3, height=4, unit="eps", least=None,
            text="New records a second on the topic of events. 0 at an hour when players play: it "
            "is upstream of us; ask the players' side.",
            queries=(Query(f"sum({PRODUCED_RATE})"),),
            steps=((None, PLAIN),), alerts=(Alert.NO_TRAFFIC,), nothing="not watched",
        ),
        Stat(
            id=202, title="GSTV: takes events", width=3, height=4, unit="short",
            text="The way to GSTV as the worst worker sees it. Held: nothing is attempted but one "
            "probe at a time, nothing is lost; the log says why at delivery.held.",
            queries=(Query(CIRCUIT),), words=CIRCUIT_WORDS,
            leads_to=(DELIVERY,), alerts=(Alert.PARTNER_UNAVAILABLE,), nothing="no worker",
        ),
        Stat(
            id=203, title="GSTV: failing attempts", width=3, height=4, unit="percentunit",
            text="The share of attempts that did not deliver, for whatever reason. High: see on "
            "the delivery dashboard what GSTV answers, and whether it is all events or some.",
            queries=(Query(f"{_FAILING} / {rate(ATTEMPTS)}"),),
            steps=((None, GREEN), (FAILING_SHARE, YELLOW), (REFUSED_SHARE, RED)),
            words=(word_for_nan("no attempts"),), leads_to=(DELIVERY,), nothing="no worker",
            alerts=(Alert.PARTNER_UNAVAILABLE, Alert.AUTH_REJECTED),
        ),
        Stat(
            id=204, title="GSTV: delivered, 1 h", width=3, height=4, unit="percentunit",
            text="Of the events that came to an end in the last hour, the share that GSTV has; "
            "quarantined ones aside. 99.9 % is promised; red: a month's budget lasts two days.",
            queries=(Query(f'1 - max({ERRORS}1h{{job=~"$job"}})'),),
            steps=((None, RED), (1 - BURNS[0] * BUDGET, YELLOW), (1 - BUDGET, GREEN)),
            words=(word_for_nan("no events"),),
            leads_to=(DELIVERY,), alerts=(Alert.BUDGET_BURN,), nothing="no worker",
        ),
        Stat(
            id=205, title="Kafka: last seen", width=3, height=4, unit="s",
            text="How long ago pop-stream watch saw Kafka. Red: Kafka does not answer, or the "
            "watch is dead, and what is said above of topics is as old as this.",
            queries=(Query(f"time() - max(last_over_time({_SEEN}[1d]))"),),
            steps=((None, GREEN), (BLIND_SECONDS, RED)),
            words=(word_from(1e9, "never", RED),),
            leads_to=(KAFKA,), alerts=(Alert.PROBE_BLIND,), nothing="not watched",
        ),
        Stat(
            id=206, title="Kafka: the group", width=3, height=4, unit="short",
            text="The state of the workers' consumer group. Rebalancing for minutes: workers come "
            "and go, see why they end. Empty: no worker is connected to Kafka.",
            queries=(Query(GROUP),), words=GROUP_WORDS,
            leads_to=(KAFKA,), alerts=(Alert.REBALANCE_STORM,), nothing="not watched",
        ),
        Stat(
            id=207, title="Us: workers up", width=3, height=4, unit="short", decimals=0,
            text="Workers that answer Prometheus, of those that were there in the last day. 0: "
            "nothing is delivered at all; start workers, then see in their log why they ended.",
            queries=(Query(f"sum({_UP})"),),
            steps=((None, RED), (1, GREEN)),
            leads_to=(KAFKA,), alerts=(Alert.NO_WORKERS, Alert.TARGET_DOWN), nothing="none",
        ),
        Stat(
            id=208, title="Us: partitions stalled", width=3, height=4, unit="short", decimals=0,
            text="Partitions with events to deliver whose commit does not move. Red: see which "
            "ones and who owns them, and start that worker anew.",
            queries=(Query(f"sum({topics(LAG_STATUS)} == bool 2)"),),
            steps=((None, GREEN), (1, RED)),
            leads_to=(KAFKA,), alerts=(Alert.CONSUMER_STALLED,), nothing="not watched",
        ),
    ),
)  # fmt: skip
