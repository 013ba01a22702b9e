"""Reconciling on a real Kafka: what was planted on either side is found, and nothing else."""

import csv
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pop_stream.settings import Settings
from tests.support.command import run_command
from tests.support.commits import commit
from tests.support.kafka import Outgoing
from tests.support.plays import event, pop_id_of, retry_of
from tests.support.trial import Trial

_COLUMNS = ("ref", "siteId", "screenId", "assetId", "filename", "startTimestamp", "ioNumber")


def run(settings: Settings, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run the command."""
    return run_command(settings, "reconcile", *arguments)


def reconciled(settings: Settings, *arguments: str | Path, code: int) -> dict[str, Any]:
    """What it finds, as JSON."""
    done = run(settings, "--json", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def sent(topics: Settings, tmp_path: Path) -> list[Outgoing]:
    """Twelve events, the first ten of which are delivered as far as commits tell.

    The fourth was written twice.
    """
    sent = [event(n, partition=0) for n in range(12)]
    Trial(topics, tmp_path).send([*sent[:10], sent[3], *sent[10:]])
    commit(topics, topics.events_topic, {0: 11})
    return sent


def fields_of(sent: Outgoing) -> dict[str, str]:
    """The row that GSTV would have of an event."""
    assert sent.value is not None
    return {"ref": pop_id_of(sent), **json.loads(sent.value)}


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    """A file of GSTV's side."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    """A file that was written."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_equal_sides_agree(topics: Settings, sent: list[Outgoing], tmp_path: Path) -> None:
    """What is not delivered yet is not of our side, and what was written twice is one event."""
    theirs = write(tmp_path / "theirs.csv", [fields_of(one) for one in sent[:10]])
    found = reconciled(topics, "--theirs", theirs, "--column", "popId=ref", code=0)

    assert found["ours"] == {"rows": 11, "plays": 10}
    assert found["theirs"]["both"] == 10
    page = run(topics, "--theirs", theirs, "--key", "play")
    assert page.returncode == 0, page.stdout + page.stderr
    assert "our side: 10 plays (1 rows more tell of the same ids)\n" in page.stdout
    assert "10 on both sides, 0 differing, 0 ours only, 0 theirs only" in page.stdout


def test_what_differs_is_listed(topics: Settings, sent: list[Outgoing], tmp_path: Path) -> None:
    """Missing at GSTV, strange to us, or otherwise; and no cell of a list is a formula."""
    rows = [fields_of(one) for one in sent[:9]]
    rows[2]["filename"] = "=cmd|' /C calc'!A0"
    strange = fields_of(event(77))
    theirs = write(tmp_path / "theirs.csv", [*rows, strange, strange | {"ref": "none"}])
    folder = tmp_path / "differences"
    arguments = ("--theirs", theirs, "--column", "popId=ref", "--csv", folder)
    found = reconciled(topics, *arguments, code=1)

    assert found["theirs"] | {"both": 8, "differing": 1, "ours_only": 1, "theirs_only": 1,
                              "theirs_without_key": 1} == found["theirs"]  # fmt: skip
    assert [row["popId"] for row in rows_of(folder / "ours-only.csv")] == [pop_id_of(sent[9])]
    assert [row["popId"] for row in rows_of(folder / "theirs-only.csv")] == [strange["ref"]]
    (differing,) = rows_of(folder / "differing.csv")
    assert differing["field"] == "filename"
    assert differing["theirs"] == "'=cmd|' /C calc'!A0"
    page = run(topics, *arguments)
    assert "NOT compared, without a key: 0 of ours, 1 of theirs" in page.stdout
    assert "filename: 'ok' ours, \"=cmd|' /C calc'!A0\" theirs" in page.stdout


def test_what_waits_for_a_retry_is_not_delivered(
    topics: Settings, sent: list[Outgoing], tmp_path: Path
) -> None:
    """Though its commit has passed it on the players' topic."""
    waiting = retry_of(sent[0], not_before=0)
    Trial(topics, tmp_path).send([waiting], topic=topics.retry_topic)
    theirs = write(tmp_path / "theirs.csv", [fields_of(one) for one in sent[:10]])
    found = reconciled(topics, "--theirs", theirs, "--column", "popId=ref", code=1)

    assert found["theirs"]["theirs_only"] == 1


def test_our_side_may_come_from_a_file(
    topics: Settings, sent: list[Outgoing], tmp_path: Path
) -> None:
    """Of `events search`, for a day that the topics keep no more."""
    ours = tmp_path / "ours.ndjson"
    ours.write_text(run_command(topics, "events", "search", "--json").stdout)
    theirs = write(tmp_path / "theirs.csv", [fields_of(one) for one in sent])
    arguments = ("--from", ours, "--theirs", theirs, "--column", "popId=ref")

    assert reconciled(topics, *arguments, code=0)["theirs"]["both"] == 12
    assert reconciled(topics, *arguments, "--day", "2026-11-21", code=0)["ours"]["plays"] == 0


def test_orders_and_playlists(topics: Settings, sent: list[Outgoing], tmp_path: Path) -> None:
    """What is to be made good, and what was played when it should not be."""
    orders, playlist = tmp_path / "orders.csv", tmp_path / "playlist.json"
    orders.write_text(
        "ioNumber,assetId,sites,from,to,plays\n"
        "124,,,2026-11-20,2026-11-20,4\n124,,,2026-11-19,2026-11-22,9\n125,,,2026-11-01,2026-11-02,3\n"
    )
    loops = [{"assets": [{"assetId": "grün", "dayparts": [{"start": "11:00", "end": "12:00"}]}]}]
    schedules = [{"date": "2026-11-20", "loops": loops}]
    playlist.write_text(json.dumps({"playlist": [
        {"siteId": str(site), "schedules": schedules} for site in range(5)
    ]}))  # fmt: skip
    folder = tmp_path / "differences"
    found = reconciled(topics, "--orders", orders, "--playlist", playlist, "--csv", folder,
                       "--as-of", "2026-11-21", code=1)  # fmt: skip
    assert sent

    assert [(one["delivered"], one["state"], one["owed"]) for one in found["orders"]] == [
        (4, "fulfilled", 0), (0, "behind", 0), (0, "short", 3),
    ]  # fmt: skip
    assert found["playlist"] == {
        "unknown-site": 5, "outside-dayparts": 2, "not-in-playlist": 3,
    }  # fmt: skip
    assert len(rows_of(folder / "outside-playlist.csv")) == 5
    page = run(topics, "--orders", orders, "--as-of", "2026-11-21").stdout
    assert "make good: 125, line 4: 3 plays\n" in page
    assert "124\tany\t2026-11-20\t2026-11-20\t4\t4\t100.0%\t100.0%\tfulfilled\n" in page


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "nothing to compare with"),
        (["--theirs", "/nowhere"], "cannot be read"),
        (["--theirs", "{empty}", "--column", "x=y"], "write NAME=COLUMN"),
        (["--orders", "{empty}"], "it has no lines"),
        (["--orders", "{empty}", "--as-of", "soon"], "is no time"),
        (["--theirs", "{empty}", "--from", "{empty}", "--where", "a=b"], "only --day"),
        (["--theirs", "{keyless}"], "not one of its 1 rows has a pop-id"),
    ],
)
def test_wrong_use_is_told(
    topics: Settings, arguments: list[str], says: str, tmp_path: Path
) -> None:
    """Before anything long is read."""
    (tmp_path / "empty").write_text("")
    (tmp_path / "keyless").write_text("a,b\n1,2\n")
    done = run(topics, *(one.format(empty=tmp_path / "empty", keyless=tmp_path / "keyless")
                         for one in arguments))  # fmt: skip

    assert done.returncode == 2, done.stderr
    assert says in done.stderr


def test_empty_sides_agree(topics: Settings, tmp_path: Path) -> None:
    """On topics without a record."""
    theirs = tmp_path / "theirs"
    theirs.write_text("")

    assert reconciled(topics, "--theirs", theirs, code=0)["ours"] == {"rows": 0, "plays": 0}
