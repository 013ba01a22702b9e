import errno
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from faults.proxy import Blackhole, Delay, Proxy, Reset, Throttle
from tests.support.eventually import eventually
from tests.unit.faults.proxy_ends import EchoServer, assert_echoes, client, until_the_end


def open_files() -> int:
    """How many files and sockets this process has."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_ending_it_in_the_middle_of_everything_leaves_nothing_behind(server: EchoServer) -> None:
    """Held, delayed and blocked connections are closed; no socket and no thread stays."""
    files, threads = open_files(), threading.active_count()
    with ExitStack() as stack:
        proxy = stack.enter_context(Proxy.start(server.address))
        socks = [stack.enter_context(client(proxy)) for _ in range(6)]
        assert_echoes(socks[0])
        proxy.apply(Blackhole("up", connections="current"))
        proxy.apply(Delay((3600, 3600), connections="new"))
        proxy.apply(Throttle(1, connections="new"))
        socks += [stack.enter_context(client(proxy)) for _ in range(3)]
        for sock in socks:
            sock.sendall(b"held" * 1000)
        eventually(lambda: proxy.counts.delayed == 3, "chunks are delayed")
    for peer in server.peers:
        eventually(lambda: peer.lost, "the server has lost it")  # noqa: B023

    eventually(lambda: open_files() <= files, "all sockets are closed")
    assert threading.active_count() == threads


def test_the_counts_can_be_asked_for_after_the_end(server: EchoServer) -> None:
    """What was done stays on record."""
    with Proxy.start(server.address) as proxy, client(proxy) as sock:
        assert_echoes(sock)

    assert (proxy.counts.opened, proxy.counts.current, proxy.counts.forwarded_up) == (1, 0, 5)


def test_a_fault_for_a_proxy_that_has_ended_is_an_error(server: EchoServer) -> None:
    """It could not bite, and must not seem to."""
    with Proxy.start(server.address) as proxy:
        pass

    with pytest.raises(RuntimeError, match="closed"):
        proxy.apply(Reset())


def test_a_port_in_use_is_told_at_once(server: EchoServer) -> None:
    """There is no proxy then."""
    with (
        pytest.raises(OSError, match="in use"),
        Proxy.start(server.address, port=server.address[1]),
    ):
        pass


def test_running_out_of_sockets_is_raised(
    server: EchoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A harness that fails by itself must not look like a fault that was asked for."""

    def too_many(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("faults.proxy_server.Connection", too_many)
    with (
        pytest.raises(OSError, match="Too many"),
        Proxy.start(server.address) as proxy,
        client(proxy) as sock,
    ):
        until_the_end(sock)
