"""The process between pop-stream and the brokers: it sees to it that none is left behind.

Run as a file of its own, with the standard library only. It takes one JSON object a line on
stdin and answers each with one on stdout. When stdin ends, or its parent is gone, it ends every
broker, removes what is temporary and ends itself. Should it be killed itself, the kernel kills
the brokers (Linux; elsewhere they would be left).

    {"do": "start", "broker": 1, "argv": [...], "folder": "...", "log": "..."} -> {"pid": 4711}
    {"do": "poll", "broker": 1}                                   -> {"exit": null}
    {"do": "signal", "broker": 1, "signal": 9}                    -> {}
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
PARENT_CHECK_SECONDS = 0.5


def main() -> None:
    """Serve until stdin ends; argv: the grace in seconds, then the folder to remove, if any."""
    grace_seconds = float(sys.argv[1])
    brokers: dict[int, subprocess.Popen[bytes]] = {}
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        serve(brokers)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        end(brokers, grace_seconds)
        for folder in sys.argv[2:]:
            shutil.rmtree(folder, ignore_errors=True)


def serve(brokers: dict[int, "subprocess.Popen[bytes]"]) -> None:
    """Answer requests until stdin ends or the parent is gone."""
    parent = os.getppid()
    die_with_us = bind_to_this_process()
    received = b""
    while os.getppid() == parent:
        # A pipe that a forked child of the parent inherited does not end with the parent.
        if not select.select([0], [], [], PARENT_CHECK_SECONDS)[0]:
            continue
        piece = os.read(0, 65_536)
        if not piece:
            return
        received += piece
        *lines, received = received.split(b"\n")
        for line in lines:
            try:
                answer = obey(json.loads(line), brokers, die_with_us)
            except OSError as exc:
                answer = {"error": str(exc)}
            os.write(1, json.dumps(answer).encode() + b"\n")


def obey(
    request: dict[str, Any],
    brokers: dict[int, "subprocess.Popen[bytes]"],
    die_with_us: Callable[[], None],
) -> dict[str, Any]:
    """Do one request and give the answer to it."""
    number = request["broker"]
    match request["do"]:
        case "start":
            with Path(request["log"]).open("ab") as log:
                broker = subprocess.Popen(
                    request["argv"],
                    cwd=request["folder"],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # With whatever it starts itself, to be ended as one.
                    process_group=0,
                    # Safe here: this process has one thread.
                    preexec_fn=die_with_us,  # noqa: PLW1509
                )
            brokers[number] = broker
            return {"pid": broker.pid}
        case "poll":
            return {"exit": brokers[number].poll()}
        case "signal":
            brokers[number].send_signal(request["signal"])
            return {}
    return {"error": "unknown request"}


def end(brokers: dict[int, "subprocess.Popen[bytes]"], grace_seconds: float) -> None:
    """Ask every broker to end if there is a grace, and kill what is left after it."""
    if grace_seconds > 0:
        for broker in brokers.values():
            broker.terminate()
        deadline = time.monotonic() + grace_seconds
        for broker in brokers.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                broker.wait(max(0.0, deadline - time.monotonic()))
    for broker in brokers.values():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(broker.pid, signal.SIGKILL)
        broker.wait()


def bind_to_this_process() -> Callable[[], None]:
    """Give what a child runs before its program, so that it dies when this process does."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    supervisor = os.getpid()

    def die_with_us() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != supervisor:
            os._exit(1)

    return die_with_us


if __name__ == "__main__":
    main()
