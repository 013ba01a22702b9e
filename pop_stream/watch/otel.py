"""Spans by OpenTelemetry, sent over OTLP as the standard variables say (`OTEL_EXPORTER_OTLP_*`).

Needs the extra `otel`. What is sampled is OTEL_TRACES_SAMPLER's business; by default what the
player's record says, and everything where it says nothing.
"""

from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from pop_stream.pop.outcome import Answer, Outcome

_PROPAGATOR = TraceContextTextMapPropagator()
_FLUSH_MS = 3000


class AttemptSpan:
    """The span of one attempt."""

    __slots__ = ("_span", "trace_id", "traceparent")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        context = span.get_span_context()
        #: What GSTV is told.
        self.traceparent = (
            f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
        )
        #: The trace, if it is kept. A span that has ended records no more, so it is asked now.
        self.trace_id = self.traceparent[3:35] if span.is_recording() else None

    def end(self, outcome: Outcome | None) -> None:
        """The attempt is over."""
        span = self._span
        if isinstance(outcome, Answer):
            span.set_attribute("http.response.status_code", outcome.status)
            if outcome.status >= 400:
                span.set_status(StatusCode.ERROR)
        elif outcome is not None:
            span.set_attribute("error.type", outcome.trouble.value)
            span.set_status(StatusCode.ERROR)
        else:
            span.set_attribute("error.type", "given-up")
        span.end()


class OtelTracing:
    """Makes spans of OpenTelemetry."""

    def __init__(self, exporter: SpanExporter | None = None) -> None:
        """`exporter`: where spans go; None: over OTLP."""
        resource = Resource.create({"service.name": "pop-stream"})
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("pop_stream")

    def begin(self, traceparent: str | None, facts: Mapping[str, str | int]) -> AttemptSpan:
        """Begin the span of an attempt."""
        parent = _PROPAGATOR.extract({"traceparent": traceparent}) if traceparent else None
        return AttemptSpan(
            self._tracer.start_span(
                "POST", context=parent, kind=SpanKind.CLIENT, attributes=dict(facts)
            )
        )

    def close(self) -> None:
        """Send what is left, for a bounded time."""
        self._provider.force_flush(_FLUSH_MS)
        self._provider.shutdown()
