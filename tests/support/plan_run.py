"""A run of a plan as a process of its own, to be killed; and what its journal says."""

import json
import os
import subprocess
import sys
from pathlib import Path

from pop_stream.settings import TOPICS, Settings

#: It leaves time to kill a run, and makes batches of a quarter of it.
RATE = 1500


def running_plan(
    settings: Settings, group: str, command: str, plan: Path, **overrides: str
) -> "subprocess.Popen[str]":
    """Start a run."""
    names = ("kafka_bootstrap_servers", "group", *TOPICS)
    values = {name: getattr(settings, name) for name in names} | overrides
    environment = {f"POP_STREAM_{name.upper()}": str(value) for name, value in values.items()}
    argv = [sys.executable, "-m", "pop_stream", group, command, "run", str(plan)]
    return subprocess.Popen(
        [*argv, "--rate", str(RATE)],
        env=os.environ | environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def confirmed_lines(plan: Path) -> set[int]:
    """The lines of a plan's list that its journal tells of."""
    journal = plan.with_name(plan.name + ".journal")
    if not journal.exists():
        return set()
    whole = [line for line in journal.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return {
        number
        for line in whole
        for _, begin, end in json.loads(line).get("done", [])
        for number in range(begin, end)
    }


def confirmed(plan: Path) -> int:
    """How many these are."""
    return len(confirmed_lines(plan))


def confirmed_ids(plan: Path) -> set[str]:
    """The ids of these."""
    lines = plan.with_name(plan.name + ".events").read_text().splitlines()
    return {lines[number].partition(" ")[2] for number in confirmed_lines(plan)}
