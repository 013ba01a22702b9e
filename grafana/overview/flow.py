"""Since when it is so, and whether it gets better."""

from typing import Final

from grafana.alerts import FIRING, OLD_SECONDS, TOO_OLD_SECONDS, Alert
from grafana.board import Row
from grafana.figures import AGE, COMPLETED, LAG, PRODUCED_RATE
from grafana.links import DELIVERY, KAFKA
from grafana.panels import GREEN, RED, YELLOW, Column, Graph, Query, Table
from grafana.selectors import OWED, rate, topics

FLOW: Final = Row(
    300,
    "Since when, and is it getting better?",
    (
        Graph(
            id=301, title="In and out", unit="eps", least=None,
            text="Produced by players, taken by workers, and come to an end. Out below in: the "
            "backlog grows. Failed and quarantined should lie at 0.",
            queries=(
                Query(f"sum({PRODUCED_RATE})", "produced"),
                Query(rate("pop_stream_events_received_total", 'stage="forward"'), "taken"),
                Query(rate(COMPLETED, by="result"), "{{result}}"),
            ),
            leads_to=(DELIVERY, KAFKA), alerts=(Alert.NO_TRAFFIC,),
        ),
        Table(
            id=302, title="Firing alerts", unit="short",
            text="The alerts of pop-stream that fire now. Click on a name for its runbook: what it "
            "means, the first five minutes, how to see that it is over.",
            queries=(Query(FIRING),),
            columns=(
                Column(of="severity"), Column(of="alertname"), Column(of="topic"),
                Column(of="instance"),
            ),
            sorted_by="severity", descending=False, runbooks="alertname",
            nothing="None is firing.",
        ),
        Graph(
            id=303, title="Age of the oldest undelivered", unit="s",
            text="By topic, with the limits of the warning and of the page. A straight rise: "
            "nothing is delivered; a fall: it drains.",
            queries=(Query(topics(AGE, OWED), "{{topic}}"),),
            steps=((None, GREEN), (OLD_SECONDS, YELLOW), (TOO_OLD_SECONDS, RED)),
            leads_to=(KAFKA,), alerts=(Alert.OLDEST_TOO_OLD,),
        ),
        Graph(
            id=304, title="Owed events by topic", unit="short",
            text="Events that are not committed. Many on the retry topic: GSTV fails some events; "
            "many on the first: GSTV is down or slow, or workers are missing.",
            queries=(Query(f"sum by (topic) ({LAG})", "{{topic}}"),),
            leads_to=(KAFKA,), alerts=(Alert.FALLING_BEHIND,),
        ),
    ),
)  # fmt: skip
