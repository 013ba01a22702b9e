"""How delivery stands a partner that is down, slow or wrong: figures beside what is asked for.

All figures are taken from the mock's ledger. What is compared runs in turn, in several rounds, and
the median of the rounds is the figure: this machine may be twice as fast a minute later.
"""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import truediv
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

from bench.backlog import fill
from bench.children import Command, running
from bench.variants import Topic
from pop_stream.errors import WorkFailedError
from pop_stream.gstv.mock.ledger import LedgerEntry, read_ledger
from pop_stream.gstv.mock.running import MockGstv
from pop_stream.kafka import topics
from pop_stream.kafka.backlog import backlog_of
from pop_stream.kafka.local import LocalKafka, LocalKafkaOptions
from pop_stream.settings import TOPICS, Settings, load_settings

_PATIENCE_SECONDS = 300.0
_OUTAGE = (5.0, 65.0)
_LOOK_SECONDS = 0.5

Say = Callable[[str], None]
Entries = list[LedgerEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run of a worker against one partner."""

    name: str
    rules: Sequence[object] = ()
    events: int = 40_000
    #: 0: all events wait when the worker starts. Else they come at this rate.
    events_per_second: float = 0.0
    in_flight: int = 64
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of one trial."""

    trial: str
    what: str
    value: float
    asked: str
    met: bool


_CLEAN = Trial(name="clean", events=120_000)
#: Much shorter than the default, so that the end of a run is not only waiting.
_QUICK = {"POP_STREAM_RETRY_BACKOFF_SECONDS": "0.2,0.4,0.6"}
_STEADY = Trial(name="steady", events=16_000, events_per_second=400.0)
#: Run in turn.
_COMPARED = (
    _CLEAN,
    Trial(
        name="errors",
        events=120_000,
        rules=[{"when": {"random": 0.2}, "then": {"status": 500}}],
        settings=_QUICK,
    ),
    _STEADY,
    replace(
        _STEADY,
        name="poison",
        rules=[{"when": {"share": [0.99, 1]}, "then": {"status": 422}}],
        settings=_QUICK,
    ),
)
_ROUNDS = 3
_ONCE = (
    Trial(
        name="outage",
        events=200_000,
        rules=[{"when": {"window": list(_OUTAGE)}, "then": {"status": 503}}],
        # 30 minutes at a 30th of the time: one probe a second at most, as always.
        settings={"POP_STREAM_GSTV_PROBE_MOST_SECONDS": "1"},
    ),
    Trial(name="slow", rules=[{"then": {"delay": 0.25}}], in_flight=1024),
    Trial(name="limited", rules=[{"when": {"above_per_second": 500}, "then": {"status": 429}}],
          events=35_000),
)  # fmt: skip


def run(say: Say) -> list[Figure]:
    """Run all trials on one Kafka. Raises WorkFailedError when one does not come to its end."""
    found: dict[str, list[Entries]] = {}
    with LocalKafka.start(LocalKafkaOptions()) as local:
        environment = {"POP_STREAM_KAFKA_BOOTSTRAP_SERVERS": local.bootstrap_servers}
        for trial in (*(_COMPARED * _ROUNDS), *_ONCE):
            say(f"{trial.name}: {trial.events} events")
            rounds = found.setdefault(trial.name, [])
            name = f"{trial.name}-{len(rounds) + 1}"
            settings = _settings_of(name, load_settings(environment, dotenv=None))
            rounds.append(_run_once(trial, settings))
    return list(_figures(found))


def as_markdown(figures: Sequence[Figure]) -> str:
    """The table."""
    lines = [
        "| partner | figure | measured | asked for | met |",
        "| --- | --- | ---: | --- | --- |",
    ]
    lines += [
        f"| {one.trial} | {one.what} | {one.value:,.3g} | {one.asked} | "
        f"{'yes' if one.met else 'no'} |"
        for one in figures
    ]
    return "\n".join(lines)


def as_json(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """The figures for programs."""
    return [
        {"scenario": f"partner-{one.trial}", "system": "pop-stream", "figure": one.what,
         "value": one.value, "asked": one.asked, "met": one.met}
        for one in figures
    ]  # fmt: skip


def _settings_of(name: str, settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "group": f"bench-{name}",
            **{topic: f"{name}-{topic.removesuffix('_topic')}" for topic in TOPICS},
        }
    )


def _run_once(trial: Trial, settings: Settings) -> Entries:
    topic = Topic(trial.events)
    with tempfile.TemporaryDirectory(prefix="pop-stream-bench-") as temporary:
        folder = Path(temporary)
        ledger = folder / "gstv.ndjson"
        asyncio.run(topics.ensure(settings, partitions=topic.partitions))
        if not trial.events_per_second:
            asyncio.run(fill(settings, topic))
        with MockGstv.start_process(rules=trial.rules, ledger=ledger) as mock:
            worker = Command(
                [sys.executable, "-m", "pop_stream", "worker"], _variables(trial, settings, mock)
            )
            with running(trial.name, worker, folder=folder) as child:
                if trial.events_per_second:
                    asyncio.run(fill(settings, topic, rate=trial.events_per_second))
                deadline = time.monotonic() + _PATIENCE_SECONDS
                while not asyncio.run(_is_done(settings, trial.events)):
                    child.check()
                    if time.monotonic() > deadline:
                        raise child.failure("did not finish")
                    time.sleep(_LOOK_SECONDS)
        return sorted(read_ledger(ledger), key=lambda entry: entry.received_at)


def _variables(trial: Trial, settings: Settings, mock: MockGstv) -> dict[str, str]:
    names = ("kafka_bootstrap_servers", "group", *TOPICS)
    return {f"POP_STREAM_{name.upper()}": str(getattr(settings, name)) for name in names} | {
        "POP_STREAM_GSTV_URL": f"{mock.url}/pops",
        "POP_STREAM_GSTV_MAX_IN_FLIGHT": str(trial.in_flight),
        "POP_STREAM_METRICS_PORT": "0",
        **trial.settings,
    }


async def _is_done(settings: Settings, events: int) -> bool:
    found = await backlog_of(settings, (settings.events_topic, settings.retry_topic))
    return found[0].committed >= events and sum(one.events for one in found) == 0


def _figures(found: dict[str, list[Entries]]) -> Iterator[Figure]:
    (outage,), (slow,), (limited,) = found["outage"], found["slow"], found["limited"]
    clean = [_rate(entries) for entries in found["clean"]]
    yield from _outage_figures(outage, median(clean))
    yield from _error_figures(found["errors"], clean)
    after = [_p99_delay(_without_poison(entries)) for entries in found["poison"]]
    before = [_p99_delay(entries) for entries in found["steady"]]
    ratio = median(map(truediv, after, before))
    yield Figure(trial="poison", what="p99 delay of the others, times the p99 without",
                 value=ratio, asked="below 1.2", met=ratio < 1.2)  # fmt: skip
    share = _rate(slow) / (1024 / 0.25)
    yield Figure(trial="slow", what="of what 1,024 in flight and 250 ms allow", value=share,
                 asked="0.95 or more", met=share >= 0.95)  # fmt: skip
    yield from _limit_figures(limited)


def _outage_figures(entries: Entries, clean: float) -> Iterator[Figure]:
    refused = [entry for entry in entries if not entry.delivered]
    _require(refused, "the outage bit nothing")
    attempts = Counter(entry.id for entry in refused)
    parked = sum(1 for count in attempts.values() if count >= 4)
    yield Figure(trial="outage", what="events parked", value=parked, asked="0", met=parked == 0)
    begin = refused[0].received_at
    later = [entry for entry in refused if entry.received_at > begin + 1]
    seconds = refused[-1].received_at - begin
    spent = len(later) / seconds
    yield Figure(trial="outage", what="attempts a second while it lasted", value=spent,
                 asked="1 at most", met=spent <= 1)  # fmt: skip
    drained = [entry for entry in entries if entry.received_at > refused[-1].received_at]
    rate = _rate(drained, skip=0.0) / clean
    yield Figure(trial="outage", what="drain rate, times the undisturbed", value=rate,
                 asked="0.9 or more", met=rate >= 0.9)  # fmt: skip


def _error_figures(rounds: Sequence[Entries], clean: Sequence[float]) -> Iterator[Figure]:
    outcomes: dict[str | None, list[bool]] = {}
    for entries in rounds:
        for entry in entries:
            outcomes.setdefault(entry.id, []).append(entry.delivered)
    wrong = sum(1 for one in outcomes.values() if not (one[-1] or len(one) == 4) or len(one) > 4)
    yield Figure(trial="errors", what="events neither delivered nor tried four times",
                 value=wrong, asked="0", met=wrong == 0)  # fmt: skip
    rates = [_rate([entry for entry in entries if entry.delivered]) for entries in rounds]
    rate = median(map(truediv, rates, clean))
    yield Figure(trial="errors", what="deliveries a second, times the clean run's", value=rate,
                 asked="0.6 or more", met=rate >= 0.6)  # fmt: skip


def _limit_figures(entries: Entries) -> Iterator[Figure]:
    settled = [entry for entry in entries if entry.received_at > entries[0].received_at + 30]
    _require(settled, "the limited run was over within 30 s")
    rate = _rate([entry for entry in settled if entry.delivered], skip=0.0)
    yield Figure(trial="limited", what="of the 500/s that the partner takes, from 30 s on",
                 value=rate / 500, asked="0.85 to 1", met=0.85 <= rate / 500 <= 1.01)  # fmt: skip
    refused = sum(not entry.delivered for entry in settled) / len(settled)
    yield Figure(trial="limited", what="429s among the answers, from 30 s on", value=refused,
                 asked="below 0.02", met=refused < 0.02)  # fmt: skip


def _rate(entries: Entries, skip: float = 0.1) -> float:
    """Events a second, without the first and the last part of a run."""
    kept = entries[int(len(entries) * skip) : int(len(entries) * (1 - skip)) or None]
    return (len(kept) - 1) / (kept[-1].received_at - kept[0].received_at)


def _p99_delay(entries: Entries) -> float:
    delays = sorted(entry.received_at - _sent_at(entry) for entry in entries[len(entries) // 10 :])
    return delays[int(len(delays) * 0.99)]


def _sent_at(entry: LedgerEntry) -> float:
    """When the player made the id, which is a UUIDv7: epoch seconds."""
    return (UUID(entry.id).int >> 80) / 1000


def _without_poison(entries: Entries) -> Entries:
    bad = {entry.id for entry in entries if not entry.delivered}
    return [entry for entry in entries if entry.id not in bad]


def _require(found: Entries, otherwise: str) -> None:
    if not found:
        raise WorkFailedError(f"nothing was measured: {otherwise}")
