"""Every expression of the dashboards as Prometheus is asked for it: with the variables put in.

```
for each in expressions(board):                                     # each variable at "All"
for each in expressions(board, {"topic": "pop-events"}):            # this one at this value
    each.dashboard, each.panel, each.ref_id, each.promql
```
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

#: `$name`, `${name}`, `${name:format}`.
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")
#: What Grafana puts two backslashes before, in a value that was chosen.
_SPECIAL: Final = re.compile(r"[$^*+?.()|\[\]{}]")


@dataclass(frozen=True, slots=True)
class Expression:
    """One query of one panel."""

    #: The dashboard's uid.
    dashboard: str
    #: The panel's title; of an annotation its name.
    panel: str
    #: The panel's id; 0: an annotation.
    panel_id: int
    ref_id: str
    #: As it stands in the dashboard.
    written: str
    #: As it is sent.
    promql: str
    #: Asked for one moment, not for a range.
    instant: bool


def expressions(
    board: Mapping[str, Any],
    chosen: Mapping[str, str] | None = None,
    *,
    rate_interval: str = "1m",
    span: str = "1h",
) -> Iterator[Expression]:
    """All of a dashboard's JSON, annotations included.

    `chosen` are values of variables; those that are not in it stand at "All". `rate_interval` is
    put in for `$__rate_interval`, `span` for `$__range`. Raises KeyError for any other variable.
    """
    values = values_of_all(board) | {
        name: _SPECIAL.sub(r"\\\\\g<0>", value) for name, value in (chosen or {}).items()
    }
    values |= {"__rate_interval": rate_interval, "__range": span}
    for panel, target in _targets(board):
        written = str(target.get("expr", ""))
        yield Expression(
            dashboard=str(board["uid"]),
            panel=str(panel.get("title", panel.get("name", ""))),
            panel_id=int(panel.get("id", 0)),
            ref_id=str(target.get("refId", "")),
            written=written,
            promql=substituted(written, values),
            instant=bool(target.get("instant", False)),
        )


def values_of_all(board: Mapping[str, Any]) -> dict[str, str]:
    """By the name of each variable that has an "All": what that stands for."""
    return {
        each["name"]: each["allValue"]
        for each in board.get("templating", {}).get("list", ())
        if each.get("includeAll")
    }


def substituted(expression: str, values: Mapping[str, str]) -> str:
    """Put the values in as they are."""
    return _VARIABLE.sub(lambda found: values[found[1] or found[2]], expression)


def _targets(board: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for panel in board.get("panels", ()):
        yield from ((panel, target) for target in panel.get("targets", ()))
    for annotation in board.get("annotations", {}).get("list", ()):
        yield annotation, annotation["target"]
