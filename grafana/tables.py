"""How a table's columns come to be: series with the same labels are one row, values get titles."""

from collections.abc import Iterator
from typing import Any, Final

from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    Threshold,
    ThresholdsConfig,
)

from grafana.panels import Column, Table
from grafana.words import mappings

_TIME: Final = "Time"


def transformations(table: Table) -> list[DataTransformerConfig]:
    """Keep the columns that are named, merge the rows, and put the columns in order.

    What is not named goes first: rows that differ in a label that nobody sees would not be merged.
    The time stays until then: it alone is in a query's result that is empty, and merging wants a
    column that all have.
    """
    names = {_field(table, column): column.title for column in table.columns}
    organized: dict[str, Any] = {
        "excludeByName": {_TIME: True},
        # Newer Grafanas put nothing in order unless told so.
        "fieldOrder": "manual",
        "indexByName": {name: index for index, name in enumerate(names)},
        "renameByName": {name: title for name, title in names.items() if title},
    }
    return [
        DataTransformerConfig(
            "filterFieldsByName", options={"include": {"names": [_TIME, *names]}}
        ),
        DataTransformerConfig("merge", options={}),
        DataTransformerConfig("organize", options=organized),
    ]


def overrides(table: Table) -> Iterator[tuple[str, list[DynamicConfigValue]]]:
    """By a column's title: how its values are written, and which colours they have."""
    for column in table.columns:
        properties = list(_properties(column))
        if properties:
            yield column.title or column.of, properties


def _properties(column: Column) -> Iterator[DynamicConfigValue]:
    if column.unit:
        yield DynamicConfigValue("unit", column.unit)
    if column.words:
        yield DynamicConfigValue("mappings", mappings(column.words))
    if column.steps:
        steps = [Threshold(value, color) for value, color in column.steps]
        yield DynamicConfigValue("thresholds", ThresholdsConfig(steps=steps))
    if column.words or column.steps:
        yield DynamicConfigValue("custom.cellOptions", {"type": "color-text"})


def _field(table: Table, column: Column) -> str:
    """As Grafana calls it: the value of one query of several has the query's refId in its name."""
    if len(column.of) > 1:
        return column.of
    return f"Value #{column.of}" if len(table.queries) > 1 else "Value"
