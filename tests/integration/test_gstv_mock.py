"""The mock of GSTV through real sockets, mostly with the client that posts to the real one."""

import hashlib
import http.client
import socket
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import uvloop

from pop_stream.errors import SettingsError, WorkFailedError
from pop_stream.gstv.mock.ledger import read_ledger
from pop_stream.gstv.mock.running import MockGstv
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble
from tests.support.gstv_posts import posts_to, trouble

BODY = b'{"siteId": "site-13", "screenId": "screen-1", "filename": "a.mp4"}'


def outcomes(
    mock: MockGstv, ids: Sequence[str], *, body: bytes = BODY, timeout: float = 5.0
) -> list[Outcome]:
    """Post one after the other, each on a connection of its own, and give what became of them."""

    async def run() -> list[Outcome]:
        limits = {"total_timeout_seconds": timeout, "max_connection_age_seconds": 1e-6}
        async with posts_to(f"{mock.url}/pop", **limits) as posts:
            found = []
            for number, pop_id in enumerate(ids):
                posts.client.post(f"{number}", body, pop_id, number + 1)
                found.append(await posts.outcome(f"{number}"))
            return found

    return uvloop.run(run())


def statuses(mock: MockGstv, ids: Sequence[str], *, body: bytes = BODY) -> list[int]:
    """Give the statuses of posts that are all answered."""
    return [one.status if isinstance(one, Answer) else 0 for one in outcomes(mock, ids, body=body)]


def decisions(path: Path) -> list[int | str]:
    """Read the ledger's decisions."""
    return [entry.decision for entry in read_ledger(path)]


def test_without_rules_every_event_is_taken_and_noted(tmp_path: Path) -> None:
    """One line for each POST, with all that a test wants to know."""
    before = time.time()
    with MockGstv.start(ledger=tmp_path / "ledger") as mock:
        assert statuses(mock, ["a", "b", "a"]) == [200, 200, 200]
        assert mock.ledger_path == tmp_path / "ledger"
        entries = list(read_ledger(tmp_path / "ledger"))

    assert [(one.id, one.attempt, one.nth) for one in entries] == [
        ("a", 1, 1), ("b", 2, 1), ("a", 3, 2),
    ]  # fmt: skip
    for one in entries:
        assert (one.site_id, one.screen_id) == ("site-13", "screen-1")
        assert (one.sha256, one.size) == (hashlib.sha256(BODY).hexdigest(), len(BODY))
        assert (one.decision, one.status, one.delivered) == (200, 200, True)
        assert one.answered_at is not None
        assert before <= one.received_at <= one.answered_at <= time.time()


@pytest.mark.parametrize("body", [b"", b"\xff", b"[1]", b'{"siteId": 5}', b"x" * 70_000])
def test_any_body_is_an_event(tmp_path: Path, body: bytes) -> None:
    """What is no event of ours is noted all the same, without names of site and screen."""
    with MockGstv.start(ledger=tmp_path / "ledger") as mock:
        assert statuses(mock, ["a"], body=body) == [200]

    (entry,) = read_ledger(tmp_path / "ledger")
    assert (entry.size, entry.site_id, entry.screen_id) == (len(body), None, None)


@pytest.mark.parametrize(
    ("when", "ids", "expected"),
    [
        ({"field": {"siteId": {"prefix": "site-"}}}, ["a"], [500]),
        ({"field": {"siteId": "site-14"}}, ["a"], [200]),
        ({"nth": "<=2"}, ["a", "a", "a", "b"], [500, 500, 200, 500]),
        ({"header": {"X-Pop-Attempt": "2"}}, ["a", "a", "a"], [200, 500, 200]),
        ({"header": {"Idempotency-Key": '"b"'}}, ["a", "b"], [200, 500]),
        ({"share": 1}, ["a"], [500]),
        ({"share": 0}, ["a"], [200]),
        ({"random": 1}, ["a"], [500]),
        ({"random": 0}, ["a"], [200]),
        ({"window": [0, 3600]}, ["a"], [500]),
        ({"window": [3600, 7200]}, ["a"], [200]),
    ],
)
def test_a_condition_decides(when: object, ids: list[str], expected: list[int]) -> None:
    """Where it holds the rule's answer comes, elsewhere a 200."""
    with MockGstv.start(rules=[{"when": when, "then": {"status": 500}}]) as mock:
        assert statuses(mock, ids) == expected


