"""An error that nobody has looked at fails the test that leaves it."""

import gc
import logging
from collections.abc import Iterator

import pytest


class _Lost(logging.Handler):
    """What asyncio tells of tasks and futures that are thrown away."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@pytest.fixture(autouse=True)
def no_error_is_lost() -> Iterator[None]:
    """Look at what the test leaves. asyncio tells of it whenever it is collected, else."""
    lost = _Lost()
    log = logging.getLogger("asyncio")
    log.addHandler(lost)
    yield
    gc.collect(1)
    log.removeHandler(lost)
    left = [each for each in lost.said if "never retrieved" in each or "was destroyed" in each]
    assert not left, left
