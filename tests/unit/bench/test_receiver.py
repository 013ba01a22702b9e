import http.client
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench import receiver
from bench.certificates import Certificates, make_certificates, openssl
from bench.nginx import Nginx, Ports, can_play, find_nginx, nginx_config
from bench.receiver import Count, find_receiver, receiving, rules_of
from bench.variants import Behaviour
from pop_stream.gstv.mock.ledger import read_ledger

INSTANT = Behaviour()
SLOW = Behaviour(answers_after_seconds=0.05)
FAILING = Behaviour(fails_first_share=0.1)
NGINX = Nginx("/usr/sbin/nginx", "1.2.3", Path("/modules/echo.so"))
PLAIN = Nginx("/usr/sbin/nginx", "1.2.3", None)
POSTS = 200


def config(behaviour, tls=None):
    """What nginx is told."""
    return nginx_config(NGINX, behaviour, Ports(8080, 8081), Path("/run"), tls)


def post(connection, number, attempt=1, **headers):
    """POST an event, and give the status."""
    more = {"Idempotency-Key": f'"pop-{number}"', "X-Pop-Attempt": str(attempt)}
    connection.request("POST", "/pops", b'{"n": %d}' % number, more | headers)
    response = connection.getresponse()
    response.read()
    return response.status


def connect(url, ca=None):
    """A connection to it."""
    parts = urlsplit(url)
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    context = ssl.create_default_context(cafile=ca)
    return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=10, context=context)


@pytest.fixture(params=["mocks", "nginx"])
def kind(request, monkeypatch):
    """Each kind of receiver, whatever is installed."""
    if request.param == "mocks":
        monkeypatch.setattr(receiver, "find_nginx", lambda: None)
    elif find_nginx() is None:
        pytest.skip("no nginx")
    return request.param


def test_nginx_answers_at_once_unless_told_otherwise():
    """Nothing else is in the way."""
    told = config(INSTANT)

    assert "listen 127.0.0.1:8080 backlog" in told
    assert "location / { return 200 '{}'; }" in told
    assert not {"load_module", "split_clients", "ssl_certificate"} & set(told.split())


def test_nginx_waits_with_the_module_that_was_found():
    """Its own directives cannot wait."""
    told = config(SLOW)

    assert "load_module /modules/echo.so;" in told
    assert "echo_sleep 0.05; echo_exec @taken;" in told


def test_nginx_fails_a_share_of_the_events_at_their_first_attempt():
    """By the event, so that the retry is let through."""
    told = config(FAILING)

    assert 'split_clients "$http_idempotency_key" $chosen { 10.00% 1; * 0; }' in told
    assert 'map "$chosen$http_x_pop_attempt" $refused { 11 1; default 0; }' in told
    assert "access_log /run/refusals.log refusal if=$refused;" in told


def test_nginx_speaks_tls_with_a_certificate():
    """On the port of the events only."""
    told = config(Behaviour(https=True), Certificates(Path("ca"), Path("cert"), Path("key")))

    assert "listen 127.0.0.1:8080 ssl backlog" in told
    assert "ssl_certificate cert; ssl_certificate_key key;" in told
    assert "listen 127.0.0.1:8081;" in told


@pytest.mark.parametrize(
    ("nginx", "behaviour"),
    [
        (PLAIN, SLOW),
        (NGINX, Behaviour(keeps_ledger=True)),
        (NGINX, Behaviour(answers_after_seconds=1, fails_first_share=0.1)),
    ],
)
def test_nginx_is_not_asked_for_what_it_cannot_do(nginx, behaviour):
    """The mock can do it all."""
    assert not can_play(nginx, behaviour)
    with pytest.raises(ValueError, match="cannot play"):
        nginx_config(nginx, behaviour, Ports(1, 2), Path("/run"), None)


def test_the_mocks_are_told_the_same():
    """A retry may come to another process: the attempt's own number says what it is."""
    assert rules_of(INSTANT) == []
    assert rules_of(SLOW) == [{"then": {"delay": 0.05}}]
    assert rules_of(FAILING) == [
        {"when": {"share": 0.1, "header": {"X-Pop-Attempt": "1"}}, "then": {"status": 500}}
    ]


