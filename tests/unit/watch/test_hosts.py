"""To which names a server answers: on loopback to its own, else to all."""

import pytest

from pop_stream.watch.hosts import hosts_of


@pytest.mark.parametrize(
    "host",
    [None, "127.0.0.1", "127.0.0.1:9108", "127.3.2.1", "localhost", "LocalHost:9108", "localhost.",
     "worker.localhost:80", "[::1]:9108", "[::1]"],
)  # fmt: skip
def test_on_loopback_it_answers_to_the_names_of_loopback(host: str | None) -> None:
    """And to who gives none, which no browser does."""
    assert hosts_of("127.0.0.1", "127.0.0.1")(host)
    assert hosts_of("::1", "::1")(host)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:9108", "localhost.evil.example", "127.0.0.1.evil.example",
     "10.0.0.1", "", "localhost,evil.example", "notlocalhost", "[evil]", "[::1].evil.example",
     "[::2]"],
)  # fmt: skip
def test_on_loopback_it_answers_to_no_other_name(host: str) -> None:
    """A browser sends the name of the page that asks, wherever that name leads."""
    assert not hosts_of("127.0.0.1", "127.0.0.1")(host)


def test_it_answers_to_the_name_that_it_was_told_to_listen_on() -> None:
    """`METRICS_HOST=this-machine`, which leads to loopback."""
    answers = hosts_of("this-machine", "127.0.1.1")

    assert answers("This-Machine:9108")
    assert not answers("that-machine:9108")


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "10.0.0.5", "fd00::1"])  # noqa: S104
def test_beyond_loopback_it_answers_to_every_name(address: str) -> None:
    """Prometheus finds it by the name of a service."""
    assert hosts_of(address, address)("pop-stream-worker.pop-stream.svc:9108")
