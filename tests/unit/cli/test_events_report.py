"""The report on a terminal and in a pipe, from files."""

import json
import sys
from pathlib import Path

import orjson
import pytest

from pop_stream.analysis.as_object import as_object
from pop_stream.analysis.report.report import Report
from pop_stream.cli.main import run
from tests.unit.analysis.report.records import record

HOSTILE = "\x1b[2J\x1b[31m=\u202e\r\nx\ty"


@pytest.fixture
def kept(tmp_path: Path) -> str:
    """A file with 30 plays, on 30 sites with hostile names."""
    path = tmp_path / "kept.ndjson"
    events = (record(n, site=f"{HOSTILE}{n}", seq=n) for n in range(1, 31))
    path.write_bytes(b"".join(orjson.dumps(as_object(event)) + b"\n" for event in events))
    return str(path)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command printed."""
    assert run(["events", "report", *arguments]) == 0
    return capsys.readouterr().out


def test_no_name_moves_the_cursor(
    kept: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a pipe, where tabs and lines have a meaning, and on a terminal."""
    lines = printed(capsys, "--from", kept).splitlines()
    assert all(line.replace("\t", "").isprintable() for line in lines)
    assert [line.count("\t") for line in lines if line.startswith("sites\t")] == [4] * 30

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    shown = printed(capsys, "--from", kept)
    assert "\x1b[2J" not in shown
    assert "\u202e" not in shown


def test_a_terminal_shows_so_many_rows(
    kept: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says how many more there are."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)

    assert "and 27 more: --top 0 shows all" in printed(capsys, "--from", kept, "--top", "3")
    assert "more: --top" not in printed(capsys, "--from", kept, "--top", "0")


def test_a_program_gets_all_rows(kept: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Names as they were written."""
    told = json.loads(printed(capsys, "--from", kept, "--json", "--top", "3"))

    assert len(told["tables"]["sites"]) == 30
    assert f"{HOSTILE}1" in {row["siteId"] for row in told["tables"]["sites"]}


def test_declared_losses_are_in_every_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For a program, in a pipe, and in a file of their own."""
    kept, folder = tmp_path / "kept.ndjson", tmp_path / "csv"
    told = (("pop-lost", b'[{"reason": "write-failed", "first": 2, "last": 4}]'),)
    events = (record(1, seq=1), record(6, seq=6, headers=told))
    kept.write_bytes(b"".join(orjson.dumps(as_object(event)) + b"\n" for event in events))
    asked = ("--from", str(kept), "--csv", str(folder))

    assert "lost_screens\t1202\t7\twrite-failed\t3\t0" in printed(capsys, *asked).splitlines()
    lines = (folder / "lost_reasons.csv").read_text().splitlines()
    assert lines[1] == '"write-failed","the disk of the player took no writing",3,1,0'
    tables = json.loads(printed(capsys, *asked, "--json"))["tables"]
    assert [(row["reason"], row["first"], row["last"]) for row in tables["lost"]] == [
        ("write-failed", 2, 4)
    ]
    assert [(row["missing"], row["lost"]) for row in tables["completeness"]] == [(1, 3)]


def test_a_report_that_is_wrong_ends_with_an_error(
    kept: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After it was printed, so that it can be looked into."""
    monkeypatch.setattr(Report, "is_balanced", False)

    assert run(["events", "report", "--from", kept]) == 1
    captured = capsys.readouterr()
    assert "accounts\t" in captured.out
    assert "the sums of the report do not agree" in captured.err


def test_the_zones_of_sites_are_read_as_a_spreadsheet_writes_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a mark at the begin; and a line that is wrong is named as it is numbered there."""
    kept, zones = tmp_path / "kept.ndjson", tmp_path / "zones.csv"
    kept.write_bytes(orjson.dumps(as_object(record())))
    zones.write_bytes("\ufeffsiteId,zone\r\n\r\n1202,America/Chicago\r\n".encode())
    asked = ("--from", str(kept), "--sites", str(zones))
    assert "utc_hours\t2026-11-20 16:00\t1\t15" in printed(capsys, *asked).splitlines()

    zones.write_bytes(b"siteId,zone\n\n1202,Mars\n")
    assert run(["events", "report", *asked]) == 2
    assert "--sites, line 3: 'Mars' is no zone" in capsys.readouterr().err
