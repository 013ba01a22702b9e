"""A span for each attempt, when traces are on; nothing at all when they are off.

An attempt belongs to the trace that the player's record names (`traceparent`, W3C Trace Context),
also over the retry topic, which carries the header on. GSTV gets the attempt's own.
"""

from collections.abc import Mapping
from typing import Protocol

from pop_stream.errors import SettingsError
from pop_stream.pop.outcome import Outcome
from pop_stream.settings import Settings


class Span(Protocol):
    """One attempt under way."""

    @property
    def traceparent(self) -> str:
        """What GSTV is told."""

    @property
    def trace_id(self) -> str | None:
        """The trace, if it is kept; 32 hexadecimal digits."""

    def end(self, outcome: Outcome | None) -> None:
        """The attempt is over; None: it was given up, for its partition went."""


class Tracing(Protocol):
    """Makes spans."""

    def begin(self, traceparent: str | None, facts: Mapping[str, str | int]) -> Span:
        """Begin the span of an attempt, in the trace of the record if it names one."""

    def close(self) -> None:
        """Send what is left, for a bounded time."""


def tracing_of(settings: Settings) -> Tracing | None:
    """Make what the settings ask for; None: no traces.

    Raises SettingsError when the extra is not installed.
    """
    if settings.traces == "off":
        return None
    try:
        # Not at the top: nobody needs it who does not ask for it.
        from pop_stream.watch.otel import OtelTracing  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            [f"POP_STREAM_TRACES: otlp needs the extra: pip install 'pop-stream[otel]' ({error})"]
        ) from error
    return OtelTracing()