def test_a_window_begins_when_the_rules_are_set() -> None:
    """And ends by itself."""
    with MockGstv.start() as mock:
        mock.set_rules([{"when": {"window": [0, 0.5]}, "then": {"status": 500}}])
        assert statuses(mock, ["a"]) == [500]
        deadline = time.monotonic() + 20
        while statuses(mock, ["a"]) != [200]:
            assert time.monotonic() < deadline


def test_chance_repeats_with_its_seed() -> None:
    """Two mocks with the same rules and posts misbehave alike."""
    rules = [{"when": {"random": 0.5}, "then": {"status": 500}}]
    ids = [f"id-{number}" for number in range(40)]
    found = []
    for _ in range(2):
        with MockGstv.start(rules=rules) as mock:
            found.append(statuses(mock, ids))

    assert found[0] == found[1]
    assert {200, 500} == set(found[0])


@pytest.mark.parametrize("status", [200, 201, 204, 205, 301, 304, 409, 429, 500, 599])
def test_any_status_is_answered(status: int) -> None:
    """Whole and well formed, also those without a body."""
    with MockGstv.start(rules=[{"then": {"status": status}}]) as mock:
        assert outcomes(mock, ["a", "b"]) == [Answer(status)] * 2


def test_an_answer_has_its_headers_and_body() -> None:
    """Retry-After, further headers and a body are sent as set."""
    then = {"status": 429, "retry_after": 7, "headers": {"X-A": "b"}, "body": {"why": "x"}}
    with MockGstv.start(rules=[{"then": then}]) as mock:
        assert outcomes(mock, ["a"]) == [Answer(429, "7")]
        connection = http.client.HTTPConnection("127.0.0.1", mock.port, timeout=20)
        connection.request("POST", "/", b"{}")
        response = connection.getresponse()
        assert (response.status, response.reason) == (429, "Too Many Requests")
        assert (response.headers["X-A"], response.read()) == ("b", b'{"why":"x"}')
        connection.close()


@pytest.mark.parametrize(
    ("then", "decision", "expected"),
    [
        ({"hang": True}, "hang", (Trouble.TIMEOUT, True)),
        ({"reset": "after-read"}, "reset-after-read", (Trouble.RESET, True)),
        ({"reset": "mid-response"}, "reset-mid-response", (Trouble.RESET, True)),
        ({"reset": "mid-response", "status": 204}, "reset-mid-response", (Trouble.RESET, True)),
        ({"delay": 3600}, "gone", (Trouble.TIMEOUT, True)),
        ({"delay": [3600, 3700], "reset": "after-read"}, "gone", (Trouble.TIMEOUT, True)),
        ({"slow_body": 3600}, 200, (Trouble.TIMEOUT, True)),
        ({"status": 999}, 999, (Trouble.BAD_RESPONSE, True)),
    ],
)
def test_a_fault_leaves_the_client_without_an_answer(
    tmp_path: Path, then: object, decision: int | str, expected: tuple[Trouble, bool]
) -> None:
    """And the ledger knows which fault it was."""
    with MockGstv.start(rules=[{"then": then}], ledger=tmp_path / "ledger") as mock:
        (outcome,) = outcomes(mock, ["a"], timeout=0.3)
        assert trouble(outcome) == expected

    assert decisions(tmp_path / "ledger") == [decision]


def test_a_reset_before_reading_is_not_in_the_ledger(tmp_path: Path) -> None:
    """The mock has not seen the event, but counts the attempt."""
    rules = [{"when": {"nth": 1}, "then": {"reset": "before-read"}}]
    with MockGstv.start(rules=rules, ledger=tmp_path / "ledger") as mock:
        first, second = outcomes(mock, ["a", "a"])
        stats = mock.stats()

    assert isinstance(first, NoAnswer)
    assert second == Answer(200)
    assert [entry.nth for entry in read_ledger(tmp_path / "ledger")] == [2]
    assert (stats["unread"], stats["received"]) == (1, 1)


def test_a_reset_after_the_answer_comes_after_the_answer(tmp_path: Path) -> None:
    """The client has its 200, the ledger says that it may have."""
    rules = [{"then": {"reset": "after-response"}}]
    with MockGstv.start(rules=rules, ledger=tmp_path / "ledger") as mock:
        assert outcomes(mock, ["a"]) == [Answer(200)]

    (entry,) = read_ledger(tmp_path / "ledger")
    assert (entry.decision, entry.delivered) == ("reset-after-response", True)


