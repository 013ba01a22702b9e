import ssl

import pytest

from pop_stream.access.tls import client_ssl_context
from pop_stream.gstv.endpoint import parse_endpoint


@pytest.mark.parametrize(
    ("url", "host", "port", "target", "host_header"),
    [
        ("http://gstv.example", "gstv.example", 80, "/", "gstv.example"),
        ("HTTP://GSTV.Example/Pop", "gstv.example", 80, "/Pop", "gstv.example"),
        ("http://gstv.example:8080/pop?a=b&c", "gstv.example", 8080, "/pop?a=b&c",
         "gstv.example:8080"),
        ("http://gstv.example:80/", "gstv.example", 80, "/", "gstv.example"),
        ("http://gstv.example?a", "gstv.example", 80, "/?a", "gstv.example"),
        ("http://[::1]:9/x", "::1", 9, "/x", "[::1]:9"),
        ("http://127.0.0.1/%20", "127.0.0.1", 80, "/%20", "127.0.0.1"),
        ("http://bücher.example/", "xn--bcher-kva.example", 80, "/", "xn--bcher-kva.example"),
        ("http://under_score.internal./", "under_score.internal.", 80, "/",
         "under_score.internal."),
    ],
)  # fmt: skip
def test_a_url_is_taken_apart(
    url: str, host: str, port: int, target: str, host_header: str
) -> None:
    """Every part of a good URL goes where a request needs it."""
    endpoint = parse_endpoint(url)

    assert (endpoint.host, endpoint.port) == (host, port)
    assert (endpoint.target, endpoint.host_header) == (target, host_header)
    assert endpoint.ssl_context is None


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "must start with http"),
        ("gstv.example/pop", "must start with http"),
        ("ftp://gstv.example", "must start with http"),
        ("//gstv.example", "must start with http"),
        ("http:///pop", "no host"),
        ("http://:80/", "no host"),
        ("http://user@gstv.example/", "user or a password"),
        ("http://user:secret@gstv.example/", "user or a password"),
        ("http://@gstv.example/", "user or a password"),
        ("http://gstv.example/#top", "fragment"),
        ("http://gstv.example/#", "fragment"),
        ("http://gstv.example:0/", "port"),
        ("http://gstv.example:65536/", "port"),
        ("http://gstv.example:http/", "port"),
        ("http://gstv.example:-1/", "port"),
        ("http://gstv.example /", "spaces"),
        (" http://gstv.example/", "spaces"),
        ("http://gstv.example/a b", "spaces"),
        ("http://gstv.example/a\r\nX: y", "spaces"),
        ("http://gstv.example/\x00", "spaces"),
        ("http://gstv.example/ü", "percent-encode"),
        ("http://[::1/", "malformed"),
        ("http://[::zz]/", "malformed|IPv6"),
        ("http://[fe80::1%eth0]/", "zone"),
        ("http://-gstv.example/", "valid name"),
        ("http://gstv..example/", "valid name"),
        ("http://gst%76.example/", "valid name"),
        (f"http://{'a' * 64}.example/", "valid name"),
        (f"http://{'a.' * 127}example/", "valid name"),
    ],
)
def test_a_url_that_cannot_be_posted_to_is_refused(url: str, message: str) -> None:
    """Each kind of bad URL is a ValueError whose text says what is wrong."""
    with pytest.raises(ValueError, match=message):
        parse_endpoint(url)


def test_a_refusal_does_not_repeat_the_url() -> None:
    """What may hold a secret is not in the message, since messages are logged."""
    with pytest.raises(ValueError, match="user") as caught:
        parse_endpoint("http://user:hunter2@gstv.example/?key=hunter2")

    assert "hunter2" not in str(caught.value)


def test_an_endpoint_does_not_show_its_target() -> None:
    """Neither repr nor origin holds the query, which may hold a key."""
    endpoint = parse_endpoint("http://gstv.example:81/pop?key=hunter2")

    assert "hunter2" not in repr(endpoint)
    assert endpoint.origin == "http://gstv.example:81"


def test_https_checks_certificate_and_name_from_tls_1_2_on() -> None:
    """Without a context of its own, an https endpoint gets the strict rules."""
    context = parse_endpoint("https://gstv.example/").ssl_context

    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert parse_endpoint("https://gstv.example/").port == 443


def test_a_ca_file_that_cannot_be_used_is_refused(tmp_path) -> None:
    """A missing CA file and one without a certificate are each a ValueError."""
    empty = tmp_path / "ca.pem"
    empty.write_text("no certificate")

    with pytest.raises(ValueError, match="CA file"):
        client_ssl_context(str(tmp_path / "missing.pem"))
    with pytest.raises(ValueError, match="CA file"):
        client_ssl_context(str(empty))
