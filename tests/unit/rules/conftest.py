"""The rules, as tests look at them, and the programs that judge them."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest


class Alertmanager(NamedTuple):
    """Alertmanager and its tool."""

    server: Path
    amtool: Path


@pytest.fixture(scope="session")
def alertmanager() -> Alertmanager:
    """Alertmanager, to ask whom it would tell of an alert."""
    found = [shutil.which(name) for name in ("prometheus-alertmanager", "alertmanager")]
    server, amtool = next(filter(None, found), None), shutil.which("amtool")
    if server is None or amtool is None:
        pytest.skip(
            "no alertmanager or no amtool: both come with Prometheus's Alertmanager"
            " (Debian's package is `prometheus-alertmanager`)"
        )
    return Alertmanager(Path(server), Path(amtool))
