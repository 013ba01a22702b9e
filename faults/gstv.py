"""The partner of a run: the mock in a process of its own, which can be killed and come back."""

import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from pop_stream.gstv.mock.running import MockGstv


class Gstv:
    """A mock that keeps its port and its ledger over all its runs."""

    def __init__(self, ledger: Path, rules: Sequence[object]) -> None:
        #: Held by the fault that has to do with it: one that is killed cannot be told anything.
        self.alone = threading.Lock()
        self._ledger = ledger
        self._rules = rules
        self._stack = ExitStack()
        self._mock = self._stack.enter_context(MockGstv.start_process(rules=rules, ledger=ledger))
        self.port = self._mock.port
        #: Counted by the runs before: each run counts from 0.
        self._before: dict[str, int] = {}
        #: What the run under way said last.
        self._last: dict[str, Any] = {}

    def set_rules(self, rules: Sequence[object]) -> None:
        """Replace the rules, also for the runs to come."""
        self._rules = rules
        self._mock.set_rules(rules)

    def stats(self) -> dict[str, Any]:
        """The mock's figures since it was started last. Raises OSError while it is down."""
        self._last = self._mock.stats()
        return self._last

    def delivered(self) -> int:
        """How many different events were delivered, over all runs, about."""
        return self._over_all_runs("delivered_ids")

    def received(self) -> int:
        """How many requests were read, over all runs; what was known last, while it is down."""
        return self._over_all_runs("received")

    def _over_all_runs(self, figure: str) -> int:
        with suppress(OSError):
            self.stats()
        return self._before.get(figure, 0) + int(self._last.get(figure, 0))

    def kill(self) -> int:
        """`kill -9`; its process id."""
        process = self._mock.process
        if process is None:
            raise RuntimeError("the mock has no process of its own")
        figures = self.stats()
        for name in ("delivered_ids", "received"):
            self._before[name] = self._before.get(name, 0) + int(figures[name])
        self._last = {}
        process.kill()
        process.wait()
        return process.pid

    def ensure_running(self) -> None:
        """Start it again on its port, if it does not run."""
        process = self._mock.process
        if process is not None and process.poll() is None:
            return
        self._stack.close()
        self._stack = ExitStack()
        self._mock = self._stack.enter_context(
            MockGstv.start_process(rules=self._rules, ledger=self._ledger, port=self.port)
        )

    def close(self) -> None:
        """End it."""
        self._stack.close()
