"""What others run for us is pinned as all else is, and may do no more than it must."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from release.pins import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").iterdir())


def test_the_audit_is_run_each_day_and_when_a_lock_changes() -> None:
    """A hole may be found in what nobody has touched."""
    # YAML 1.1 takes the word `on` for true.
    audit: Any = yaml.safe_load((ROOT / ".github/workflows/audit.yml").read_text())
    minute, hour, *days = audit[True]["schedule"][0]["cron"].split()

    assert minute.isdigit()
    assert hour.isdigit()
    assert days == ["*", "*", "*"]
    assert "**/*.lock" in audit[True]["push"]["paths"]
    assert {"run": "make audit"} in audit["jobs"]["audit"]["steps"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_one(path: Path) -> None:
    """By GitHub's own schema."""
    told = subprocess.run(
        [Path(sys.executable).with_name("check-jsonschema"),
         "--builtin-schema", "vendor.github-workflows", path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_uses_actions_by_their_commit_and_writes_nothing(path: Path) -> None:
    """A tag can be moved to another commit by whoever takes the action over."""
    used = re.findall(r"uses:\s*(\S+)", path.read_text())

    assert used
    assert all(re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", each) for each in used)
    assert yaml.safe_load(path.read_text())["permissions"] == {"contents": "read"}
