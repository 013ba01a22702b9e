"""How much may still fail this month."""

from typing import Final

from grafana.alerts import BUDGET, BURNS, Alert
from grafana.board import Row
from grafana.figures import COMPLETED, ERRORS
from grafana.links import DELIVERY
from grafana.panels import GREEN, ORANGE, PLAIN, RED, YELLOW, Graph, Query, Stat, word_for_nan
from grafana.selectors import increase

_WINDOWS: Final = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
_FAILED: Final = increase(COMPLETED, 'result="failed"', over="30d")
_QUARANTINED: Final = increase(COMPLETED, 'result="quarantined"', over="30d")
_TRIED: Final = increase(COMPLETED, 'result!="quarantined"', over="30d")

BUDGET_ROW: Final = Row(
    500,
    "How much may still fail this month? (99.9 % of 30 days are to be delivered)",
    (
        Graph(
            id=501, title="Budget burnt, as a multiple of what lasts a month", unit="none",
            width=16,
            text="How much faster than allowed events fail for good, over several windows. Above "
            "14.4 (1 h) or 6 (6 h): a page; above 3 (1 d) or 1 (3 d): a ticket.",
            queries=tuple(
                Query(f'max({ERRORS}{window}{{job=~"$job"}}) / {BUDGET}', window)
                for window in _WINDOWS
            ),
            steps=(
                (None, GREEN), (BURNS[3], YELLOW), (BURNS[2], YELLOW), (BURNS[1], ORANGE),
                (BURNS[0], RED),
            ),
            leads_to=(DELIVERY,), alerts=(Alert.BUDGET_BURN,),
        ),
        Stat(
            id=502, title="Budget left, 30 d", width=4, unit="percentunit", least=None,
            text="What is left of the share of events that may fail for good, as far back as "
            "Prometheus keeps data. Below 0: the promise of the month is broken.",
            queries=(Query(f"1 - {_FAILED} / {_TRIED} / {BUDGET}"),),
            steps=((None, RED), (0, YELLOW), (0.5, GREEN)),
            words=(word_for_nan("no events"),),
            leads_to=(DELIVERY,), alerts=(Alert.BUDGET_BURN,), nothing="no worker",
        ),
        Stat(
            id=503, title="Given up, 30 d", width=4, unit="short", decimals=0,
            text="Events that ran out of retries, and events that could not be posted at all. "
            "Each is parked and notified, and waits on the failure topic.",
            queries=(Query(_FAILED, "failed"), Query(_QUARANTINED, "quarantined")),
            steps=((None, PLAIN),), leads_to=(DELIVERY,), nothing="no worker",
        ),
    ),
)  # fmt: skip
