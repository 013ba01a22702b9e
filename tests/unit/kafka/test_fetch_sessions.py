"""A session says as much as naming everything each time would."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaError, UnknownError
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v4, FetchRequest_v11
from aiokafka.protocol.metadata import MetadataRequest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.kafka.fetch_sessions import Ask, FetchSession, Place, Wish, fetch_in_sessions

MOST_BYTES = 524_288
_NOT_FOUND, _WRONG_EPOCH = 70, 71
WISHES = st.dictionaries(
    st.tuples(st.sampled_from(["events", "retry"]), st.integers(0, 3)),
    st.tuples(st.integers(0, 4), st.just(MOST_BYTES)),
)
#: How a fetch ends, and how the broker fares meanwhile.
ENDS = st.sampled_from(["answered", "answered", "answered", "lost", "unheard", "restarted", "full"])


class ModelBroker:
    """Remembers sessions as KIP-227 says."""

    def __init__(self) -> None:
        self.sessions: dict[int, tuple[int, dict[Place, Wish]]] = {}
        self.given = 0
        self.is_full = False

    def fetch(self, ask: Ask) -> tuple[int, int, dict[Place, Wish]]:
        """The error, the session's id, and what it takes to be wished."""
        if ask.epoch == 0:
            assert not ask.forgotten
            self.sessions.pop(ask.session_id, None)
            if self.is_full:
                return 0, 0, dict(ask.named)
            self.given += 1
            self.sessions[self.given] = 1, dict(ask.named)
            return 0, self.given, dict(ask.named)
        if ask.session_id not in self.sessions:
            return _NOT_FOUND, 0, {}
        epoch, wishes = self.sessions[ask.session_id]
        if ask.epoch != epoch:
            return _WRONG_EPOCH, 0, {}
        wishes = {place: wish for place, wish in wishes.items() if place not in ask.forgotten}
        wishes |= ask.named
        self.sessions[ask.session_id] = epoch + 1, wishes
        return 0, ask.session_id, wishes


@given(st.lists(st.tuples(WISHES, ENDS), max_size=30))
def test_the_broker_knows_what_is_wished(fetches: list[tuple[dict[Place, Wish], str]]) -> None:
    """Whatever is lost on the way, and whenever the broker forgets or will not remember."""
    session, broker = FetchSession(), ModelBroker()
    for wishes, end in fetches:
        if end == "restarted":
            broker.sessions.clear()
        broker.is_full = end == "full"
        ask = session.ask(wishes)
        if end == "unheard":
            session.forget()
            continue
        error, session_id, known = broker.fetch(ask)
        if end == "lost" or error:
            assert not error or ask.epoch
            session.forget()
            continue
        session.answered(session_id)

        assert known == wishes


def test_only_what_changed_is_named() -> None:
    """Nothing of a partition that waits where it did."""
    session = FetchSession()
    wishes = {("events", 0): (5, MOST_BYTES), ("events", 1): (7, MOST_BYTES)}

    first = session.ask(wishes)
    session.answered(9)
    same = session.ask(wishes)
    session.answered(9)
    moved = session.ask({("events", 0): (6, MOST_BYTES)})

    assert (first.session_id, first.epoch, first.named) == (0, 0, wishes)
    assert same == Ask(9, 1, {}, frozenset())
    assert moved == Ask(9, 2, {("events", 0): (6, MOST_BYTES)}, frozenset({("events", 1)}))


def test_after_the_last_epoch_comes_the_first() -> None:
    """0 would begin a new session."""
    session = FetchSession()
    session.ask({})
    session.answered(9)
    session._epoch = 2**31 - 1
    session.answered(9)

    assert session.ask({}).epoch == 1


class FakeClient:
    """A client of aiokafka's: keeps what is sent, and answers as told."""

    def __init__(self, version: type[Any] = FetchRequest_v11) -> None:
        self.version = version
        self.sent: list[Any] = []
        self.answers: list[Any] = []

    async def send(self, _node: int, request: Any, **_: Any) -> Any:
        if isinstance(request, FetchRequest):
            request = request.build(self.version)
            request.encode()
        self.sent.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def answer(*, error_code: int = 0, session_id: int = 9) -> Any:
    """An answer of version 11."""
    return SimpleNamespace(API_VERSION=11, error_code=error_code, session_id=session_id)


