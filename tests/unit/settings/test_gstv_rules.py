"""Rules of what leads to GSTV: what is missing, what would not be used, what is not safe."""

import pytest

from pop_stream.settings import SETTINGS
from tests.unit.settings.certificates import CERTIFICATE, KEY, OTHER_KEY, Pem
from tests.unit.settings.problems import problems_of

URL = "https://gstv.example/pops"
OAUTH = {
    "gstv_auth": "oauth2",
    "gstv_oauth_url": "https://login.example/token",
    "gstv_oauth_client_id": "worker",
    "gstv_oauth_client_secret": "tulip",
}
#: All that each way of proving who we are needs.
GOOD = {
    "none": {},
    "bearer": {"gstv_auth": "bearer", "gstv_auth_token": "tulip"},
    "basic": {"gstv_auth": "basic", "gstv_auth_username": "u", "gstv_auth_password": "tulip"},
    "api-key": {"gstv_auth": "api-key", "gstv_auth_token": "tulip"},
    "oauth2": OAUTH,
}


def _problems(**given: object) -> list[str]:
    return problems_of({"gstv_url": URL, **given})


def _blamed(**given: object) -> list[str]:
    """The settings that are blamed, by their names."""
    names = {name for setting in SETTINGS.values() for name in (setting.flag, setting.variable)}
    heads = [problem.split()[0] for problem in _problems(**given)]
    assert names.issuperset(heads)
    return [
        head.removeprefix("POP_STREAM_").lstrip("-").replace("-", "_").lower() for head in heads
    ]


@pytest.mark.parametrize("way", GOOD)
def test_each_way_of_proof_is_complete_with_what_it_needs(way: str) -> None:
    """And with each of it missing, that is named."""
    assert _problems(**GOOD[way]) == []
    for name in GOOD[way].keys() - {"gstv_auth"}:
        given = {key: value for key, value in GOOD[way].items() if key != name}
        assert _blamed(**given) == [name]


@pytest.mark.parametrize(
    ("way", "name", "value"),
    [
        ("none", "gstv_auth_token", "tulip"),
        ("none", "gstv_oauth_client_secret", "tulip"),
        ("bearer", "gstv_auth_header", "X-Key"),
        ("bearer", "gstv_auth_password", "tulip"),
        ("basic", "gstv_auth_token", "tulip"),
        ("api-key", "gstv_auth_username", "u"),
        ("api-key", "gstv_oauth_scope", "pops"),
        ("oauth2", "gstv_auth_token", "tulip"),
    ],
)
def test_a_proof_that_would_not_be_used_is_a_mistake(way: str, name: str, value: str) -> None:
    """Whoever gives it believes that it is shown; the message says with what it would be."""
    (problem,) = _problems(**{**GOOD[way], name: value})

    assert f"POP_STREAM_GSTV_AUTH={way}" in problem
    assert "tulip" not in problem


@pytest.mark.parametrize("way", ["bearer", "api-key"])
@pytest.mark.parametrize("token", [" tulip", "tulip ", "tul\r\nip: x", "tülip", "tul\x00ip"])
def test_a_token_that_could_leave_its_header_is_refused(way: str, token: str) -> None:
    """And is not repeated."""
    (problem,) = _problems(**{**GOOD[way], "gstv_auth_token": token})

    assert "gstv-auth-token must be ASCII" in problem
    assert "ip" not in problem


@pytest.mark.parametrize("name", ["", "X Key", "X-Key:", "X\r\nY", "ä", "Authorization",
                                  "content-length", "Idempotency-Key", "x-pop-attempt",
                                  "Webhook-Signature"])  # fmt: skip
def test_the_header_of_a_key_is_one_of_its_own(name: str) -> None:
    """A header's name, and none that requests have already."""
    assert _blamed(**GOOD["api-key"], gstv_auth_header=name) == ["gstv_auth_header"]
    assert _problems(**GOOD["api-key"], gstv_auth_header="Ocp-Apim-Subscription-Key") == []


def test_a_users_name_holds_no_colon() -> None:
    """There the password would begin."""
    assert _blamed(**{**GOOD["basic"], "gstv_auth_username": "a:b"}) == ["gstv_auth_username"]


