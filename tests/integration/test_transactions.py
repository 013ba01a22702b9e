"""Offsets that are no events: a transaction's mark takes one, and no consumer is given it."""

from pathlib import Path

from pop_stream.settings import Settings
from tests.support.eventually import eventually
from tests.support.plays import events, pop_id_of
from tests.support.transactions import write_in_transactions
from tests.support.trial import Trial


def test_the_marks_of_transactions_are_passed_over(topics: Settings, tmp_path: Path) -> None:
    """Between the events and behind them: what comes after is delivered, and nothing twice."""
    trial = Trial(topics, tmp_path)
    sent = events(80)
    write_in_transactions(topics, sent)

    with trial.gstv() as gstv, trial.worker(gstv.url) as worker:
        eventually(lambda: trial.delivered == len(sent), "all delivered")
        trial.send(events(120)[80:])
        eventually(lambda: trial.delivered == len(sent) + 40, "those that came after")
        worker.leave()

    ids = [entry.id for entry in trial.entries]
    assert sorted(set(ids)) == sorted(ids)
    assert {pop_id_of(each) for each in sent} <= set(ids)
