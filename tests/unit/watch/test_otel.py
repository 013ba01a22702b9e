"""Spans as OpenTelemetry gets them."""

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest

from pop_stream.errors import SettingsError
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble
from pop_stream.settings import Settings
from pop_stream.watch.collector import TableCollector
from pop_stream.watch.otel import OtelTracing
from pop_stream.watch.table import WORKER_METRICS
from pop_stream.watch.tally import Tally
from pop_stream.watch.tracing import tracing_of

_TRACE = "0af7651916cd43dd8448eb211c80319c"
_PARENT = f"00-{_TRACE}-b7ad6b7169203331-01"


def test_a_span_belongs_to_the_trace_of_the_record() -> None:
    """As its child, with what is known of the attempt."""
    exporter = InMemorySpanExporter()
    tracing = OtelTracing(exporter)
    span = tracing.begin(_PARENT, {"pop.id": "id-1", "pop.attempt": 2})
    span.end(Answer(200))
    tracing.close()

    (found,) = exporter.get_finished_spans()
    assert found.context is not None
    assert found.parent is not None
    assert f"{found.context.trace_id:032x}" == span.trace_id == _TRACE
    assert f"{found.parent.span_id:016x}" == "b7ad6b7169203331"
    assert span.traceparent == f"00-{_TRACE}-{found.context.span_id:016x}-01"
    assert dict(found.attributes or {}) == {
        "pop.id": "id-1", "pop.attempt": 2, "http.response.status_code": 200,
    }  # fmt: skip
    assert found.status.status_code is StatusCode.UNSET
    assert found.resource.attributes["service.name"] == "pop-stream"


@pytest.mark.parametrize(
    ("outcome", "attribute"),
    [
        (Answer(503), ("http.response.status_code", 503)),
        (NoAnswer(Trouble.TIMEOUT, sent=True), ("error.type", "timeout")),
        (None, ("error.type", "given-up")),
    ],
)
def test_what_went_wrong_is_told(outcome: Outcome | None, attribute: tuple[str, object]) -> None:
    """By the status, or by why there was no answer."""
    exporter = InMemorySpanExporter()
    tracing = OtelTracing(exporter)
    tracing.begin(None, {}).end(outcome)
    tracing.close()

    (found,) = exporter.get_finished_spans()
    assert attribute in dict(found.attributes or {}).items()
    assert (found.status.status_code is StatusCode.ERROR) is (outcome is not None)


@pytest.mark.parametrize("odd", ["", "00-1-2-01", f"{_PARENT}\r\nX-Injected: 1", "x" * 5000])
def test_an_odd_header_begins_a_trace_of_its_own(odd: str) -> None:
    """Whoever may produce may write anything there."""
    tracing = OtelTracing(InMemorySpanExporter())
    span = tracing.begin(odd, {})
    tracing.close()

    assert span.trace_id not in (None, _TRACE)
    assert len(span.traceparent) == 55


def test_a_trace_that_is_not_sampled_is_passed_on_and_not_kept() -> None:
    """The player's side decides; GSTV is told."""
    exporter = InMemorySpanExporter()
    tracing = OtelTracing(exporter)
    span = tracing.begin(_PARENT.removesuffix("01") + "00", {})
    span.end(Answer(200))
    tracing.close()

    assert exporter.get_finished_spans() == ()
    assert span.trace_id is None
    assert span.traceparent.startswith(f"00-{_TRACE}-")
    assert span.traceparent.endswith("-00")


def test_the_delay_shows_the_last_trace_of_each_bucket() -> None:
    """In OpenMetrics, which Prometheus asks for."""
    tally = Tally()
    tally.delivery_delay_seconds.observe_all((0.3, 0.4, 7.0))
    tally.delivery_delay_seconds.exemplify(0.3, "a" * 32)
    tally.delivery_delay_seconds.exemplify(0.4, _TRACE)
    registry = CollectorRegistry()
    registry.register(TableCollector(WORKER_METRICS, tally))
    shown = [line for line in generate_latest(registry).decode().splitlines() if " # {" in line]

    assert len(shown) == 1
    assert 'le="0.5"' in shown[0]
    assert f'# {{trace_id="{_TRACE}"}} 0.4' in shown[0]


def test_traces_are_off_unless_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for without the extra, the message says what to install."""
    assert tracing_of(Settings()) is None
    monkeypatch.setitem(__import__("sys").modules, "pop_stream.watch.otel", None)
    with pytest.raises(SettingsError, match=r"pip install 'pop-stream\[otel\]'"):
        tracing_of(Settings().model_copy(update={"traces": "otlp"}))
