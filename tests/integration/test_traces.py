"""Spans of a real worker, as a real collector would get them."""

import gzip
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from pop_stream.settings import Settings
from tests.support.eventually import eventually
from tests.support.plays import event
from tests.support.trial import Trial

_TRACE = "0af7651916cd43dd8448eb211c80319c"
_PARENT = f"00-{_TRACE}-b7ad6b7169203331-01"
_FAILS_FIRST = {"when": {"nth": "<=1"}, "then": {"status": 503}}


@contextmanager
def collector() -> Iterator[tuple[str, list[Span]]]:
    """Take spans over OTLP; the endpoint, and what came."""
    spans: list[Span] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            request = ExportTraceServiceRequest.FromString(body)
            spans.extend(
                span
                for resource in request.resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
            )
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", spans
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_all_attempts_of_an_event_are_in_the_trace_of_its_player(
    topics: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the retry topic, too; and the delay that Prometheus reads leads to it."""
    trial = Trial(topics, tmp_path)
    with collector() as (endpoint, spans), trial.gstv([_FAILS_FIRST]) as gstv:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        with trial.worker(gstv.url, traces="otlp") as worker:
            trial.send([event(0, headers=[("traceparent", _PARENT.encode())])])
            trial.settle()
            request = urllib.request.Request(
                f"http://127.0.0.1:{worker.metrics_port}/metrics",
                headers={"Accept": "application/openmetrics-text; version=1.0.0"},
            )
            with urllib.request.urlopen(request) as answer:  # noqa: S310 - http
                shown = answer.read().decode()
            eventually(lambda: len(spans) == 2, "both spans came")

    assert {span.trace_id.hex() for span in spans} == {_TRACE}
    facts = [{a.key: a.value for a in span.attributes} for span in spans]
    assert [each["pop.attempt"].int_value for each in facts] == [1, 2]
    assert [each["http.response.status_code"].int_value for each in facts] == [503, 200]
    assert {each["messaging.destination.name"].string_value for each in facts} == {
        topics.events_topic, topics.retry_topic,
    }  # fmt: skip
    assert f'trace_id="{_TRACE}"' in shown