def test_the_table_says_which_receiver_it_was(monkeypatch):
    """A figure without it cannot be compared."""
    monkeypatch.setattr(receiver, "find_nginx", lambda: NGINX)
    assert str(find_receiver(INSTANT)) == "nginx 1.2.3, one process"
    assert str(find_receiver(SLOW)) == "nginx 1.2.3, one process, with its module echo"
    assert str(find_receiver(Behaviour(keeps_ledger=True))).endswith("one process")
    monkeypatch.setattr(receiver, "find_nginx", lambda: PLAIN)
    assert str(find_receiver(SLOW)).endswith("2 processes")
    assert str(find_receiver(INSTANT)) == "nginx 1.2.3, one process"


@pytest.mark.usefixtures("kind")
def test_the_count_adds_up(tmp_path):
    """Over all connections, and so over all processes; asking changes nothing."""
    with receiving(INSTANT, folder=tmp_path) as running:
        assert running.count() == Count(0, 0)
        for number in range(20):
            connection = connect(running.url)
            assert [post(connection, 10 * number + n) for n in range(10)] == [200] * 10
            connection.close()
        counts = [running.count(), running.count()]

    assert counts == [Count(POSTS, 0)] * 2


@pytest.mark.usefixtures("kind")
def test_a_tenth_fails_once(tmp_path):
    """An event that was refused is let through at its next attempt; both are counted."""
    with receiving(FAILING, folder=tmp_path) as running:
        connection = connect(running.url)
        first = [post(connection, number) for number in range(POSTS)]
        again = [
            post(connection, number, attempt=2) for number in range(POSTS) if first[number] == 500
        ]
        connection.close()
        count = running.count()

    assert set(first) == {200, 500}
    assert 0.02 * POSTS < len(again) < 0.3 * POSTS
    assert set(again) == {200}
    assert count == Count(POSTS, len(again))


@pytest.mark.skipif(openssl() is None, reason="no openssl")
@pytest.mark.usefixtures("kind")
def test_https_is_checked_against_the_ca_of_the_run(tmp_path):
    """With the checks that a worker makes."""
    with receiving(Behaviour(https=True), folder=tmp_path) as running:
        connection = connect(running.url, running.ca)
        assert [post(connection, number) for number in range(3)] == [200] * 3
        connection.close()
        stranger = connect(running.url)
        with pytest.raises(ssl.SSLCertVerificationError):
            post(stranger, 4)
        assert running.count() == Count(3, 0)


@pytest.mark.skipif(openssl() is None, reason="no openssl")
def test_certificates_stand_the_strict_checks_of_newer_pythons(tmp_path):
    """Python 3.13 asks for key usages and key identifiers."""
    made = make_certificates(tmp_path)
    context = ssl.create_default_context(cafile=made.ca)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made.certificate, made.key)
    ends = [ssl.MemoryBIO() for _ in range(2)]
    client = context.wrap_bio(ends[0], ends[1], server_hostname="127.0.0.1")
    partner = server.wrap_bio(ends[1], ends[0], server_side=True)
    for end in (client, partner, client, partner):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue

    assert client.version() == "TLSv1.3"


def test_a_slow_partner_waits(kind, tmp_path):
    """And answers all the same."""
    if kind == "nginx" and not can_play(find_nginx(), SLOW):
        pytest.skip("no module echo")
    with receiving(SLOW, folder=tmp_path) as running:
        connection = connect(running.url)
        assert post(connection, 1) == 200
        connection.close()
        assert running.count() == Count(1, 0)


def test_the_ledger_tells_when_each_event_came(tmp_path):
    """By the bytes of its body: not every system sends an id."""
    begun_at = time.time()
    with receiving(Behaviour(keeps_ledger=True), folder=tmp_path) as running:
        connection = connect(running.url)
        post(connection, 1)
        connection.close()
        (entry,) = read_ledger(running.ledger)

    assert entry.size == len('{"n": 1}')
    assert begun_at < entry.received_at < time.time()
