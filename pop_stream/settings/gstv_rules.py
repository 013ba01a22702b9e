"""Rules of what leads to GSTV: what is missing, what would not be used, what is not safe."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from pop_stream.settings.model import GstvSettings, Settings
from pop_stream.settings.networks import Reachable, is_address, parse_networks
from pop_stream.settings.rules import Blame, Rule, authorities, own_certificate
from pop_stream.settings.values import check_credential, is_loopback

#: What POSTs and requests for tokens go to.
_URLS: Final = ("gstv_url", "notification_url", "gstv_oauth_url")
#: What each way of proving who we are needs, and what it may have besides.
_NEEDS: Final = {
    "none": (),
    "bearer": ("gstv_auth_token",),
    "basic": ("gstv_auth_username", "gstv_auth_password"),
    "api-key": ("gstv_auth_token",),
    "oauth2": ("gstv_oauth_url", "gstv_oauth_client_id", "gstv_oauth_client_secret"),
}
_MAY_HAVE: Final = {
    "api-key": ("gstv_auth_header",),
    "oauth2": ("gstv_oauth_scope", "gstv_oauth_ssl_cafile"),
}
_PROOFS: Final = tuple(
    name for name in GstvSettings.model_fields if name.startswith(("gstv_auth_", "gstv_oauth_"))
)


def _in_the_clear(settings: Settings) -> Iterator[Blame]:
    if settings.gstv_allow_plaintext:
        return
    proxied = not is_loopback(urlsplit(settings.gstv_proxy or "http://localhost").hostname or "")
    for name in _URLS:
        parts = urlsplit(getattr(settings, name) or "")
        if parts.scheme == "http" and (proxied or not is_loopback(parts.hostname or "")):
            what = "our client's secret" if name == "gstv_oauth_url" else "events"
            yield Blame(
                name,
                f"would send {what} beyond this machine without TLS: use https, "
                "or set POP_STREAM_GSTV_ALLOW_PLAINTEXT to true",
            )


def _proof(settings: Settings) -> Iterator[Blame]:
    way = settings.gstv_auth
    for name in _NEEDS[way]:
        if getattr(settings, name) is None:
            yield Blame(name, f"must be set for POP_STREAM_GSTV_AUTH={way}")
    used = {*_NEEDS[way], *_MAY_HAVE.get(way, ())}
    for name in _PROOFS:
        if name not in used and getattr(settings, name) != GstvSettings.model_fields[name].default:
            yield Blame(
                name,
                f"would not be used with POP_STREAM_GSTV_AUTH={way}: "
                f"set that to {_way_of(name)}, or drop this",
            )
    if settings.gstv_auth_token:
        try:
            check_credential(settings.gstv_auth_token.get_secret_value())
        except ValueError as error:
            yield Blame("gstv_auth_token", str(error))
    yield from _no_colon("gstv_auth_username", settings.gstv_auth_username)


def _no_colon(name: str, username: str | None) -> Iterator[Blame]:
    if username and ":" in username:
        yield Blame(name, "must not hold a colon: it ends the user's name")


def _way_of(name: str) -> str:
    ways = [way for way in _NEEDS if name in (*_NEEDS[way], *_MAY_HAVE.get(way, ()))]
    return " or ".join(ways)


def _proxy(settings: Settings) -> Iterator[Blame]:
    username, password = settings.gstv_proxy_username, settings.gstv_proxy_password
    for name, value in (("gstv_proxy_username", username), ("gstv_proxy_password", password)):
        if value is not None and settings.gstv_proxy is None:
            yield Blame(name, "would not be used: set POP_STREAM_GSTV_PROXY, or drop it")
    if (username is None) != (password is None):
        lacking = "gstv_proxy_username" if username is None else "gstv_proxy_password"
        yield Blame(lacking, "must be set, too: a user has a password, and a password a user")
    yield from _no_colon("gstv_proxy_username", username)


def _certificates(settings: Settings) -> Iterator[Blame]:
    yield from authorities("gstv_ssl_cafile", settings.gstv_ssl_cafile)
    yield from authorities("gstv_oauth_ssl_cafile", settings.gstv_oauth_ssl_cafile)
    if settings.gstv_ssl_certfile and urlsplit(settings.gstv_url or "").scheme == "http":
        yield Blame(
            "gstv_ssl_certfile",
            "would not be used: POP_STREAM_GSTV_URL is http; use https, or drop it",
        )
    yield from own_certificate(settings, "gstv_ssl_certfile", "gstv_ssl_keyfile")


def _private_addresses(settings: Settings) -> Iterator[Blame]:
    allowed = settings.gstv_allowed_networks
    networks = parse_networks(allowed) if allowed else ()
    for name in _URLS:
        host = urlsplit(getattr(settings, name) or "").hostname or ""
        if is_address(host) and not Reachable(networks, is_loopback(host)).permits(host):
            yield Blame(
                name,
                f"leads to {host}, which is no public address: use another, "
                "or name its network in POP_STREAM_GSTV_ALLOWED_NETWORKS",
            )


GSTV_RULES = (
    Rule((*_URLS, "gstv_proxy", "gstv_allow_plaintext"), _in_the_clear),
    Rule(("gstv_auth", *_PROOFS), _proof),
    Rule(("gstv_proxy", "gstv_proxy_username", "gstv_proxy_password"), _proxy),
    Rule(
        (
            "gstv_url",
            "gstv_ssl_cafile",
            "gstv_oauth_ssl_cafile",
            "gstv_ssl_certfile",
            "gstv_ssl_keyfile",
        ),
        _certificates,
    ),
    Rule((*_URLS, "gstv_allowed_networks"), _private_addresses),
)