@pytest.mark.parametrize(
    "text", ["tulip", "whsec_tulip", "whsec_" + "A" * 28, "v1_" + "A" * 32, "whsec_" + "A" * 92]
)
def test_a_signing_secret_is_as_standard_webhooks_has_it(text: str) -> None:
    """24 to 64 bytes in base64; and what was given is not repeated."""
    (problem,) = _problems(gstv_signing_secrets=text)

    assert problem.startswith("--gstv-signing-secrets must be whsec_ and")
    assert text[:10] not in problem or text.startswith("whsec_A")
    assert _problems(gstv_signing_secrets="whsec_" + "A" * 32) == []


@pytest.mark.parametrize("name", ["gstv_url", "notification_url", "gstv_oauth_url"])
def test_nothing_is_sent_in_the_clear_beyond_this_machine(name: str) -> None:
    """Nor is our client's secret, nor what a proxy elsewhere hands on."""
    given = {**OAUTH, name: "http://gstv.example/"}

    assert _blamed(**given) == [name]
    assert _problems(**given, gstv_allow_plaintext=True) == []
    here = {**OAUTH, name: "http://127.0.0.1:8080/"}
    assert _problems(**here) == []
    assert _blamed(**here, gstv_proxy="http://proxy.example:3128") == [name]
    assert _problems(**here, gstv_proxy="http://127.0.0.1:3128") == []


@pytest.mark.parametrize("name", ["gstv_url", "notification_url", "gstv_oauth_url"])
@pytest.mark.parametrize(
    "host", ["10.0.0.1", "169.254.169.254", "[fd00:ec2::254]", "[::ffff:10.0.0.1]", "0.0.0.1"]
)
def test_an_address_that_is_not_public_is_refused_unless_allowed(name: str, host: str) -> None:
    """The message names the setting that would allow it."""
    given = {**OAUTH, name: f"https://{host}/pops"}
    (problem,) = _problems(**given)

    assert problem.startswith("--" + name.replace("_", "-"))
    assert "POP_STREAM_GSTV_ALLOWED_NETWORKS" in problem
    allowed = "10.0.0.0/8,169.254.0.0/16,fd00::/8,0.0.0.1/32"
    assert _problems(**given, gstv_allowed_networks=allowed) == []


def test_a_proxy_is_an_http_url_and_no_more() -> None:
    """Its user has settings of their own."""
    assert _problems(gstv_proxy="http://10.0.0.1:3128") == []
    for proxy in (
        "https://proxy.example",
        "http://u:tulip@proxy.example",
        "http://proxy.example/x",
        "http://proxy.example?x",
        "socks5://proxy.example",
        "proxy.example:3128",
    ):
        (problem,) = _problems(gstv_proxy=proxy)
        assert problem.startswith("--gstv-proxy must")
        assert "tulip" not in problem


def test_a_proxys_user_has_a_password_and_a_proxy() -> None:
    """Each that is missing is named."""
    user = {"gstv_proxy_username": "u", "gstv_proxy_password": "tulip"}
    proxy = {"gstv_proxy": "http://proxy.example:3128"}

    assert _problems(**proxy, **user) == []
    assert _blamed(**user) == ["gstv_proxy_username", "gstv_proxy_password"]
    assert _blamed(**proxy, gstv_proxy_username="u") == ["gstv_proxy_password"]
    assert _blamed(**proxy, gstv_proxy_password="tulip") == ["gstv_proxy_username"]


def test_our_certificate_comes_with_its_key_and_with_tls(pem: Pem) -> None:
    """As that for Kafka does."""
    both = {
        "gstv_ssl_certfile": pem("certificate", CERTIFICATE),
        "gstv_ssl_keyfile": pem("key", KEY),
    }

    assert _problems(**both) == []
    assert _blamed(**both, gstv_url="http://127.0.0.1/") == ["gstv_ssl_certfile"]
    assert _blamed(gstv_ssl_keyfile=both["gstv_ssl_keyfile"]) == ["gstv_ssl_keyfile"]
    other = {**both, "gstv_ssl_keyfile": pem("other", OTHER_KEY)}
    assert _blamed(**other) == ["gstv_ssl_certfile"]
    assert _blamed(**OAUTH, gstv_oauth_ssl_cafile=pem("none", KEY)) == ["gstv_oauth_ssl_cafile"]
