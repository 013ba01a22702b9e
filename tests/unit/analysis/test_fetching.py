"""What an answer of Kafka means for how far a scan is."""

import asyncio
from types import SimpleNamespace
from typing import Any

from pop_stream.analysis.fetching import Fetching, _Rounds
from pop_stream.settings import Settings
from tests.unit.analysis.test_batches import batch


def answered(data: bytes, rounds: _Rounds) -> list[Any]:
    """What is given of an answer with these bytes for the partition t/0."""

    async def send(_node: int, _request: object) -> object:
        return SimpleNamespace(API_VERSION=11, topics=[("t", [(0, 0, 9, 9, 0, [], -1, data)])])

    client: Any = SimpleNamespace(send=send)
    answer = asyncio.run(Fetching(Settings())._ask(client, 1, [("t", 0)], rounds))
    return answer.fetched


def test_an_answer_without_a_whole_batch_is_no_answer() -> None:
    """Its first batch did not fit: the scan stands where it stood, and does not begin anew."""
    rounds = _Rounds({("t", 0): (5, 9)})

    assert answered(batch(5, [b"one"])[:-1], rounds) == []
    assert (rounds.at, rounds.left) == ({("t", 0): 5}, {("t", 0): 9})


def test_what_came_says_how_far_it_goes() -> None:
    """A batch that is cut off behind it comes with the next answer."""
    rounds = _Rounds({("t", 0): (5, 9)})
    (fetched,) = answered(batch(5, [b"one", b"two"]) + batch(7, [b"three"])[:-1], rounds)

    assert fetched.end == rounds.at["t", 0] == 7
