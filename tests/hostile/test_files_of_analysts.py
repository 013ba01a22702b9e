"""Files that analysts are sent by others: read, or refused with a message that names the place."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.command import run_command
from tests.support.kafka import fresh_settings

NOWHERE = fresh_settings("127.0.0.1:1")
RSS_MIB = 300
MEBIBYTE = 1024 * 1024
DEEP = b"[" * 100_000
PARTS = [
    b'"', b"'", b",", b";", b"\n", b"\r", b"\0", b"{", b"}", b"[", b":", b"\xff", b"\xef\xbb\xbf",
    b"popId", b"ioNumber,from,to,plays\n", b"siteId,zone\n", b"2026-11-20", b"0001-01-01",
    b"017f22e2-79b0-7cc3-98c4-dc0c0c07398f", b"9999-12-31", b"9" * 5_000, b"1e999", b"-1", b"*",
    b"=cmd|' /C calc'!A0", b'{"value":null}\n', b'{"topic":"a"}\n', b'{"popId":"\\ud800"}\n',
    b"America/Chicago", b"../../etc/passwd",
]  # fmt: skip
#: An event as `events search --json` writes it, of which parts are changed.
EVENT: dict[str, Any] = {
    "topic": "pop-events", "partition": 0, "offset": 1,
    "storedAt": "2026-11-20T16:00:20.000Z", "key": "1202/3",
    "headers": {"pop-id": "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "pop-seq": "1"},
    "event": {"filename": "a.webm", "assetId": "1", "startTimestamp": "2026-11-20 10:00:00",
              "endTimestamp": "2026-11-20 10:00:15", "siteId": "1202", "screenId": "3"},
}  # fmt: skip
TEXTS = ["", "\0", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "2026-02-30 00:00:00", "=1+1",
         "x" * 9_999]  # fmt: skip
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.sampled_from(TEXTS)
    | st.lists(st.integers(0, 9), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(0, 9), max_size=2)
)
FUZZ = settings(
    derandomize=True, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
BYTES = st.lists(st.sampled_from(PARTS) | st.binary(max_size=4), max_size=10).map(b"".join)
#: Those of files that have a line for each of something.
LINES = [
    ("events", "report", "--from"),
    ("reconcile", "--from", "FINE", "--theirs"),
    ("reconcile", "--theirs", "IDS", "--from"),
    ("reconcile", "--from", "FINE", "--orders"),
]
WHOLE = [
    ("events", "report", "--from", "FINE", "--sites"),
    ("reconcile", "--from", "FINE", "--playlist"),
]


def asked(arguments: tuple[str, ...], content: bytes, folder: Path) -> list[str | Path]:
    """The command with a file of these bytes, and a good one where it needs another."""
    (folder / "fine.ndjson").write_bytes(orjson.dumps(EVENT) + b"\n")
    (folder / "ids.txt").write_bytes(b"017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n")
    hostile = folder / "hostile.file"
    hostile.write_bytes(content)
    others = {"FINE": folder / "fine.ndjson", "IDS": folder / "ids.txt"}
    return [*(others.get(each, each) for each in arguments), hostile]


@pytest.mark.parametrize("arguments", [*LINES, *WHOLE], ids=" ".join)
@FUZZ
@given(content=BYTES)
@example(content=DEEP)
@example(content=b'{"a":' * 100_000)
@example(content=b"popId,a\n" + b'"' + b"x" * 200_000)
def test_a_file_of_any_bytes_is_read_or_refused(
    arguments: tuple[str, ...], content: bytes, tmp_path: Path
) -> None:
    """With a message, and never a traceback."""
    done = run_command(NOWHERE, *asked(arguments, content, tmp_path))

    assert done.returncode in (0, 1, 2)
    assert "Traceback" not in done.stderr
    assert done.returncode == 0 or done.stdout or done.stderr


def test_the_event_whose_parts_are_changed_is_one(tmp_path: Path) -> None:
    """Else the next test would prove nothing."""
    line = orjson.dumps(EVENT) + b"\n"

    done = run_command(NOWHERE, *asked(("events", "report", "--from"), line, tmp_path))

    assert "accounts\tplays\tcounted\t1\n" in done.stdout


@FUZZ
@given(data=st.data())
def test_an_event_of_any_values_is_counted_or_refused(data: st.DataObject, tmp_path: Path) -> None:
    """Whatever stands in the place of what is expected, in the record or in its event."""
    record = {
        **EVENT,
        **data.draw(st.dictionaries(st.sampled_from(sorted(EVENT)), VALUES, max_size=2)),
    }
    if record["event"] is EVENT["event"]:
        fields = st.sampled_from(sorted(EVENT["event"]))
        record["event"] = EVENT["event"] | data.draw(st.dictionaries(fields, VALUES, max_size=2))
    content = orjson.dumps(record, option=orjson.OPT_NON_STR_KEYS) + b"\n"

    done = run_command(NOWHERE, *asked(("events", "report", "--from"), content, tmp_path))

    assert done.returncode in (0, 1, 2)
    assert "Traceback" not in done.stderr


_MEASURED = """
import re, sys
from pathlib import Path
from pop_stream.cli.main import run
code = run(sys.argv[1:])
print(int(re.search("VmHWM:\\\\s+(\\\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
sys.exit(code)
"""


@pytest.mark.parametrize("arguments", LINES, ids=" ".join)
def test_a_line_without_an_end_does_not_fill_the_memory(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    """Read as JSON it would take thirty times its room."""
    content = b'\n{"a":[' + b"[]," * (20 * MEBIBYTE)
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *map(str, asked(arguments, content, tmp_path))],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    (found,) = re.findall(r"^\d+$", done.stdout, re.MULTILINE)

    assert done.returncode == 2
    assert f"{tmp_path / 'hostile.file'}, line 2: it is over 8,388,608 letters long" in done.stderr
    assert int(found) < RSS_MIB