@pytest.mark.parametrize("then", [{"delay": 0.1}, {"delay": [0.1, 0.2]}, {"slow_body": 0.1}])
def test_a_slow_answer_is_an_answer(tmp_path: Path, then: object) -> None:
    """It takes its time and is whole."""
    with MockGstv.start(rules=[{"then": then}], ledger=tmp_path / "ledger") as mock:
        before = time.monotonic()
        assert outcomes(mock, ["a"]) == [Answer(200)]
        assert time.monotonic() - before >= 0.1


def test_a_connection_is_closed_after_the_answer_if_so_told() -> None:
    """Without a word, as servers do that lose patience with an idle client."""
    with MockGstv.start(rules=[{"then": {"close": True}}]) as mock:
        connection = socket.create_connection(("127.0.0.1", mock.port), timeout=20)
        with connection:
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
            data = b""
            while piece := connection.recv(1000):
                data += piece
    assert data.startswith(b"HTTP/1.1 200")
    assert b"close" not in data


def test_the_first_rule_that_matches_decides() -> None:
    """Some events always refused, some refused twice, the others taken."""
    rules = [
        {"when": {"field": {"siteId": "site-13"}}, "then": {"status": 422}},
        {"when": {"nth": "<=2"}, "then": {"status": 503}},
    ]
    with MockGstv.start(rules=rules) as mock:
        assert statuses(mock, ["a"] * 3) == [422] * 3
        assert statuses(mock, ["b"] * 4, body=b"{}") == [503, 503, 200, 200]


def test_rules_can_be_seen_and_replaced_while_it_runs() -> None:
    """Wrong ones are refused with all problems, and the old ones stay in force."""
    rules = [{"then": {"status": 500}}]
    with MockGstv.start(rules=rules) as mock:
        assert mock._ask("GET", "rules") == rules
        with pytest.raises(WorkFailedError, match=r"rules\[0\].+rules\[1\]"):
            mock.set_rules([{"then": {"status": 1}}, {"then": {"x": 1}}])
        assert statuses(mock, ["a"]) == [500]
        mock.set_rules([])
        assert statuses(mock, ["a"]) == [200]


def test_the_figures_add_up(tmp_path: Path) -> None:
    """They say the same as the ledger."""
    rules = [{"when": {"nth": 1}, "then": {"status": 503}}]
    with MockGstv.start(rules=rules, ledger=tmp_path / "ledger") as mock:
        statuses(mock, ["a", "a", "a", "b"])
        stats = mock.stats()

    assert stats == {
        "received": 4, "by_decision": {"200": 2, "503": 2}, "distinct_ids": 2, "duplicates": 2,
        "delivered_ids": 1, "delivered_again": 1, "without_id": 0, "unread": 0, "refused": 0,
        "delayed": 0,
    }  # fmt: skip
    assert decisions(tmp_path / "ledger") == [503, 200, 200, 503]


def test_a_ledger_that_cannot_be_written_is_an_error() -> None:
    """No success is answered any more, and whoever runs the mock learns why."""
    with (
        pytest.raises(WorkFailedError, match="ledger cannot be written"),
        MockGstv.start(ledger=Path("/dev/full")) as mock,
    ):
        assert isinstance(outcomes(mock, ["a"])[0], NoAnswer)


def test_a_mock_that_cannot_start_is_an_error(tmp_path: Path) -> None:
    """Also when it runs in a thread."""
    with pytest.raises(SettingsError, match="ledger"), MockGstv.start(ledger=tmp_path):
        pass


def test_delayed_answers_are_noted_when_the_mock_ends(tmp_path: Path) -> None:
    """Ending it leaves no event out of the ledger, though the client still waits."""
    rules = [{"then": {"delay": 3600}}]
    with MockGstv.start(rules=rules, ledger=tmp_path / "ledger") as mock:
        connection = socket.create_connection(("127.0.0.1", mock.port), timeout=20)
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        deadline = time.monotonic() + 20
        while mock.stats()["delayed"] == 0:
            assert time.monotonic() < deadline
        assert decisions(tmp_path / "ledger") == []

    with connection:
        assert decisions(tmp_path / "ledger") == ["gone"]
