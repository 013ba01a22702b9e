"""The import rules of `pyproject.toml`: each is seen to fail, so each can."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PLANTED = {
    "Imports go downwards only": ("pop_stream/settings/model.py", "import pop_stream.pop.verdict"),
    "The rules do no input or output": ("pop_stream/pop/verdict.py", "import asyncio"),
    "The player loads neither Faust nor the partner's code": (
        "pop_stream/player/simulation/players.py",
        "import pop_stream.gstv.client",
    ),
    "Only stream knows Faust": ("pop_stream/kafka/topics.py", "import faust"),
    "Only cli and demo draw on the terminal": ("pop_stream/stream/worker.py", "import rich"),
    "The checker knows nothing but the evidence": (
        "faults/checker/finding.py",
        "import pop_stream.errors",
    ),
    "Dashboards know the metrics and the settings, and nothing else": (
        "grafana/panels.py",
        "import pop_stream.watch.tally",
    ),
    "Nothing that runs knows of dashboards": (
        "pop_stream/cli/metrics.py",
        "import grafana.boards",
    ),
}


def lint(folder: Path) -> str:
    """Run import-linter on a copy of the packages; gives its report."""
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return ran.stdout + ran.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the packages with their rules."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in ("pop_stream", "faults", "grafana"):
        shutil.copytree(
            ROOT / package,
            tmp_path / package,
            ignore=shutil.ignore_patterns("__pycache__", "*.jars", "results"),
        )
    return tmp_path


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_import_breaks_its_rule(copy: Path, rule: str) -> None:
    """Each rule reports BROKEN once an import that it forbids is there."""
    file, line = PLANTED[rule]
    target = copy / file
    target.write_text(target.read_text() + f"\n{line}\n")

    assert f"{rule} BROKEN" in lint(copy)


def test_the_tree_as_it_is_keeps_all_rules(copy: Path) -> None:
    """Without a planted import no rule is broken, and all of them ran."""
    report = lint(copy)

    assert f"Contracts: {len(PLANTED)} kept, 0 broken." in report
