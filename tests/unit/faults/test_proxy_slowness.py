import random
import time

from faults.proxy import Delay, Proxy, Throttle
from tests.support.eventually import eventually
from tests.unit.faults.proxy_ends import EchoServer, assert_echoes, client, exactly, sending


def test_delayed_chunks_come_late_and_in_order(proxy: Proxy) -> None:
    """Each waits for at least the lower bound."""
    proxy.apply(Delay((0.02, 0.05), direction="down"))
    messages = [b"%d;" % number for number in range(10)]
    with client(proxy) as sock:
        began = time.monotonic()
        for message in messages:
            sock.sendall(message)
        assert exactly(sock, sum(map(len, messages))) == b"".join(messages)

        assert time.monotonic() - began >= 0.02
    assert proxy.counts.delayed >= 1


def test_healing_ends_a_delay_that_is_under_way(proxy: Proxy) -> None:
    """Nobody waits for the rest of a delay that is no more."""
    with client(proxy) as sock:
        proxy.apply(Delay((3600, 3600)))
        sock.sendall(b"hello")
        eventually(lambda: proxy.counts.delayed == 1, "the chunk is delayed")
        proxy.heal()

        assert exactly(sock, 5) == b"hello"


def test_a_new_fault_leaves_a_delay_under_way_alone(server: EchoServer, proxy: Proxy) -> None:
    """What comes on top takes nothing away."""
    with client(proxy) as sock:
        proxy.apply(Delay((3600, 3600), direction="up"))
        sock.sendall(b"hello")
        eventually(lambda: proxy.counts.delayed == 1, "the chunk is delayed")
        proxy.apply(Throttle(1_000_000))
        proxy.apply(Delay((0, 0), direction="down"))

        assert proxy.counts.forwarded_up == 0
        assert not server.peer(0).got


def test_throttled_bytes_take_their_time(proxy: Proxy) -> None:
    """The rate is that of each connection in each direction, from the first byte to the last."""
    proxy.apply(Throttle(100_000, direction="up"))
    data = random.Random(1).randbytes(40_000)
    with client(proxy) as sock:
        began = time.monotonic()
        sock.sendall(data)
        assert exactly(sock, len(data)) == data

        # All but the first piece have to wait, and a little may run ahead.
        assert time.monotonic() - began >= 0.3
    assert proxy.counts.throttled >= 1


def test_small_messages_are_not_throttled_below_the_rate(proxy: Proxy) -> None:
    """A timer's millisecond for each would be far more than their share."""
    proxy.apply(Throttle(1_000_000))
    with client(proxy) as sock:
        for _ in range(100):
            assert_echoes(sock)
    assert proxy.counts.throttled == 0


def test_healing_lets_throttled_bytes_go(proxy: Proxy) -> None:
    """What would have taken hours arrives now."""
    data = random.Random(1).randbytes(1_000_000)
    with client(proxy) as sock:
        proxy.apply(Throttle(10))
        with sending(sock, data, random.Random(2)):
            eventually(lambda: proxy.counts.throttled >= 1, "a piece waits")
            proxy.heal()
            assert exactly(sock, len(data)) == data
