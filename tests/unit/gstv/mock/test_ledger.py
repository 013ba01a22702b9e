from pathlib import Path

import pytest

from pop_stream.gstv.mock.ledger import LedgerEntry, LedgerWriter, read_ledger


def entry(**known: object) -> LedgerEntry:
    """Make a line of which only some things matter."""
    base = {
        "id": "id", "attempt": 1, "nth": 1, "sha256": "00", "site_id": "s", "screen_id": None,
        "decision": 200, "status": 200, "received_at": 1.5, "answered_at": 2.5, "size": 2,
    }  # fmt: skip
    return LedgerEntry(**(base | known))


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Every field survives, whatever is in it."""
    path = tmp_path / "ledger.ndjson"
    entries = [entry(), entry(id=None, attempt=None, decision="hang", status=None,
                              answered_at=None, site_id='"\n\u2028ü')]  # fmt: skip
    writer = LedgerWriter(path)
    for one in entries:
        writer.append(one.line())
    writer.close()

    assert list(read_ledger(path)) == entries


def test_a_line_being_written_is_left_out(tmp_path: Path) -> None:
    """A reader beside a running or killed mock sees whole lines only."""
    path = tmp_path / "ledger.ndjson"
    path.write_bytes(entry().line() + entry().line()[:-1])

    assert list(read_ledger(path)) == [entry()]


@pytest.mark.parametrize("torn", [b"", b'{"id": "a', b"x" * 5000])
def test_a_restarted_mock_goes_on_with_a_new_line(tmp_path: Path, torn: bytes) -> None:
    """What a killed mock left of a line is cut off; whole lines stay."""
    path = tmp_path / "ledger.ndjson"
    path.write_bytes(entry(nth=1).line() + torn)
    writer = LedgerWriter(path)
    writer.append(entry(nth=2).line())
    writer.close()

    assert [one.nth for one in read_ledger(path)] == [1, 2]


@pytest.mark.parametrize("line", [b"nonsense\n", b"{}\n", b"[]\n", b"\n"])
def test_a_broken_line_is_not_passed_over(tmp_path: Path, line: bytes) -> None:
    """A damaged ledger is no evidence, and the place of the damage is told."""
    path = tmp_path / "ledger.ndjson"
    path.write_bytes(entry().line() + line + entry().line())

    with pytest.raises(ValueError, match="line 2"):
        list(read_ledger(path))


@pytest.mark.parametrize(
    ("decision", "status", "delivered"),
    [
        (200, 200, True),
        (204, 204, True),
        (409, 409, True),
        (301, 301, False),
        (503, 503, False),
        ("hang", None, False),
        ("gone", None, False),
        ("reset-after-read", None, False),
        ("reset-mid-response", 200, False),
        ("reset-after-response", 200, True),
        ("reset-after-response", 500, False),
    ],
)
def test_delivered_means_that_the_client_may_know_of_a_success(
    decision: int | str, status: int | None, *, delivered: bool
) -> None:
    """Only a whole answer that says "taken" can have let the client go on."""
    assert entry(decision=decision, status=status).delivered is delivered
