"""Exports of a real Kafka: every event once, whatever happens on the way."""

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from confluent_kafka.admin import AdminClient

from pop_stream.analysis.export.journal import WORK_FOLDER
from pop_stream.analysis.scan import Topics
from pop_stream.settings import Settings
from tests.integration.test_accidents import delete_records
from tests.support.command import run_command
from tests.support.eventually import eventually
from tests.support.kafka import Outgoing, send
from tests.support.plays import event, events, pop_id_of
from tests.support.transactions import write_in_transactions


def export(settings: Settings, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run the command."""
    return run_command(settings, "events", "export", *arguments)


def exported(settings: Settings, folder: Path, *arguments: str | Path) -> list[dict[str, Any]]:
    """The events of an export to NDJSON."""
    done = export(settings, "--format", "ndjson", "--to", folder, *arguments)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in (folder / "events.ndjson").read_bytes().splitlines()]


def files(folder: Path) -> dict[str, bytes]:
    """What is in a folder, but for the manifest, which tells the time."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*")
            if path.is_file() and path.name != "manifest.json"}  # fmt: skip


def start(settings: Settings, *arguments: str | Path) -> "subprocess.Popen[str]":
    """Start the command."""
    names = ("kafka_bootstrap_servers", "events_topic", "failure_topic")
    own = {f"POP_STREAM_{name.upper()}": str(getattr(settings, name)) for name in names}
    return subprocess.Popen(
        [sys.executable, "-m", "pop_stream", "events", "export", *map(str, arguments)],
        env=os.environ | own, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def steps(folder: Path) -> int:
    """How many lines the journal of an export has."""
    try:
        return (folder / WORK_FOLDER / "journal.ndjson").read_bytes().count(b"\n")
    except FileNotFoundError:
        # Not begun yet; or it has come to its end a moment ago, and took its journal away.
        return 0


def end_after_a_step(settings: Settings, sign: signal.Signals, to: Path, *asked: str) -> str | None:
    """Start it, let it come further by a step, and end it; what it said, or None at its end."""
    before = steps(to)
    with start(settings, *asked, "--to", to) as process:
        eventually(lambda: process.poll() is not None or steps(to) > before, "a step")
        process.send_signal(sign)
        _, said = process.communicate(timeout=30)
    if process.returncode == 0:
        return None
    assert process.returncode == (130 if sign == signal.SIGINT else -sign), said
    return said


@pytest.fixture
def played(topics: Settings) -> Settings:
    """A topic with more events than one part holds, on each of its partitions."""
    send(topics, [event(n, partition=n % 2) for n in range(22_000)])
    return topics


@pytest.mark.parametrize(
    "asked", [("--format", "parquet", "--by-day"), ("--format", "csv", "--where", "siteId!=7")]
)
def test_killed_again_and_again_it_ends_with_the_same_files(
    played: Settings, tmp_path: Path, asked: Sequence[str]
) -> None:
    """By kill -9, after each step: every event is in them once, in the same bytes."""
    done = export(played, *asked, "--to", tmp_path / "whole")
    assert done.returncode == 0, done.stderr
    kills = 0
    while end_after_a_step(played, signal.SIGKILL, tmp_path / "it", *asked) is not None:
        kills += 1
        # What comes meanwhile is not in it.
        send(played, events(40))

    assert kills >= 4
    assert files(tmp_path / "it") == files(tmp_path / "whole")
    manifest, whole = (json.loads((tmp_path / name / "manifest.json").read_bytes())
                       for name in ("it", "whole"))  # fmt: skip
    assert (manifest["files"], manifest["read"]) == (whole["files"], whole["read"])
    assert manifest["rows"] == (22_000 if "--by-day" in asked else 20_900)


def test_whoever_interrupts_it_is_told_how_it_goes_on(played: Settings, tmp_path: Path) -> None:
    """Ctrl-C: exit code 130; the same command is enough, and another one is refused."""
    asked = ("--format", "ndjson", "--stored-from", "2h")
    for attempt in range(9):
        # It may be faster than the signal: then once more, into another folder.
        folder = tmp_path / f"it-{attempt}"
        said = end_after_a_step(played, signal.SIGINT, folder, *asked)
        if said is not None:
            break
    assert said is not None
    assert "Interrupted. The same command goes on where it was" in said

    other = export(played, "--format", "csv", "--to", folder)
    assert other.returncode == 2
    assert "holds the beginning of another export (ndjson of" in other.stderr
    done = export(played, *asked, "--to", folder)
    assert done.returncode == 0
    assert "going on with the export" in done.stderr
    assert len((folder / "events.ndjson").read_bytes().splitlines()) == 22_000
    again = export(played, *asked, "--to", folder, "--json")
    assert again.returncode == 0
    assert "holds this export already" in again.stderr
    assert json.loads(again.stdout)["rows"] == 22_000


def test_it_holds_exactly_what_is_meant(topics: Settings, tmp_path: Path) -> None:
    """In each format the same events; the manifest tells what was asked for and read."""
    sent = [event(n, filename="a.mp4" if n % 5 else "b.webm") for n in range(300)]
    send(topics, sent)
    meant = {pop_id_of(sent[n]) for n in range(300) if n % 20 == 7}
    asked = ("--where", "siteId=7 filename~*.mp4")
    lines = exported(topics, tmp_path / "n", *asked)
    for form in ("csv", "parquet"):
        done = export(topics, "--format", form, "--to", tmp_path / form, "--by-day", *asked)
        assert done.returncode == 0, done.stderr
    day = "day=2026-11-20"
    table = pyarrow.parquet.read_table(tmp_path / "parquet" / day / "events.parquet")
    with (tmp_path / "csv" / day / "events.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    assert {one["popId"] for one in lines} == meant
    assert set(table["pop_id"].to_pylist()) == meant
    assert {row["pop_id"] for row in rows} == meant
    assert len(lines) == len(rows) == table.num_rows == len(meant)
    manifest = json.loads((tmp_path / "csv" / "manifest.json").read_bytes())
    assert manifest["asked"]["selection"] == ["siteId=7", "filename~*.mp4"]
    assert sum(span["to"] - span["from"] for span in manifest["read"]["spans"]) == 300
    assert "15 events of 300 records" in done.stderr


def test_a_folder_can_be_verified(topics: Settings, tmp_path: Path) -> None:
    """Without a Kafka; exit code 1 when it is not as it was."""
    send(topics, events(30))
    exported(topics, tmp_path)
    command = ("events", "export", "--verify", tmp_path)
    good = run_command(topics, *command, kafka_bootstrap_servers="127.0.0.1:1")
    with (tmp_path / "events.ndjson").open("ab") as file:
        file.write(b"{}\n")
    bad = run_command(topics, *command)

    assert (good.returncode, good.stdout) == (0, "")
    assert "all 1 files with 30 events" in good.stderr
    assert bad.returncode == 1
    assert bad.stdout.startswith("events.ndjson\thas ")


def test_records_that_are_odd_are_exported_as_they_are(topics: Settings, tmp_path: Path) -> None:
    """Without key, headers or value; no JSON; bytes that are no text; formulas; odd days."""
    odd = [
        Outgoing(value=b"no JSON", partition=0),
        Outgoing(value=None, key=b"1/2", partition=0),
        Outgoing(value=b"\xff\xfe", partition=0, headers=[("pop-id", b"\xff")]),
        Outgoing(value=b'{"filename":"=cmd","siteId":"007","startTimestamp":"../x"}', partition=0),
        Outgoing(value=b'\n{"siteId":7,\r\n"startTimestamp":"2026-11-21 00:00:01"}', partition=0),
    ]
    send(topics, odd)
    lines = exported(topics, tmp_path / "n")
    for form in ("csv", "parquet"):
        done = export(topics, "--format", form, "--to", tmp_path / form, "--by-day")
        assert done.returncode == 0, done.stderr
    unknown = pyarrow.parquet.read_table(tmp_path / "parquet/day=unknown/events.parquet")
    with (tmp_path / "csv" / "day=unknown" / "events.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (tmp_path / "csv" / "day=2026-11-21" / "events.csv").open(newline="") as file:
        (late,) = csv.DictReader(file)

    assert [one["offset"] for one in lines] == [0, 1, 2, 3, 4]
    assert unknown["value"].to_pylist() == ["no JSON", None, None, (odd[3].value or b"").decode()]
    assert unknown["value_base64"].to_pylist() == [None, None, "//4=", None]
    assert unknown["siteId"].to_pylist()[-1] == "007"
    assert (rows[3]["filename"], rows[3]["siteId"]) == ("'=cmd", "007")
    assert late["siteId"] == "7"
    # A line's end at its beginning is a sign of a formula for some.
    assert late["value"].encode() == b"'" + (odd[4].value or b"")


def test_a_topic_without_records_is_an_export_too(topics: Settings, tmp_path: Path) -> None:
    """With a file that says so; by day there is none."""
    assert exported(topics, tmp_path / "n") == []
    done = export(topics, "--format", "csv", "--by-day", "--to", tmp_path / "d")

    assert done.returncode == 0
    assert json.loads((tmp_path / "d" / "manifest.json").read_bytes())["files"] == []


def test_what_is_deleted_or_no_record_is_passed_over(topics: Settings, tmp_path: Path) -> None:
    """The topic begins later, and has offsets of transactions in between and at its end."""
    write_in_transactions(topics, events(30))
    before = exported(topics, tmp_path / "before")
    delete_records(topics, {one["partition"]: one["offset"] + 1 for one in before[:1]})

    assert len(before) == 30
    assert len(exported(topics, tmp_path / "after")) == 29


def test_records_that_are_deleted_on_the_way_end_it_with_an_error(
    played: Settings, tmp_path: Path
) -> None:
    """Its files would look like all that was there."""
    asked = ("--format", "parquet")
    assert end_after_a_step(played, signal.SIGKILL, tmp_path / "it", *asked) is not None
    delete_records(played, {0: 11_000, 1: 11_000})
    done = export(played, *asked, "--to", tmp_path / "it")

    assert done.returncode == 1
    assert "were deleted since this export began: begin anew" in done.stderr


def test_a_topic_that_is_deleted_on_the_way_ends_it_with_an_error(
    played: Settings, tmp_path: Path
) -> None:
    """Likewise, with what is missing."""
    asked = ("--format", "parquet")
    assert end_after_a_step(played, signal.SIGKILL, tmp_path / "it", *asked) is not None
    admin = AdminClient({"bootstrap.servers": played.kafka_bootstrap_servers})
    admin.delete_topics([played.events_topic])[played.events_topic].result(30)
    done = export(played, *asked, "--to", tmp_path / "it")

    assert done.returncode == 1
    assert f"no such topic: {played.events_topic}" in done.stderr


def test_several_topics_are_one_export(topics: Settings, tmp_path: Path) -> None:
    """With what was said of parked events."""
    send(topics, events(10))
    parked = event(3, headers=[("pop-reason", b"rejected"), ("pop-status", b"422")])
    send(topics, [parked], topics.failure_topic)
    done = export(topics, "--format", "parquet", "--to", tmp_path / "x",
                  "--topic", "events", "--topic", "failure")  # fmt: skip
    assert done.returncode == 0, done.stderr
    table = pyarrow.parquet.read_table(tmp_path / "x" / "events.parquet")

    assert table.num_rows == 11
    (row,) = table.filter(pyarrow.compute.field("reason") == "rejected").to_pylist()
    assert (row["topic"], row["status"], row["attempt"]) == (topics.failure_topic, 422, 0)


def test_wrong_use_is_told_before_anything_is_read(topics: Settings, tmp_path: Path) -> None:
    """Exit code 2, and what to write instead."""
    (tmp_path / "mine.txt").touch()
    for arguments in (["--format", "csv"], ["--to", "x"], ["--verify", tmp_path, "--to", "x"],
                      ["--verify", tmp_path], ["--format", "csv", "--to", tmp_path]):  # fmt: skip
        done = run_command(topics, "events", "export", *arguments,
                           kafka_bootstrap_servers="127.0.0.1:1")  # fmt: skip
        assert done.returncode == 2, done.stderr
        assert done.stderr.startswith("Error: ")


def test_no_group_is_joined(topics: Settings, tmp_path: Path) -> None:
    """And none is made."""
    send(topics, events(20))
    exported(topics, tmp_path)
    with Topics(topics) as reader:
        assert reader.cluster_id()
    admin = AdminClient({"bootstrap.servers": topics.kafka_bootstrap_servers})
    groups = {one.group_id for one in admin.list_consumer_groups().result().valid}

    assert not {group for group in groups if "analyst" in group}
