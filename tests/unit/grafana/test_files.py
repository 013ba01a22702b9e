import json
import subprocess
import sys
from pathlib import Path

import pytest

from grafana.alerts import Alert
from grafana.boards import BOARDS, FOLDER, files

ROOT = Path(__file__).parents[3]
RUNBOOKS = ROOT / "docs" / "runbooks"


def test_the_committed_files_are_what_the_code_makes() -> None:
    """`make dashboards` changes nothing, byte for byte, and no file is left over."""
    committed = {file.name: file.read_text() for file in FOLDER.iterdir()}

    assert committed == files(), "run `make dashboards`"


def test_the_dashboards_have_the_names_that_people_link_to() -> None:
    """A uid is part of an address: it stays."""
    assert [board.uid for board in BOARDS] == [
        "pop-stream-overview",
        "pop-stream-delivery",
        "pop-stream-kafka-and-workers",
    ]


def test_the_runbooks_address_can_be_said(tmp_path: Path) -> None:
    """`--runbooks` goes into the variable to which all links to runbooks refer."""
    address = "https://wiki.example.com/runbooks"
    command = [sys.executable, "-m", "grafana", "--runbooks", address, "--folder", tmp_path]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)

    for file in tmp_path.iterdir():
        board = json.loads(file.read_text())
        (variable,) = (v for v in board["templating"]["list"] if v["name"] == "runbooks")
        assert variable["query"] == variable["current"]["value"] == address
    assert len([*tmp_path.iterdir()]) == len(BOARDS)


@pytest.mark.parametrize("alert", Alert)
def test_every_alert_that_a_panel_leads_to_has_its_page(alert: Alert) -> None:
    """Once there are runbooks, none that a panel leads to is missing."""
    assert not RUNBOOKS.exists() or (RUNBOOKS / f"{alert}.md").is_file()
