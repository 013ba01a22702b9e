"""The client's pool under any order of events, while credentials come, end and are refused."""

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pop_stream.gstv.proof import Proof
from pop_stream.pop.outcome import NoAnswer, Trouble
from tests.support.gstv_bench import MAX_CONNECTS, MAX_IN_FLIGHT, Bench
from tests.support.gstv_wire import OK

UNAUTHORIZED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
NONE = NoAnswer(Trouble.TOKEN, sent=False, detail="none")


class Tokens:
    """Credentials that the test gives and takes away."""

    def __init__(self) -> None:
        self.now: bytes | None = None
        self.given = 0
        self.waiting: list[asyncio.Future[NoAnswer | None]] = []
        self.refusals: list[bytes] = []

    def lines(self) -> bytes | None:
        return self.now

    async def ready(self) -> NoAnswer | None:
        future: asyncio.Future[NoAnswer | None] = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        try:
            return await future
        finally:
            self.waiting.remove(future)

    def refused(self, lines: bytes) -> None:
        self.refusals.append(lines)
        if lines == self.now:
            self.now = None

    def give(self) -> None:
        self.given += 1
        self.now = b"Authorization: Bearer %d\r\n" % self.given


class Pool(RuleBasedStateMachine):
    """Any order of posts, connections, answers and tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = Tokens()
        self.bench = Bench(Proof(credentials=self.tokens))

    @precondition(lambda self: self.bench.client.room > 0)
    @rule()
    def post(self) -> None:
        self.bench.post()

    @precondition(lambda self: self.bench.attempts)
    @rule(data=st.data(), works=st.booleans())
    def connect(self, data: st.DataObject, *, works: bool) -> None:
        index = data.draw(st.integers(0, len(self.bench.attempts) - 1))
        if works:
            self.bench.connected(index)
        else:
            self.bench.refuse(index)

    @precondition(lambda self: self.bench.busy())
    @rule(data=st.data(), answer=st.sampled_from([OK, UNAUTHORIZED, b"junk"]))
    def answer(self, data: st.DataObject, answer: bytes) -> None:
        data.draw(st.sampled_from(self.bench.busy())).data_received(answer)
        self.bench.turn()

    @rule()
    def give(self) -> None:
        """A token comes, or another one; whoever waits hears of it."""
        self.tokens.give()
        for future in self.tokens.waiting:
            future.set_result(None)
        self.bench.turn()

    @rule()
    def end(self) -> None:
        """A token ends."""
        self.tokens.now = None

    @precondition(lambda self: self.tokens.waiting)
    @rule()
    def give_none(self) -> None:
        for future in self.tokens.waiting:
            future.set_result(NONE)
        self.bench.turn()

    @precondition(lambda self: self.tokens.waiting)
    @rule()
    def come_too_late(self) -> None:
        """A token comes, and has ended before it is used."""
        for future in self.tokens.waiting:
            future.set_result(None)
        self.bench.turn()

    @rule()
    def reap(self) -> None:
        self.bench.reap()

    @invariant()
    def every_post_is_told_once_or_in_flight(self) -> None:
        tokens = [token for token, _ in self.bench.told]
        assert len(tokens) == len(set(tokens))
        assert len(tokens) + self.bench.client.in_flight == self.bench.started

    @invariant()
    def limits_hold(self) -> None:
        alive = [one for one in self.bench.transports if not one.dead]
        assert len(alive) + len(self.bench.attempts) <= MAX_IN_FLIGHT
        assert self.bench.most_connects <= MAX_CONNECTS
        assert len(self.tokens.waiting) <= 1

    @invariant()
    def nothing_is_sent_without_a_token(self) -> None:
        for transport in self.bench.transports.values():
            for request in transport.written:
                assert request.count(b"\r\nAuthorization: Bearer ") == 1

    @invariant()
    def only_what_was_shown_is_refused(self) -> None:
        known = {
            b"Authorization: Bearer %d\r\n" % number for number in range(self.tokens.given + 1)
        }
        assert known.issuperset(self.tokens.refusals)

    @invariant()
    def nobody_waits_for_nothing(self) -> None:
        """A post that waits has a token or a connection on its way, or all are in use."""
        waiting = self.bench.client.in_flight - len(self.bench.busy())
        if waiting and not self.tokens.waiting:
            used = len(self.bench.busy())
            wanted = min(waiting, MAX_CONNECTS, MAX_IN_FLIGHT - used)
            assert len(self.bench.attempts) >= wanted
            assert self.tokens.now is None or not self.bench.idle()

    def teardown(self) -> None:
        self.bench.close()
        assert sorted(token for token, _ in self.bench.told) == list(range(self.bench.started))


Pool.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
test_any_order_of_events_and_tokens = Pool.TestCase
