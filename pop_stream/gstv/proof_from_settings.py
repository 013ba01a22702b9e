"""What settings say of how we prove to GSTV who we are."""

from collections.abc import Callable
from functools import partial

from pydantic import SecretStr

from pop_stream.access.bounded_post import PostTarget
from pop_stream.access.oauth import OAuthClient, TokenKeeper, fetch_token
from pop_stream.access.secrets import reread_secret, reread_value
from pop_stream.access.tls import client_ssl_context
from pop_stream.gstv.credentials import StaticCredentials, basic_lines, bearer_lines, key_lines
from pop_stream.gstv.oauth_credentials import OAuthCredentials
from pop_stream.gstv.proof import Credentials, Proof
from pop_stream.gstv.route import route_of
from pop_stream.gstv.signing import SigningKey
from pop_stream.settings import Settings
from pop_stream.settings.signing_secrets import parse_signing_secrets


def proof_of(settings: Settings, *, trusted: bool) -> Proof | None:
    """What requests show; None when that is nothing. Only who is `trusted` sees credentials.

    Raises ValueError when a secret cannot be used.
    """
    secrets = settings.gstv_signing_secrets
    keys = None if secrets is None else reread_value(secrets, _keys_of).get
    credentials = _credentials_of(settings) if trusted else None
    if keys is None and credentials is None:
        return None
    return Proof(credentials=credentials, keys=keys)


def _keys_of(text: str) -> tuple[SigningKey, ...]:
    return tuple(SigningKey(key) for key in parse_signing_secrets(text))


def _credentials_of(settings: Settings) -> Credentials | None:
    make: Callable[[str], bytes]
    match settings.gstv_auth:
        case "bearer":
            make = bearer_lines
            secret = settings.gstv_auth_token
        case "api-key":
            make = key_lines(settings.gstv_auth_header)
            secret = settings.gstv_auth_token
        case "basic":
            make = basic_lines(settings.gstv_auth_username or "")
            secret = settings.gstv_auth_password
        case "oauth2":
            return OAuthCredentials(TokenKeeper(partial(fetch_token, _client_of(settings))))
        case "none":
            return None
    return StaticCredentials(reread_value(_given(secret), make))


def _client_of(settings: Settings) -> OAuthClient:
    url = settings.gstv_oauth_url or ""
    cafile = settings.gstv_oauth_ssl_cafile
    route = route_of(settings)
    return OAuthClient(
        target=PostTarget(
            url=url,
            ssl_context=client_ssl_context(cafile) if url.startswith("https:") else None,
            allowed=route.allowed,
            proxy=route.proxy,
            timeout_seconds=settings.gstv_connect_timeout_seconds,
        ),
        client_id=settings.gstv_oauth_client_id or "",
        secret=reread_secret(_given(settings.gstv_oauth_client_secret)).get,
        scope=settings.gstv_oauth_scope,
    )


def _given(secret: SecretStr | None) -> SecretStr:
    # The rules of the settings have seen to it; whoever made settings without them hears it here.
    if secret is None:
        raise ValueError("the secret of POP_STREAM_GSTV_AUTH is not set")
    return secret
