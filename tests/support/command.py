"""Runs a command of pop-stream as a person would, but in this process: a start takes a second."""

import contextlib
import gc
import io
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pop_stream.cli.main import run
from pop_stream.settings import Settings

_OF_THE_TEST = (
    "kafka_bootstrap_servers", "group", "events_topic", "retry_topic", "failure_topic",
    "notification_topic", "receipts_topic", "settled_topic",
)  # fmt: skip


def run_command(
    settings: Settings,
    *arguments: str | Path,
    stdin: str | None = None,
    cwd: Path | None = None,
    **overrides: Any,
) -> "subprocess.CompletedProcess[str]":
    """Run it with a test's topics; `overrides` are further settings by name.

    Not for what is killed or interrupted: that needs a process of its own.
    """
    environ = os.environ | environment_of(settings, **overrides)
    return run_here([str(each) for each in arguments], environ, stdin=stdin, cwd=cwd)


def run_here(
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    stdin: str | None = None,
    cwd: Path | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Run any command with these variables and no others."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    with (
        patch.dict(os.environ, environ, clear=True),
        patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO((stdin or "").encode()))),
        contextlib.chdir(cwd or Path.cwd()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        _logging_as_it_was(),
        _connections_closed(environ),
    ):
        code = run(argv)
    return subprocess.CompletedProcess([*argv], code, _text_of(out), _text_of(err))


def environment_of(settings: Settings, **overrides: Any) -> dict[str, str]:
    """The variables that give a command a test's topics."""
    values = {name: getattr(settings, name) for name in _OF_THE_TEST} | overrides
    return {f"POP_STREAM_{name.upper()}": str(value) for name, value in values.items()}


@contextlib.contextmanager
def _connections_closed(environ: Mapping[str, str]) -> Iterator[None]:
    """Let go of connections by TLS that were told to close, and that no loop closes any more.

    TLS takes leave of the other side first. A command does not wait for that, it ends; here its
    connections would be found much later, by a test that has none.
    """
    if "SSL" not in environ.get("POP_STREAM_KAFKA_SECURITY_PROTOCOL", ""):
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


@contextlib.contextmanager
def _logging_as_it_was() -> Iterator[None]:
    """Take back what a command sets up for its own process."""
    root, own = logging.getLogger(), logging.getLogger("pop_stream")
    before = (root.handlers, root.level, own.level)
    try:
        yield
    finally:
        root.handlers = before[0]
        root.setLevel(before[1])
        own.setLevel(before[2])


def _text_of(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()
