from pop_stream.watch.history import Backlog
from pop_stream.watch.recorder import Recorder, totals_of
from pop_stream.watch.tally import Tally

AT = 1_795_000_000.0
REST = Backlog(3, AT, 1)


def test_what_went_which_way_is_read_from_the_tally() -> None:
    """Of notifications those on the topic: the URL is told of the same ones."""
    tally = Tally()
    tally.events_received["forward",] = 100
    tally.events_received["retry",] = 9
    tally.events_completed["delivered",] = 90
    tally.retries_scheduled.update({("transient",): 7, ("rejected",): 3})
    tally.failed_events.update({("quarantined",): 2, ("gone",): 1})
    tally.failure_notifications.update({("topic", "sent"): 3, ("url", "sent"): 2})
    tally.redriven_events[()] = 4

    assert totals_of(tally) == (100, 90, 10, 9, 3, 3, 4)


def test_a_look_leaves_a_sample_each_ten_seconds() -> None:
    """With the totals, what is under way, and the backlog."""
    tally = Tally()
    recorder = Recorder(tally)
    for second in range(25):
        tally.events_completed["delivered",] += 2
        tally.in_flight_deliveries = second
        recorder.look(100.0 + second, AT + second, REST)

    assert [(each.at - AT, each.totals.delivered, each.in_flight, each.backlog)
            for each in recorder.samples] == [
        (0, 2, 0, REST), (10, 22, 10, REST), (20, 42, 20, REST)]  # fmt: skip
    assert recorder.flows(AT + 24)["delivered"].per_second == 2


def test_it_is_known_when_the_last_failure_of_each_reason_was() -> None:
    """To the second, by who looks each second."""
    tally = Tally()
    recorder = Recorder(tally)
    recorder.look(0.0, AT, None)
    assert recorder.failures(AT) == ()
    tally.retries_scheduled["transient",] += 5
    recorder.look(1.0, AT + 1, None)
    tally.failed_events["rejected",] += 1
    recorder.look(2.0, AT + 2, None)
    recorder.look(3.0, AT + 3, None)
    tally.failed_events["transient",] += 1
    recorder.look(4.0, AT + 4, None)

    assert [
        (one.reason, one.last_at - AT, one.retried, one.parked) for one in recorder.failures(AT + 9)
    ] == [("transient", 4, 5, 1), ("rejected", 2, 0, 1)]
