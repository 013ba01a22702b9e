"""The dashboard for three o'clock in the morning. One module holds one row."""

from typing import Final

from grafana.board import Board
from grafana.links import OVERVIEW
from grafana.overview.budget import BUDGET_ROW
from grafana.overview.cause import CAUSE
from grafana.overview.delay import DELAY
from grafana.overview.flow import FLOW
from grafana.overview.loss import LOSS

BOARD: Final = Board(
    OVERVIEW,
    "Is proof of play being lost, by when, and is it the players, GSTV, Kafka or us?",
    (LOSS, CAUSE, FLOW, DELAY, BUDGET_ROW),
)
