"""What is written down of a schedule: its steps, what came of itself, and what was violated."""

from tests.simulation.clock import TIME


class Violation(AssertionError):  # noqa: N818 - what it is, not an error of ours
    """Something happened that must never happen."""


class Journal:
    """Begun with its schedule; it has the steps only if there is a trace to write them to."""

    def __init__(self, trace: list[str] | None) -> None:
        self.trace = trace
        self._begin = TIME.now
        self.violations: list[str] = []
        #: What happened of itself, and how often: a schedule may prove nothing otherwise.
        self.seen: dict[str, int] = {}
        #: Anything that ends the order of a screen: a crash, a rebalance, a stray POST.
        self.is_disturbed = False

    def note(self, what: str) -> None:
        """Write a line of the trace."""
        if self.trace is not None:
            self.trace.append(f"{TIME.now - self._begin:9.3f} {what}")

    def see(self, what: str) -> None:
        """Count something that came of itself."""
        self.seen[what] = self.seen.get(what, 0) + 1

    def violated(self, what: str) -> None:
        """Note a violation: what raised here might be caught by the core itself."""
        self.note(f"VIOLATION {what}")
        self.violations.append(what)

    def check(self) -> None:
        """Raise what was violated so far."""
        if self.violations:
            raise Violation("; ".join(self.violations))
