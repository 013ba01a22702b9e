"""Waiting for what the system under test does in its own time."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from tests.support.kafka import DEADLINE_SECONDS

T = TypeVar("T")

_LOOK_SECONDS = 0.01


def eventually(look: Callable[[], T], what: str, *, within_seconds: float = DEADLINE_SECONDS) -> T:
    """Look until there is something true to see, and give it.

    Raises TimeoutError, which names `what` and shows what was seen last.
    """
    deadline = time.monotonic() + within_seconds
    never = threading.Event()
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_seconds:g} s: {what}; last seen: {seen!r}")
        never.wait(_LOOK_SECONDS)
    return seen
