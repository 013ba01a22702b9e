"""A receipt is believed once its plan, its list and its journal say the same."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pop_stream.analysis.audit.receipts import difference, read_receipts
from pop_stream.analysis.replay.done import SENT, Ended
from pop_stream.analysis.replay.plan import Plan
from pop_stream.errors import UsageError
from pop_stream.settings import Settings
from tests.unit.analysis.records import FAILURE, handed_on
from tests.unit.analysis.redrive_files import BEGAN_MS, PLAN, redriven

HOUR_MS = 3_600_000
#: The line in the middle was passed over.
ENDED = [Ended(SENT, 0, 1), Ended("settled", 1, 2), Ended(SENT, 2, 3)]


@pytest.fixture
def receipt(tmp_path: Path) -> Path:
    """The receipt of a plan of three events."""
    return redriven(tmp_path, [handed_on(FAILURE, n) for n in (4, 7, 9)], ENDED)


def test_a_receipt_tells_what_was_sent_and_since_when(receipt: Path) -> None:
    """An hour before its first run, for Kafka's clock may be another."""
    (found,) = read_receipts([receipt], Settings())

    assert [each.offset for each in found.events()] == [4, 9]
    assert found.since_ms == BEGAN_MS - HOUR_MS


def test_nothing_is_written_where_a_receipt_is_read(receipt: Path) -> None:
    """Not even half a line that a killed run may have left: it was confirmed by nobody."""
    journal = receipt.with_name("fixed.json.journal")
    journal.write_bytes(journal.read_bytes() + b'{"at":"now","done":[["sent",3,')
    before = {path: path.read_bytes() for path in receipt.parent.iterdir()}

    assert len(read_receipts([receipt], Settings())) == 1
    assert {path: path.read_bytes() for path in receipt.parent.iterdir()} == before


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("fixed.json.receipt.json", '"sent": 2', '"sent": 3', "sent is 3 in it, and 2 by them"),
        ("fixed.json.receipt.json", "GSTV fixed it", "why not", "planned.reason is 'why not'"),
        ("fixed.json.receipt.json", '"last": 9', '"last": 8', r"sentPlaces\[0\].last is 8"),
        ("fixed.json.receipt.json", '"left"', '"Left"', "left is None in it, and 0 by them"),
        ("fixed.json.receipt.json", '"runs": [{', '"runs": [{}, {', "runs is "),
        ("fixed.json.receipt.json", "{", "[", "receipt.json is no receipt"),
        ("fixed.json", "GSTV fixed it", "why not", "fixed.json: the plan was altered"),
        ("fixed.json", "{", "", "fixed.json: this is no plan"),
        ("fixed.json.events", f"{FAILURE}/0/9", f"{FAILURE}/0/8", "json.events was altered"),
        ("fixed.json.journal", '"settled",1', '"sent",1', "sent is 2 in it, and 3 by them"),
        ("fixed.json.journal", '["sent",0,1],["settled",1,2]', '["settled",0,1],["sent",1,2]',
         r"sentPlaces\[0\].first is 4 in it, and 7 by them"),
        ("fixed.json.journal", '"kim"', '"lee"', r"runs\[0\].operator is 'kim' in it"),
        ("fixed.json.journal", '"at":"2026-11-20T12', '"at":"soon', r"runs\[0\].at is '2026"),
        ("fixed.json.journal", '{"plan":', '{"Plan":', "line 1 of .*journal is none of ours"),
        ("fixed.json.journal", '{"plan":"', '{"plan":"0', "is the journal of another plan"),
    ],
)  # fmt: skip
def test_a_receipt_is_refused_when_one_of_the_four_was_altered(
    receipt: Path, name: str, old: str, new: str, says: str
) -> None:
    """It is said which file, and what differs."""
    path = receipt.with_name(name)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UsageError, match=says):
        read_receipts([receipt], Settings())


def test_ids_that_differ_are_found_by_their_digest(receipt: Path) -> None:
    """The last thing that would tell of it."""
    text = receipt.read_text()
    digest = text.partition('"sentIdsSha256": "')[2][:64]
    receipt.write_text(text.replace(digest, "0" * 64))
    with pytest.raises(UsageError, match="sentIdsSha256 is '000"):
        read_receipts([receipt], Settings())


@pytest.mark.parametrize("name", ["", ".events", ".journal", ".receipt.json"])
def test_a_file_that_is_not_there_is_named(receipt: Path, name: str) -> None:
    """A receipt alone proves nothing."""
    path = receipt.with_name("fixed.json" + name)
    path.unlink()
    with pytest.raises(UsageError, match=f"{path.name} cannot be read"):
        read_receipts([receipt], Settings())


def test_a_file_of_another_name_is_no_receipt(receipt: Path) -> None:
    """It is said what a receipt is called."""
    for name in ("fixed.json", ".receipt.json"):
        with pytest.raises(UsageError, match=r"a receipt is called PLAN\.receipt\.json"):
            read_receipts([receipt.with_name(name)], Settings())


def test_a_receipt_is_given_once(receipt: Path, tmp_path: Path) -> None:
    """A copy of it would be counted twice."""
    other = tmp_path / "copy"
    other.mkdir()
    for path in list(tmp_path.glob("fixed.json*")):
        shutil.copy(path, other)
    with pytest.raises(UsageError, match="is given twice"):
        read_receipts([receipt, other / receipt.name], Settings())


@pytest.mark.parametrize(
    ("plan", "settings", "says"),
    [
        (replace(PLAN, kind="replay"), Settings(), "is the receipt of a replay"),
        (PLAN, Settings(retry_topic="other"), "receipt.json: the plan goes from"),
        (PLAN, Settings(failure_topic="other"), "receipt.json: the plan goes from"),
    ],
)
def test_a_receipt_is_of_a_redrive_between_the_topics_that_are_asked(
    tmp_path: Path, plan: Plan, settings: Settings, says: str
) -> None:
    """Else it tells of other events."""
    receipt = redriven(tmp_path, [handed_on(FAILURE)], [Ended(SENT, 0, 1)], plan=plan)
    with pytest.raises(UsageError, match=says):
        read_receipts([receipt], settings)


def test_the_first_difference_is_told_by_its_name() -> None:
    """However deep it is; nothing is told of what is alike."""
    told = {"a": [{"b": 1}, {"b": 2}], "c": None}

    assert difference(told, told) is None
    assert difference(told, told | {"c": 1}) == "c is None in it, and 1 by them"
    assert difference(told, told | {"a": [{"b": 1}, {"b": 3}]}) == (
        "a[1].b is 2 in it, and 3 by them"
    )
    assert difference(told | {"d": 1}, told) == "d is 1 in it, and None by them"
    assert difference({"a": [1]}, {"a": [1, 2]}) == "a is [1] in it, and [1, 2] by them"
