"""SQL over a real Kafka and over what was exported from it."""

import json
import subprocess
from pathlib import Path

import pytest

from pop_stream.settings import Settings
from tests.integration.test_events_export import export
from tests.support.command import run_command
from tests.support.kafka import send
from tests.support.plays import event, events


def query(settings: Settings, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run the command."""
    return run_command(settings, "events", "query", *arguments)


def test_topics_are_tables(topics: Settings) -> None:
    """Only those that the SQL names are read; lines of columns come on stdout."""
    send(topics, events(100))
    send(topics, [event(n, headers=[("pop-reason", b"rejected")]) for n in (3, 7)],
         topics.failure_topic)  # fmt: skip
    done = query(
        topics,
        "SELECT e.siteId, f.reason, count(*) FROM events e JOIN failure f USING (siteId) "
        "GROUP BY ALL ORDER BY 1",
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "3\trejected\t5\n7\trejected\t5\n"
    assert done.stderr == (
        f"reading {topics.events_topic} and {topics.failure_topic} into a temporary file\n"
    )


def test_the_flags_say_which_events_are_read(topics: Settings) -> None:
    """So that a query of one day of a large topic does not copy all of it."""
    send(topics, events(100))
    done = query(topics, "FROM events SELECT count(*) AS plays", "--where", "siteId=7", "--json")

    assert [json.loads(line) for line in done.stdout.splitlines()] == [{"plays": 5}]


def test_an_export_is_asked_without_a_kafka(topics: Settings, tmp_path: Path) -> None:
    """By day as well; and it says what it does not hold."""
    send(topics, events(100))
    done = export(topics, "--format", "csv", "--by-day", "--to", tmp_path / "x")
    assert done.returncode == 0, done.stderr
    (tmp_path / "plays.sql").write_text("SELECT count(DISTINCT pop_id), max(stored_at) FROM events")
    command = ("events", "query", f"@{tmp_path}/plays.sql", "--from", tmp_path / "x")
    answer = run_command(topics, *command, kafka_bootstrap_servers="127.0.0.1:1")

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("100\t20")
    other = query(topics, "SELECT 1 FROM failure", "--from", tmp_path / "x")
    assert other.returncode == 2
    assert "There is: events" in other.stderr


def test_topics_without_records_are_tables_too(topics: Settings) -> None:
    """With all columns, and no rows."""
    done = query(topics, "SELECT count(*), count(siteId) FROM retry")

    assert (done.returncode, done.stdout) == (0, "0\t0\n")
    assert query(topics, "SHOW TABLES").stdout.split() == [
        "events", "failure", "notifications", "retry",
    ]  # fmt: skip


def test_what_is_wrong_is_told_before_a_topic_is_read(topics: Settings, tmp_path: Path) -> None:
    """Exit code 2, one message, no Kafka; the flags belong to topics."""
    nothing = tmp_path / "no.sql"
    for arguments in (["SELEC 1"], ["SELECT x FROM events"], ["COPY events TO 'x'"], ["FROM x"],
                      [f"@{nothing}"], ["SELECT 1", "--from", tmp_path],
                      ["SELECT 1", "--from", tmp_path, "--where", "siteId=7"]):  # fmt: skip
        done = run_command(topics, "events", "query", *arguments,
                           kafka_bootstrap_servers="127.0.0.1:1")  # fmt: skip
        assert done.returncode == 2, done.stderr
        assert done.stderr.startswith("Error: ")
        assert "Traceback" not in done.stderr


def test_what_players_wrote_stays_on_its_line(topics: Settings) -> None:
    """No tab, no end of a line, and nothing that moves a terminal's cursor."""
    hostile = r"a\tb\nc\u001b[2J\\d"
    send(topics, [event(0, filename=hostile)])
    done = query(topics, "SELECT filename, filename FROM events")

    assert done.stdout == r"a\tb\nc\x1b[2J\\d" + "\t" + r"a\tb\nc\x1b[2J\\d" + "\n"


def test_a_query_leaves_nothing_behind(topics: Settings, tmp_path: Path) -> None:
    """The temporary file is gone, whatever came of the query."""
    send(topics, events(10))
    for sql, code in (("SELECT 1 FROM events", 0), ("SELECT filename::INT FROM events", 2)):
        done = query_in(tmp_path, topics, sql)
        assert done.returncode == code, done.stderr
        assert list(tmp_path.iterdir()) == []


def query_in(folder: Path, settings: Settings, sql: str) -> "subprocess.CompletedProcess[str]":
    """Run it with a folder for temporary files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        return query(settings, sql)
