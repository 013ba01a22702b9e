"""A header's name that is not UTF-8, on the players' topic."""

import asyncio
from pathlib import Path

from pop_stream.settings import Settings
from tests.support.eventually import eventually
from tests.support.header_names import produce_named
from tests.support.kafka import committed_everything, read_all
from tests.support.plays import events
from tests.support.trial import Trial

NAMES = [b"plain", b"caf\xe9", b"\xff\xfe", b"plain"]
#: Takes nothing: what is asked ends on the failure topic.
REFUSE = [{"then": {"status": 422}}]


def test_a_header_name_that_is_no_text_does_not_end_the_worker(
    topics: Settings, tmp_path: Path
) -> None:
    """The event is delivered like its neighbours, and all are committed."""
    trial = Trial(topics, tmp_path)
    values = [value for sent in events(4) if (value := sent.value)]
    asyncio.run(produce_named(trial.servers, topics.events_topic, values, NAMES))
    with trial.gstv() as gstv, trial.worker(gstv.url) as worker:
        asyncio.run(committed_everything(trial.servers, topics.group, topics.events_topic))
        assert worker.leave() == 0

    assert trial.delivered == 4
    assert worker.said("worker.aborted") == []


def test_a_header_name_that_is_no_text_is_carried_along_written_out(
    topics: Settings, tmp_path: Path
) -> None:
    r"""When the event is parked, its headers go with it, such bytes as in `caf\\xe9`."""
    trial = Trial(topics, tmp_path)
    values = [value for sent in events(4) if (value := sent.value)]
    asyncio.run(produce_named(trial.servers, topics.events_topic, values, NAMES))
    with trial.gstv(REFUSE) as gstv, trial.worker(gstv.url, retries=0) as worker:
        eventually(lambda: trial.records(topics.failure_topic) == 4, "four parked events")
        assert worker.leave() == 0

    parked = asyncio.run(read_all(trial.servers, topics.failure_topic))
    assert sorted(record.value for record in parked) == sorted(values)
    names = {name for record in parked for name, _ in record.headers}
    assert {"plain", "caf\\xe9", "\\xff\\xfe"} <= names