def fetch(client: FakeClient, *, times: int = 1, node: int = 1) -> list[Any]:
    """Fetch the same again and again; what was sent."""
    if not hasattr(client, "in_sessions"):
        fetch_in_sessions(SimpleNamespace(_client=client))  # type: ignore[arg-type]
        client.in_sessions = True  # type: ignore[attr-defined]

    async def scenario() -> None:
        for _ in range(times):
            topics = [("events", [(0, 5, MOST_BYTES), (1, 7, MOST_BYTES)])]
            await client.send(node, FetchRequest(500, 1, 1_000_000, 0, topics))

    asyncio.run(scenario())
    return client.sent


def test_a_fetch_is_written_as_its_session_says() -> None:
    """The first names all, the next nothing; waits and sizes stay."""
    client = FakeClient()
    client.answers = [answer(), answer()]
    first, second = fetch(client, times=2)

    assert (first.session_id, first.session_epoch) == (0, 0)
    assert [(topic, len(partitions)) for topic, partitions in first.topics] == [("events", 2)]
    assert (second.session_id, second.session_epoch, second.topics) == (9, 1, [])
    assert second.forgotten_topics_data == []
    assert (second.max_wait_time, second.min_bytes, second.max_bytes) == (500, 1, 1_000_000)


@pytest.mark.parametrize("error", [_NOT_FOUND, _WRONG_EPOCH])
def test_a_broker_that_has_forgotten_is_told_all_again(error: int) -> None:
    """As after its restart."""
    client = FakeClient()
    client.answers = [answer(), answer(error_code=error, session_id=0), answer(session_id=11)]
    *_, third = fetch(client, times=3)

    assert third.session_epoch == 0
    assert len(third.topics[0][1]) == 2


def test_an_error_of_a_fetch_that_names_all_is_raised() -> None:
    """Else the same fetch would be sent again at once, and again."""
    client = FakeClient()
    client.answers = [answer(error_code=-1, session_id=0)]

    with pytest.raises(UnknownError):
        fetch(client)


@pytest.mark.parametrize("end", [KafkaError(), asyncio.CancelledError()])
def test_after_a_fetch_without_an_answer_all_is_named_again(end: BaseException) -> None:
    """Nobody knows whether the broker had it."""
    client = FakeClient()
    client.answers = [answer(), end, answer()]
    fetch(client)
    with pytest.raises(type(end)):
        fetch(client)
    third = fetch(client)[-1]

    assert (third.session_id, third.session_epoch) == (9, 0)
    assert len(third.topics[0][1]) == 2


def test_each_broker_has_a_session_of_its_own() -> None:
    """What one was told the other does not know."""
    client = FakeClient()
    client.answers = [answer(), answer(session_id=4), answer()]
    fetch(client, node=1)
    other = fetch(client, node=2)[-1]
    same = fetch(client, node=1)[-1]

    assert (other.session_id, len(other.topics[0][1])) == (0, 2)
    assert (same.session_id, same.topics) == (9, [])


def test_a_broker_from_before_sessions_is_told_all_each_time() -> None:
    """Its requests have no place for them."""
    client = FakeClient(FetchRequest_v4)
    client.answers = [SimpleNamespace(API_VERSION=4), SimpleNamespace(API_VERSION=4)]
    first, second = fetch(client, times=2)

    assert first.topics == second.topics
    assert len(second.topics[0][1]) == 2


def test_what_is_no_fetch_passes_as_it_is() -> None:
    """The client is used for all else, too."""
    client = FakeClient()
    client.answers = [answer(), "told"]
    fetch(client)
    request = MetadataRequest([])

    assert asyncio.run(client.send(1, request)) == "told"
    assert client.sent[-1] is request
