import asyncio
from types import SimpleNamespace

import pytest

from pop_stream.gstv.mock import partner as module
from pop_stream.gstv.mock.partner import Partner
from pop_stream.gstv.mock.rules import Rules
from tests.support.mock_rules import rules_of


def test_a_head_that_came_before_the_rules_does_not_stop_their_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its body is judged by the time of the rules in force, and so is every attempt after it."""
    clock = SimpleNamespace(monotonic=lambda: now, time=lambda: now)
    monkeypatch.setattr(module, "time", clock)
    now = 0.0

    async def run() -> list[int]:
        nonlocal now
        partner = Partner(Rules(), None, seed=1)
        now = 300.0
        early = partner.arrive({})
        partner.set_rules(rules_of({"when": {"above_per_second": 1}, "then": {"status": 429}}))
        found = []
        for seconds in (0.0, 0.5, 2.0):
            now = 300.0 + seconds
            attempt = early or partner.arrive({})
            early = None
            assert attempt is not None
            found.append(partner.receive(attempt, b"", lambda _: None).action.status)
        return found

    assert asyncio.run(run()) == [200, 429, 200]
