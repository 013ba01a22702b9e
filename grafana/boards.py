"""All dashboards."""

from pathlib import Path
from typing import Final

from grafana import delivery, kafka_and_workers, overview
from grafana.board import as_json
from grafana.variables import DEFAULT_RUNBOOKS

BOARDS: Final = (overview.BOARD, delivery.BOARD, kafka_and_workers.BOARD)
#: Where the committed files are.
FOLDER: Final = Path(__file__).with_name("dashboards")


def files(runbooks: str = DEFAULT_RUNBOOKS) -> dict[str, str]:
    """What is to be in the folder: text by file name."""
    return {f"{board.uid}.json": as_json(board, runbooks) for board in BOARDS}
