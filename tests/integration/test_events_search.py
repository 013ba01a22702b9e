"""Finding events on a real Kafka: all of them, and nothing else."""

import asyncio
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.scan import Topics
from pop_stream.errors import TopicsMissingError, WorkFailedError
from pop_stream.settings import Settings
from tests.integration.test_accidents import delete_records
from tests.support.command import run_command
from tests.support.header_names import produce_named
from tests.support.kafka import Outgoing, send
from tests.support.plays import event, events, pop_id_of
from tests.support.transactions import write_in_transactions


def search(settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command."""
    return run_command(settings, "events", "search", *arguments)


def found(done: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    """What it found, as JSON."""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_exactly_what_is_meant_is_found(topics: Settings) -> None:
    """By fields, in any of the ways to write JSON; with everything that its record holds."""
    send(topics, [event(n, filename="a.mp4" if n % 5 else "b.webm") for n in range(300)])
    hits = found(search(topics, "--json", "--where", "siteId=7 filename~*.mp4"))

    assert {(one["event"]["siteId"], one["event"]["filename"]) for one in hits} == {("7", "a.mp4")}
    wanted = [event(n) for n in range(300) if n % 20 == 7 and n % 5]
    assert len(hits) == len(wanted)
    assert all(one["headers"]["pop-id"] == one["popId"] and one["storedAt"] for one in hits)


def test_people_get_lines_and_a_sentence(topics: Settings) -> None:
    """The lines can be counted; what was asked for is said beside them."""
    sent = events(40)
    send(topics, sent)
    done = search(topics, "--id", pop_id_of(sent[3]))

    assert done.returncode == 0
    (line,) = done.stdout.splitlines()
    assert pop_id_of(sent[3]) in line
    assert "3/3" in line
    assert done.stderr == (f"1 found among 40 records of {topics.events_topic}: one of 1 ids\n")


def test_nothing_is_an_answer_too(topics: Settings) -> None:
    """Of topics without a record as well."""
    done = search(topics, "--topic", "events", "--topic", "failure")

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("0 found among 0 records")


def test_records_that_are_odd_are_found_as_they_are(topics: Settings) -> None:
    """Without key, headers or value; no JSON; with a header that has no value."""
    odd = [
        Outgoing(value=b"no JSON", partition=0),
        Outgoing(value=None, key=b"1/2", partition=0),
        Outgoing(value=b"[]", partition=0, headers=[("pop-id", b"\xff")]),
    ]
    send(topics, odd)
    hits = found(search(topics, "--json"))

    assert [one["event"] for one in hits] == [None, None, None]
    assert [one.get("valueBase64") for one in hits] == ["bm8gSlNPTg==", None, "W10="]
    assert len({one["popId"] for one in hits}) == 3
    assert found(search(topics, "--where", "siteId=1", "--json")) == []


def test_a_header_name_that_is_no_text_does_not_end_the_scan(topics: Settings) -> None:
    r"""It is found as the workers carry it along: such bytes written out in the name.

    After many others: in a loop that Python has made fast, the client's defect ended the process.
    """
    values = [each.value or b"" for each in events(304)]
    names = [b"plain"] * 301 + [b"caf\xe9", b"\xff\xfe", b"plain"]
    asyncio.run(produce_named(topics.kafka_bootstrap_servers, topics.events_topic, values, names))
    hits = found(search(topics, "--json"))

    assert [one["offset"] for one in hits] == list(range(304))
    assert [[*one["headers"]] for one in hits[300:]] == [
        ["plain"], ["caf\\xe9"], ["\\xff\\xfe"], ["plain"],
    ]  # fmt: skip


def test_what_is_deleted_or_no_record_is_passed_over(topics: Settings) -> None:
    """The topic begins later, and has offsets of transactions in between and at its end."""
    write_in_transactions(topics, events(30))
    before = found(search(topics, "--json"))
    assert len(before) == 30
    delete_records(topics, {one["partition"]: one["offset"] + 1 for one in before[:1]})

    assert len(found(search(topics, "--json"))) == 29


def test_what_comes_meanwhile_is_not_read(topics: Settings) -> None:
    """The end is where the topic ended at the start; else a scan of a busy topic never ends."""
    send(topics, events(50))
    with Topics(topics) as reader:
        spans = reader.spans([topics.events_topic])
        send(topics, events(80)[50:])
        read: list[EventView] = [one for some in reader.read(spans) for one in some]

    assert len(read) == 50


def test_the_time_of_storing_bounds_what_is_read(topics: Settings) -> None:
    """From then on, and before then: half-open."""
    send(topics, events(20))
    time.sleep(1.1)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + "Z"
    send(topics, events(50)[20:])

    assert len(found(search(topics, "--json", "--stored-from", moment))) == 30
    assert len(found(search(topics, "--json", "--stored-to", moment))) == 20


def test_a_topic_that_is_not_there_is_said(topics: Settings) -> None:
    """With what makes it."""
    done = run_command(topics, "events", "search", events_topic="t-nowhere")

    assert done.returncode == 1
    assert "no such topic: t-nowhere; `pop-stream topics ensure` makes it" in done.stderr


def test_a_topic_that_is_deleted_meanwhile_ends_the_scan_with_an_error(topics: Settings) -> None:
    """What was read before that is not all, and does not look as if it were."""
    # More than come at once, and then are on their way.
    send(topics, [event(n, filename="x" * 60_000) for n in range(3000)])
    admin = AdminClient({"bootstrap.servers": topics.kafka_bootstrap_servers})
    with Topics(topics) as reader:
        spans = reader.spans([topics.events_topic])
        scan = reader.read(spans)
        next(scan)
        admin.delete_topics([topics.events_topic])[topics.events_topic].result(30)
        with pytest.raises(TopicsMissingError):
            list(scan)


def test_records_that_are_deleted_meanwhile_end_the_scan_with_an_error(topics: Settings) -> None:
    """They were there at the start, and would be missing without a word."""
    send(topics, [event(n, partition=0) for n in range(20)])
    with Topics(topics) as reader:
        spans = reader.spans([topics.events_topic])
        delete_records(topics, {0: 10})
        with pytest.raises(WorkFailedError, match="were deleted while they were read"):
            list(reader.read(spans))


def test_an_unreachable_kafka_is_said(topics: Settings) -> None:
    """Exit code 3, the address, and why: that is known at once."""
    done = run_command(topics, "events", "search", kafka_bootstrap_servers="127.0.0.1:1")

    assert done.returncode == 3
    assert "127.0.0.1:1" in done.stderr
    assert "nothing listens there" in done.stderr


def test_wrong_use_is_told_before_anything_is_read(topics: Settings, tmp_path: Path) -> None:
    """Exit code 2, and what to write instead."""
    for arguments in (["--where", "siteId"], ["--day", "soon"], ["--zone", "Mars"],
                      ["--where", f"siteId=@{tmp_path}/nowhere"], ["--id", "x"]):  # fmt: skip
        done = search(topics, *arguments)
        assert done.returncode == 2, done.stderr
        assert done.stderr.startswith("Error: ")


def test_nobody_is_disturbed(topics: Settings) -> None:
    """No group is joined, none is made, and nothing is committed."""
    send(topics, events(20))
    search(topics)
    admin = AdminClient({"bootstrap.servers": topics.kafka_bootstrap_servers})
    groups = {one.group_id for one in admin.list_consumer_groups().result().valid}

    assert not {group for group in groups if "analyst" in group}
