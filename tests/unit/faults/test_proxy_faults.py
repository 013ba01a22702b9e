from typing import Any

import pytest

from faults.proxy import CutAfter, Delay, Proxy, Throttle
from tests.unit.faults.proxy_ends import assert_echoes, client, until_the_end


def test_a_fault_hits_the_connections_that_it_is_for(proxy: Proxy) -> None:
    """Those there are, or those to come."""
    with client(proxy) as old:
        assert_echoes(old)
        proxy.apply(CutAfter((0, 0), connections="new"))
        assert_echoes(old)
        with client(proxy) as new:
            new.sendall(b"hello")
            assert until_the_end(new) == (b"", "RST")
        proxy.heal()
        proxy.apply(CutAfter((0, 0), connections="current"))
        with client(proxy) as newer:
            assert_echoes(newer)
        old.sendall(b"hello")
        assert until_the_end(old) == (b"", "RST")


def test_faults_add_up(proxy: Proxy) -> None:
    """Of different kinds each does its part; of one kind the last."""
    proxy.apply(Delay((0, 0.01)))
    proxy.apply(CutAfter((100, 100), direction="down"))
    proxy.apply(CutAfter((7, 7), direction="down"))
    with client(proxy) as sock:
        sock.sendall(bytes(1000))

        assert until_the_end(sock) == (bytes(7), "RST")
    assert proxy.counts.delayed >= 2


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Delay((0.2, 0.1)),
        lambda: Delay((-1, 1)),
        lambda: CutAfter((5, 4)),
        lambda: Throttle(0),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(wrong: Any) -> None:
    """Where it is written, not where it should have bitten."""
    with pytest.raises(ValueError, match="not a"):
        wrong()
