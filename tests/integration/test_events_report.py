"""The report over a real Kafka: every record has its line, and the lines sum up."""

import csv
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from pop_stream.analysis.report.feed import survey_topics
from pop_stream.analysis.report.play import Reader
from pop_stream.analysis.report.site_zones import SiteZones
from pop_stream.analysis.report.spill import Spill
from pop_stream.analysis.report.survey import Survey
from pop_stream.analysis.scan import Progress
from pop_stream.analysis.selection import Selection
from pop_stream.errors import TopicsMissingError
from pop_stream.player.outbox.losses import Loss, as_header
from pop_stream.pop.event import Rules
from pop_stream.pop.loss import Reason
from pop_stream.settings import Settings
from tests.integration.test_accidents import delete_records
from tests.integration.test_events_search import found, search
from tests.support.command import run_command
from tests.support.kafka import Outgoing, send
from tests.support.plays import event, events
from tests.support.report_page import MADE_AT
from tests.support.transactions import write_in_transactions


def report(settings: Settings, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run the command."""
    return run_command(settings, "events", "report", *arguments)


def told(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    """What it told, as JSON."""
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["balanced"]
    return answer


def accounts(answer: dict[str, Any]) -> dict[str, int]:
    """What became of every record; the lines sum up to what was read."""
    lines = {line["line"]: line["records"] for line in answer["tables"]["accounts"]}
    assert lines["offsets"] * 2 == sum(lines.values())
    return lines


def test_every_record_has_its_line(topics: Settings) -> None:
    """Plays, and what is none: without value, undecodable, no JSON; without key and headers."""
    values = (b"no JSON", None, b"\xff\xfe", b"{}")
    odd = [Outgoing(value=value, key=b"1/2", partition=0) for value in values]
    send(topics, [*events(60), *odd, Outgoing(value=event(0).value, partition=1)])
    answer = told(report(topics, "--json"))

    assert accounts(answer) == {
        "offsets": 65, "missing-required-field": 1, "no-value": 1, "not-json": 1, "not-utf8": 1,
        "plays": 61,
    }  # fmt: skip
    assert answer["plays"] == 61
    assert answer["airtimeSeconds"] == 61 * 15
    assert sum(row["plays"] for row in answer["tables"]["sites"]) == 61
    flags = {row["flag"]: row["plays"] for row in answer["tables"]["flags"]}
    assert flags["no-key"] == 1


def test_topics_without_a_record_have_a_report_too(topics: Settings) -> None:
    """Of nothing; as tables, and as a page."""
    page = Path(topics.group + ".html")
    done = report(topics, "--html", page)
    try:
        assert done.returncode == 0, done.stderr
        assert "0 plays, 0:00:00 of airtime" in page.read_text()
    finally:
        page.unlink(missing_ok=True)
    assert accounts(told(report(topics, "--json")))["plays"] == 0


def test_what_is_deleted_or_no_record_is_told(topics: Settings) -> None:
    """Offsets of transactions hold none; what is deleted is not read."""
    write_in_transactions(topics, events(30))
    before = found(search(topics, "--json"))
    delete_records(topics, {one["partition"]: one["offset"] + 1 for one in before[:1]})
    lines = accounts(told(report(topics, "--json")))

    assert lines["plays"] == 29
    assert lines["hold no record"] == lines["offsets"] - 29 > 0


def test_a_selection_says_what_it_does_not_mean(topics: Settings) -> None:
    """And that gaps and finality cannot be told of it, unless it means whole screens."""
    send(topics, [event(n, filename="a.mp4" if n % 5 else "b.webm") for n in range(100)])
    some = told(report(topics, "--json", "--where", "filename~*.mp4"))
    site = told(report(topics, "--json", "--where", "siteId=7"))

    assert accounts(some) == {"offsets": 100, "not meant by the selection": 20, "plays": 80}
    assert "completeness" not in some["tables"]
    assert any("leaves out" in row["why_not"] for row in some["tables"]["findings"])
    assert accounts(site) == {"offsets": 100, "not meant by the selection": 95, "plays": 5}
    assert "completeness" in site["tables"]


def test_a_file_tells_what_the_topic_told(topics: Settings, tmp_path: Path) -> None:
    """For what Kafka does not keep: as `events search --json` has written it, and from stdin."""
    send(topics, [*events(50), *events(50)[:7], Outgoing(value=b"no JSON", partition=0)])
    kept = tmp_path / "kept.ndjson"
    kept.write_text(search(topics, "--json").stdout)
    zone = ("--site-zone", "America/Chicago", "--json")
    by_topic = told(report(topics, *zone))
    by_file = told(run_command(topics, "events", "report", "--from", str(kept), *zone,
                               kafka_bootstrap_servers="127.0.0.1:1"))  # fmt: skip
    by_stdin = told(run_command(topics, "events", "report", "--from", "-", *zone,
                                stdin=kept.read_text() + "no record\n\n"))  # fmt: skip

    for name in ("assets", "orders", "screens", "hours", "utc_hours", "findings", "moments",
                 "late_percentiles", "completeness"):  # fmt: skip
        assert by_file["tables"][name] == by_topic["tables"][name], name
    lines = {line["line"]: line["records"] for line in by_stdin["tables"]["accounts"]}
    assert lines == {"lines": 60, "hold no record": 1, "no-record": 1, "not-json": 1, "plays": 57}


def test_the_failure_topic_tells_reasons(topics: Settings) -> None:
    """With GSTV's status; gaps and finality are not told of what is parked."""
    parked = [("pop-reason", b"rejected"), ("pop-status", b"422")]
    send(topics, [event(n, headers=parked) for n in range(9)], topics.failure_topic)
    answer = told(report(topics, "--topic", "failure", "--json"))

    assert answer["tables"]["reasons"] == [{"reason": "rejected", "status": "422", "records": 9}]
    assert "gaps" not in answer["tables"]


def test_numbers_of_players_tell_whether_a_day_is_final(topics: Settings) -> None:
    """With a number missing it is open, and the number is told."""
    numbered = [event(7, headers=[("pop-seq", str(n).encode()), ("pop-boot", b"b")])
                for n in (1, 2, 4)]  # fmt: skip
    send(topics, numbered)
    tables = told(report(topics, "--json", "--day", "2026-11-20"))["tables"]

    (day,) = tables["completeness"]
    assert (day["day"], day["numbers_seen"], day["missing"]) == ("2026-11-20", 3, 1)
    assert day["state"] == "open"
    assert "numbers are missing" in day["why"]
    assert [(row["first"], row["last"]) for row in tables["missing"]] == [(3, 3)]


def test_what_players_declare_lost_is_not_missing(topics: Settings) -> None:
    """As an outbox declares it, in a header; once, with events that came twice."""
    lost = as_header([Loss(key="7/1", boot=b"b", reason=Reason.FULL, first=2, last=4)])
    headers = {1: (), 5: (("pop-lost", lost.encode()),), 7: (("pop-lost", b"?"),)}
    numbered = [event(7, headers=[("pop-seq", str(number).encode()), *more])
                for number, more in headers.items()]  # fmt: skip
    send(topics, numbered + numbered)
    tables = told(report(topics, "--json"))["tables"]
    found = {row["finding"]: row["number"] for row in tables["findings"]}

    assert found["numbers that are missing"] == 1
    assert found["plays that players declare lost, beside these"] == 3
    assert found["events whose pop-lost cannot be read, or is of no known screen"] == 1
    (row,) = tables["lost_reasons"]
    assert (row["reason"], row["plays"], row["screens"]) == ("outbox-full", 3, 1)


def test_a_folder_of_csv_and_a_page_are_written(topics: Settings, tmp_path: Path) -> None:
    """Beside the tables on stdout, each line of which begins with its table's name."""
    send(topics, events(40))
    done = report(topics, "--csv", tmp_path / "csv", "--html", tmp_path / "page.html")

    assert done.returncode == 0, done.stderr
    assert "accounts\tplays\tcounted\t40" in done.stdout.splitlines()
    with (tmp_path / "csv" / "sites.csv").open(newline="") as file:
        assert sum(int(row["plays"]) for row in csv.DictReader(file)) == 40
    assert "40 plays, 0:10:00 of airtime" in (tmp_path / "page.html").read_text()
    assert not list(tmp_path.glob("*.part"))


def test_what_comes_meanwhile_is_not_counted(topics: Settings) -> None:
    """The report ends where the topic ended at the start."""
    send(topics, events(50))
    sent_more: list[int] = []

    def send_more(progress: Progress) -> None:
        if not sent_more:
            sent_more.append(progress.total)
            send(topics, events(30))

    survey, source = surveyed(topics, send_more)

    assert sent_more
    assert (survey.counted.plays, source) == (50, 50)


def surveyed(topics: Settings, told: Any) -> tuple[Survey, int]:
    """Read the players' topic; gives how many offsets it had."""
    reader = Reader(rules=Rules(), zones=SiteZones(), period=None, now=MADE_AT)
    with Spill() as spill:
        survey = Survey(reader, spill)
        source = survey_topics(topics, [topics.events_topic], Selection(), survey, told)
    return survey, source.places


def test_a_topic_that_is_deleted_meanwhile_makes_no_report(topics: Settings) -> None:
    """What was read is not all, and is not told as if it were."""
    send(topics, [event(n, filename="x" * 60_000) for n in range(2000)])
    admin = AdminClient({"bootstrap.servers": topics.kafka_bootstrap_servers})
    deleted: list[int] = []

    def delete(progress: Progress) -> None:
        if not deleted:
            deleted.append(progress.done)
            admin.delete_topics([topics.events_topic])[topics.events_topic].result(30)

    with pytest.raises(TopicsMissingError):
        surveyed(topics, delete)


def test_a_topic_that_is_not_there_is_said(topics: Settings) -> None:
    """With what makes it."""
    done = run_command(topics, "events", "report", events_topic="t-nowhere")

    assert done.returncode == 1
    assert "no such topic: t-nowhere" in done.stderr


def test_wrong_use_is_told_before_anything_is_read(topics: Settings, tmp_path: Path) -> None:
    """Exit code 2, without a Kafka, and what to write instead."""
    zones = tmp_path / "zones.csv"
    zones.write_text("1202\n")
    for arguments, says in (
        (["--gap", "soon"], "--gap 'soon' is no span"),
        (["--gap", "0m"], "is no span"),
        (["--site-zone", "Mars"], "--site-zone 'Mars' is no zone"),
        (["--sites", tmp_path / "nowhere"], "cannot be read"),
        (["--sites", zones], "--sites, line 1"),
        (["--from", tmp_path / "nowhere"], "--from"),
        (["--html", tmp_path], "is a folder"),
        (["--html", tmp_path / "a" / "b.html"], "there is no folder"),
        (["--csv", zones], "is no folder"),
        (["--topic", "notifications"], "notifications"),
    ):
        done = run_command(topics, "events", "report", *arguments,
                           kafka_bootstrap_servers="127.0.0.1:1")  # fmt: skip
        assert done.returncode == 2, (arguments, done.stderr)
        assert says in done.stderr, arguments
