"""What an attempt's span knows of it, and what GSTV is told."""

import asyncio
from collections.abc import Mapping

from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble
from tests.unit.stream.fakes import turns
from tests.unit.stream.scene import EVENT, Scene

_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_TRACE = _PARENT[3:35]


class NotedSpan:
    """Stands in for a span: notes how it ends."""

    def __init__(self, parent: str | None, facts: Mapping[str, str | int]) -> None:
        self.parent = parent
        self.facts = facts
        self.ended: list[Outcome | None] = []

    traceparent = f"00-{_TRACE}-00f067aa0ba902b7-01"
    trace_id = _TRACE

    def end(self, outcome: Outcome | None) -> None:
        """Note it."""
        self.ended.append(outcome)


class NotedTracing:
    """Stands in for OpenTelemetry."""

    def __init__(self) -> None:
        self.spans: list[NotedSpan] = []

    def begin(self, traceparent: str | None, facts: Mapping[str, str | int]) -> NotedSpan:
        """Begin a span."""
        self.spans.append(NotedSpan(traceparent, facts))
        return self.spans[-1]

    def close(self) -> None:
        """Nothing is left."""


def test_an_attempt_is_a_span_in_the_trace_of_its_record() -> None:
    """GSTV gets the attempt's own place in it, and the delay shows the trace."""

    async def scenario() -> None:
        tracing = NotedTracing()
        scene = Scene(tracing=tracing)
        scene.arrive(EVENT, headers=[("traceparent", _PARENT.encode())])
        post = scene.gstv.answer(Answer(200))
        await turns(1)

        (span,) = tracing.spans
        assert span.parent == _PARENT
        assert span.facts["pop.attempt"] == 1
        assert post.traceparent == NotedSpan.traceparent
        assert span.ended == [Answer(200)]
        (exemplar,) = scene.tally.delivery_delay_seconds.exemplars.values()
        assert exemplar[0] == _TRACE

    asyncio.run(scenario())


def test_an_event_without_a_trace_begins_one() -> None:
    """And a retry, whose record carries the header on, is in the trace of the first attempt."""

    async def scenario() -> None:
        tracing = NotedTracing()
        scene = Scene(tracing=tracing)
        scene.arrive(EVENT)
        scene.come_back(EVENT, traceparent=_PARENT.encode())
        trouble = NoAnswer(Trouble.RESET, sent=True)
        scene.gstv.answer(trouble)
        await turns()

        assert [span.parent for span in tracing.spans] == [None, _PARENT]
        assert tracing.spans[0].ended == [trouble]
        assert tracing.spans[1].ended == []

    asyncio.run(scenario())


def test_a_span_whose_partition_went_ends_too() -> None:
    """Without an outcome: that of the attempt counts nowhere."""

    async def scenario() -> None:
        tracing = NotedTracing()
        scene = Scene(tracing=tracing)
        scene.arrive(EVENT)
        scene.revoke()
        scene.gstv.answer(Answer(200))
        await turns(1)

        assert tracing.spans[0].ended == [None]
        assert scene.tally.delivery_delay_seconds.exemplars == {}

    asyncio.run(scenario())


def test_without_traces_nothing_is_told() -> None:
    """Not even the record's own header: it costs, and nobody asked."""

    async def scenario() -> None:
        scene = Scene()
        scene.arrive(EVENT, headers=[("traceparent", _PARENT.encode())])

        assert scene.gstv.answer(Answer(200)).traceparent is None

    asyncio.run(scenario())
