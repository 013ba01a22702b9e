"""The client's pool under any order of events."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pop_stream.pop.outcome import Answer
from tests.support.gstv_bench import LONG, MAX_CONNECTS, MAX_IN_FLIGHT, Bench
from tests.support.gstv_wire import OK


class Pool(RuleBasedStateMachine):
    """Any order of posts, connections, answers, breaks and timeouts."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()

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
    @rule(
        data=st.data(),
        answer=st.sampled_from([OK, OK + OK, b"junk", b"HTTP/1.0 200 OK\r\n\r\n", OK[:9]]),
    )
    def answer(self, data: st.DataObject, answer: bytes) -> None:
        data.draw(st.sampled_from(self.bench.busy())).data_received(answer)
        self.bench.turn()

    @precondition(lambda self: self.bench.transports)
    @rule(data=st.data(), error=st.sampled_from([None, ConnectionResetError()]))
    def lose(self, data: st.DataObject, error: Exception | None) -> None:
        connection = data.draw(st.sampled_from(list(self.bench.transports)))
        if error is None and not connection.dead:
            connection.eof_received()
        self.bench.end(connection, error)

    @precondition(lambda self: self.bench.idle())
    @rule(data=st.data())
    def speak_unasked(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.bench.idle())).data_received(OK)

    @precondition(lambda self: self.bench.busy())
    @rule(data=st.data())
    def time_out(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.bench.busy())).started_at -= LONG
        self.bench.sweep()

    @precondition(lambda self: self.bench.idle())
    @rule(data=st.data())
    def grow_old(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.bench.idle())).made_at -= LONG

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

    @invariant()
    def nobody_waits_for_nothing(self) -> None:
        """A post that waits has a connection on its way, or all connections are in use."""
        waiting = self.bench.client.in_flight - len(self.bench.busy())
        on_their_way = len(self.bench.attempts)
        used = len(self.bench.busy())
        assert on_their_way >= min(waiting, MAX_CONNECTS, MAX_IN_FLIGHT - used)

    def teardown(self) -> None:
        bench = self.bench
        bench.close()
        assert sorted(token for token, _ in bench.told) == list(range(bench.started))
        written = sum(isinstance(outcome, Answer) for _, outcome in bench.told)
        assert written <= bench.started


Pool.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
test_any_order_of_events = Pool.TestCase
