"""A folder is compared with its manifest."""

import json
from pathlib import Path
from typing import Any

import pytest

from pop_stream.analysis.durable import sha256_of
from pop_stream.analysis.export.journal import Joined
from pop_stream.analysis.export.manifest import (
    differences,
    manifest_of,
    read_manifest,
    write_manifest,
)
from pop_stream.errors import UsageError
from tests.unit.analysis.export.test_journal import beginning, order


@pytest.fixture
def manifest(tmp_path: Path) -> dict[str, Any]:
    """That of a folder with two files."""
    files = []
    for day in ("2026-11-20", "unknown"):
        path = tmp_path / f"day={day}" / "events.csv"
        path.parent.mkdir()
        path.write_text(day)
        files.append(Joined(f"day={day}/events.csv", day, 3, path.stat().st_size, sha256_of(path)))
    made = manifest_of(beginning(order()), files, finished="2026-11-27T03:00:00Z")
    write_manifest(made, tmp_path)
    return made


def test_a_folder_is_as_its_manifest_tells(manifest: dict[str, Any], tmp_path: Path) -> None:
    """As long as nobody touches it; the manifest tells what was read and what was asked for."""
    assert read_manifest(tmp_path) == manifest
    assert list(differences(tmp_path, manifest)) == []
    assert manifest["rows"] == 6
    assert manifest["read"]["spans"][0] == {
        "topic": "pop-events", "partition": 0, "from": 5, "to": 900,
    }  # fmt: skip
    assert manifest["asked"]["selection"] == ["everything"]


def test_every_difference_is_found(manifest: dict[str, Any], tmp_path: Path) -> None:
    """A file that is gone, one that is longer, one that is altered, and one too many."""
    first, second = (tmp_path / each["path"] for each in manifest["files"])
    first.write_text("2026-11-21")
    second.unlink()
    (tmp_path / "day=unknown" / "more.csv").touch()

    assert dict(differences(tmp_path, manifest)) == {
        "day=2026-11-20/events.csv": "its bytes have changed",
        "day=unknown/events.csv": "is not there",
        "day=unknown/more.csv": "the manifest does not know it",
    }
    first.write_text("x")
    assert "has 1 bytes, not 10" in dict(differences(tmp_path, manifest)).values()


@pytest.mark.parametrize("path", ["../other", "/etc/passwd", "day=x/../../other"])
def test_a_manifest_leads_to_no_other_file(
    manifest: dict[str, Any], tmp_path: Path, path: str
) -> None:
    """It may come from somebody else."""
    manifest["files"][0]["path"] = path
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(UsageError, match="no manifest"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": [{}]}', '{"files": 7}'])
def test_what_is_no_manifest_is_said(tmp_path: Path, text: str) -> None:
    """With the file; and a folder without one, too."""
    with pytest.raises(UsageError, match=r"there is no manifest\.json"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(UsageError, match="this is no manifest"):
        read_manifest(tmp_path)
