import json

import pytest

from pop_stream.errors import UsageError
from pop_stream.player.ledger import Confirmed, open_ledger


def confirmed(number):
    """Make an entry."""
    return Confirmed(
        id=f"id-{number}", topic="t", partition=1, offset=number, sha256="ab", key="1202/3"
    )


def test_what_was_flushed_is_in_the_file(tmp_path):
    """A line of JSON for each event is in the file after a flush, though it is not closed."""
    path = tmp_path / "ledger.ndjson"
    with open_ledger(path) as ledger:
        ledger.write(confirmed(1))
        ledger.write(confirmed(2))
        ledger.flush()
        lines = [json.loads(line) for line in path.read_text().splitlines()]

    assert [line["offset"] for line in lines] == [1, 2]
    assert lines[0] == {
        "id": "id-1",
        "topic": "t",
        "partition": 1,
        "offset": 1,
        "sha256": "ab",
        "key": "1202/3",
    }


def test_a_ledger_goes_on_where_it_ended(tmp_path):
    """A second run appends to the ledger of the first."""
    path = tmp_path / "ledger.ndjson"
    for number in (1, 2):
        with open_ledger(path) as ledger:
            ledger.write(confirmed(number))
            ledger.flush()

    assert len(path.read_text().splitlines()) == 2


def test_no_path_means_no_ledger():
    """Who wants no ledger gets none."""
    with open_ledger(None) as ledger:
        assert ledger is None


def test_a_ledger_that_cannot_be_opened_is_wrong_use(tmp_path):
    """The message names the file."""
    with (
        pytest.raises(UsageError, match=r"none/ledger\.ndjson"),
        open_ledger(tmp_path / "none" / "ledger.ndjson"),
    ):
        pass
