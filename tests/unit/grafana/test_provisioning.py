from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[3] / "grafana" / "provisioning"


def read(name: str) -> Any:
    """One of the files."""
    return yaml.safe_load((FOLDER / name).read_text())


def test_grafana_is_told_where_prometheus_is_by_its_environment() -> None:
    """No address and no uid stands in the file: it is the same everywhere."""
    (source,) = read("datasources/prometheus.yaml")["datasources"]

    assert source["type"] == "prometheus"
    assert source["url"] == "$PROMETHEUS_URL"
    assert "uid" not in source


def test_grafana_is_told_where_the_dashboards_are_by_its_environment() -> None:
    """And people do not change them by hand."""
    (provider,) = read("dashboards/pop-stream.yaml")["providers"]

    assert provider["options"]["path"] == "$POP_STREAM_DASHBOARDS"
    assert provider["allowUiUpdates"] is False
    assert provider["type"] == "file"
