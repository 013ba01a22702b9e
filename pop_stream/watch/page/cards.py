"""The numbers that say how a worker fares, each with its name, its note, and its last hour."""

from collections.abc import Sequence

from pop_stream.pop.breaker import State
from pop_stream.watch.figures import count, forecast, moment, rate, span
from pop_stream.watch.history import (
    Sample,
    backlog_points,
    delivered_points,
    in_flight_points,
)
from pop_stream.watch.page.markup import Child, Markup, element, together
from pop_stream.watch.page.sparkline import sparkline
from pop_stream.watch.status import Flow, WorkStatus

_NOTHING = Flow(total=0, per_second=0.0)
_BAR_WIDTH = 360
_SAID_OF_CIRCUIT = {
    State.CLOSED: ("Closed", "Events go through"),
    State.OPEN: ("Open", "Everything is held"),
    State.HALF_OPEN: ("Half-open", "One event probes"),
}
#: A backlog of less work is what comes and goes.
_KEPT_UP_SECONDS = 5.0


def cards(work: WorkStatus, samples: Sequence[Sample], now: float) -> Markup:
    """All of them; `now` is in epoch seconds."""
    return together(
        _deliveries(work, samples, now),
        _backlog(work, samples, now),
        _in_flight(work, samples, now),
        _breaker(work, now),
        _oldest_event(work, now),
        _oldest_attempt(work, now),
    )


def _card(name: str, big: str, *notes: Child) -> Markup:
    return element(
        "div",
        element("h3", name),
        element("p", big, class_="big"),
        *(
            note if isinstance(note, Markup) else element("p", note, class_="note")
            for note in notes
        ),
    )


def _deliveries(work: WorkStatus, samples: Sequence[Sample], now: float) -> Markup:
    flow = work.flows.get("delivered", _NOTHING)
    curve = sparkline("Deliveries a second", delivered_points(samples), now, rate)
    return _card("Delivered, over the last minute", rate(flow.per_second),
                 f"{count(flow.total)} since start", curve)  # fmt: skip


def _backlog(work: WorkStatus, samples: Sequence[Sample], now: float) -> Markup:
    name = "Backlog, this worker's share"
    if work.backlog is None or work.backlog_at is None:
        return _card(name, "not known yet", "Kafka is asked for it after each assignment")
    curve = sparkline("Backlog", backlog_points(samples), now, count)
    seen = f"as of {span(now - work.backlog_at)} ago"
    return _card(name, count(work.backlog), f"{_outlook(work, work.backlog)}; {seen}", curve)


def _outlook(work: WorkStatus, backlog: int) -> str:
    delivered = work.flows.get("delivered", _NOTHING).per_second
    if 0 < backlog <= delivered * _KEPT_UP_SECONDS:
        return "The worker keeps up"
    said = forecast(backlog, work.backlog_growth)
    return f"{said[0].upper()}{said[1:]}"


def _in_flight(work: WorkStatus, samples: Sequence[Sample], now: float) -> Markup:
    limit = work.events_per_second_limit
    pace = "no rate limit" if limit is None else f"{rate(limit)} at most"
    curve = sparkline("Attempts under way", in_flight_points(samples), now, count)
    return _card(
        "Attempts under way",
        f"{count(work.in_flight)} of {count(work.in_flight_limit)}",
        _bar(work.in_flight, work.in_flight_limit),
        f"As many as GSTV bears; {pace}",
        curve,
    )


def _bar(part: int, whole: int) -> Markup:
    width = _BAR_WIDTH * min(part / whole, 1.0) if whole > 0 else 0.0
    return element(
        "svg",
        element("title", f"{count(part)} of {count(whole)}"),
        element("rect", width=_BAR_WIDTH, height=10, class_="all-of-it"),
        element("rect", width=width, height=10, class_="so-far"),
        viewBox=f"0 0 {_BAR_WIDTH} 10",
        preserveAspectRatio="none",
        role="img",
        class_="bar",
    )


def _breaker(work: WorkStatus, now: float) -> Markup:
    since = work.circuit_since
    name, means = _SAID_OF_CIRCUIT[State(work.circuit)]
    reason = "" if work.held is None else f" ({work.held.reason})"
    long = f"since {moment(since, now)}, for {span(now - since)}"
    return _card("Breaker to GSTV", name, f"{means}{reason} {long}")


def _oldest_event(work: WorkStatus, now: float) -> Markup:
    name = "Oldest event taken and not finished"
    held = f"{count(work.unfinished)} taken and not finished"
    if work.unconfirmed:
        held += f"; {count(work.unconfirmed)} records not confirmed by Kafka yet"
    at = work.oldest_unfinished_at
    if at is None:
        return _card(name, "none", held)
    return _card(name, span(now - at), f"On its topic since {moment(at, now)}", held)


def _oldest_attempt(work: WorkStatus, now: float) -> Markup:
    name, at = "Oldest attempt under way", work.oldest_attempt_at
    if at is None:
        return _card(name, "none")
    return _card(name, span(now - at), f"Since {moment(at, now)}")
