"""What becomes of attempts and events: where GSTV, or what players send, is in question."""

from typing import Final

from grafana.board import Board
from grafana.delivery.answers import ANSWERS
from grafana.delivery.pace import PACE
from grafana.delivery.parked import PARKED_ROW
from grafana.delivery.records import RECORDS
from grafana.delivery.retries import RETRIES
from grafana.links import DELIVERY

BOARD: Final = Board(
    DELIVERY,
    "What does GSTV answer, how fast may we go, and what becomes of what it does not take?",
    (ANSWERS, PACE, RETRIES, PARKED_ROW, RECORDS),
)
