"""Runs a command of pop-stream as a person would."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from pop_stream.settings import Settings

_OF_THE_TEST = (
    "kafka_bootstrap_servers", "group", "events_topic", "retry_topic", "failure_topic",
    "notification_topic", "settled_topic",
)  # fmt: skip


def run_command(
    settings: Settings,
    *arguments: str | Path,
    stdin: str | None = None,
    cwd: Path | None = None,
    **overrides: Any,
) -> "subprocess.CompletedProcess[str]":
    """Run it with a test's topics; `overrides` are further settings by name."""
    return subprocess.run(
        [sys.executable, "-m", "pop_stream", *map(str, arguments)],
        env=os.environ | environment_of(settings, **overrides),
        input=stdin,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def environment_of(settings: Settings, **overrides: Any) -> dict[str, str]:
    """The variables that give a command a test's topics."""
    values = {name: getattr(settings, name) for name in _OF_THE_TEST} | overrides
    return {f"POP_STREAM_{name.upper()}": str(value) for name, value in values.items()}
