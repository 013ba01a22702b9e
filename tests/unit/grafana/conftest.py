import json
from typing import Any

import pytest

from grafana.boards import FOLDER

Board = dict[str, Any]


@pytest.fixture(scope="session")
def boards() -> list[Board]:
    """The committed dashboards."""
    return [json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))]
