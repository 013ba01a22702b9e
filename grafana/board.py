"""A dashboard: its rows of panels, and what all dashboards have in common."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from grafana.annotations import ANNOTATIONS
from grafana.drawing import draw
from grafana.links import TITLES
from grafana.panels import Panel
from grafana.variables import variables

TAG: Final = "pop-stream"
#: Grafana's grid is so many columns wide.
COLUMNS: Final = 24


@dataclass(frozen=True, slots=True)
class Row:
    """A headline and its panels, never folded away: what is folded is not seen at three o'clock."""

    id: int
    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard."""

    uid: str
    text: str
    rows: tuple[Row, ...]


def as_json(board: Board, runbooks: str) -> str:
    """Give the file's text: the same for the same board, byte for byte.

    `runbooks` is the address below which the pages of the alerts are.
    """
    encoded = json.dumps(_dashboard(board, runbooks).build(), cls=JSONEncoder)
    cleaned = _without_noise(json.loads(encoded))
    return json.dumps(cleaned, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _dashboard(board: Board, runbooks: str) -> dashboard.Dashboard:
    built = dashboard.Dashboard(TITLES[board.uid]).uid(board.uid).description(board.text)
    built.tags([TAG]).readonly().refresh("30s").time("now-3h", "now").timezone("browser")
    built.tooltip(model.DashboardCursorSync.CROSSHAIR)
    built.variables(variables(runbooks)).annotations(ANNOTATIONS)
    others = dashboard.DashboardLink("pop-stream").type(model.DashboardLinkType.DASHBOARDS)
    others.tags([TAG]).include_vars(True).keep_time(True)
    built.links([others])
    y = 0
    for row in board.rows:
        built.with_row(dashboard.Row(row.title).id(row.id).grid_pos(_place(0, y, COLUMNS, 1)))
        y += 1
        for panel, place in _places(row, y):
            built.with_panel(draw(panel, place))
            y = max(y, place.y + place.h)
    return built


def _places(row: Row, y: int) -> Iterator[tuple[Panel, model.GridPos]]:
    """From left to right, and on a new line where there is no room left."""
    x = tallest = 0
    for panel in row.panels:
        if x + panel.width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        yield panel, _place(x, y, panel.width, panel.height)
        x, tallest = x + panel.width, max(tallest, panel.height)


def _place(x: int, y: int, width: int, height: int) -> model.GridPos:
    return model.GridPos(h=height, w=width, x=x, y=y)


#: What the SDK writes although nobody asked. `placement` would hide links in a menu; a `to` of null
#: is the end of a range of values, and some Grafanas take it for 0.
_NOISE: Final = {
    "asDropdown": False,
    "auto": False,
    "auto_count": 30,
    "auto_min": "10s",
    "builtIn": 0,
    "icon": "",
    "includeVars": False,
    "keepTime": False,
    "placement": "inControlsMenu",
    "repeatDirection": "h",
    "skipUrlSync": False,
    "tags": [],
    "targetBlank": False,
    "to": None,
    "tooltip": "",
    "transparent": False,
}


def _without_noise(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_noise(each)
            for key, each in value.items()
            if key not in _NOISE or each != _NOISE[key]
        }
    if isinstance(value, list):
        return [_without_noise(each) for each in value]
    return value
