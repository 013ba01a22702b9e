"""What the mock asks of whoever posts: the credentials and signatures that settings name."""

import base64
import hmac
import secrets
import time
from collections.abc import Mapping
from urllib.parse import parse_qs, quote_plus

import orjson

from pop_stream.errors import SettingsError
from pop_stream.gstv.mock.attempt import Attempt
from pop_stream.gstv.mock.rules import Action
from pop_stream.gstv.proof import Proof
from pop_stream.gstv.proof_from_settings import proof_of
from pop_stream.gstv.signing import verify
from pop_stream.settings import Settings


class TokenDesk:
    """A token endpoint for one client."""

    #: How long its tokens live: not long, so that they are seen to be renewed.
    life_seconds = 60.0

    def __init__(self, client_id: str, secret: str) -> None:
        pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode("ascii")
        self._client = b"Basic " + base64.b64encode(pair)
        self._expiries: dict[bytes, float] = {}

    def answer(self, headers: Mapping[bytes, bytes], body: bytes) -> tuple[int, bytes]:
        """Answer a request for a token, as RFC 6749 has it."""
        if not hmac.compare_digest(headers.get(b"authorization", b""), self._client):
            return 401, orjson.dumps({"error": "invalid_client"})
        if parse_qs(body.decode("latin-1")).get("grant_type") != ["client_credentials"]:
            return 400, orjson.dumps({"error": "unsupported_grant_type"})
        token, life = secrets.token_urlsafe(24), self.life_seconds
        self._expiries[b"Bearer " + token.encode("ascii")] = time.monotonic() + life
        fields = {"access_token": token, "token_type": "Bearer", "expires_in": life}
        return 200, orjson.dumps(fields)

    def takes(self, authorization: bytes) -> bool:
        """Whether this is a token of ours that has not ended."""
        return self._expiries.get(authorization, 0.0) > time.monotonic()


class Guard:
    """Judges attempts by what they show."""

    def __init__(self, proof: Proof | None, desk: TokenDesk | None = None) -> None:
        """Take what a client with the same settings shows; with a desk, a token of that."""
        self._proof = proof or Proof()
        self.desk = desk

    def refusal(self, attempt: Attempt) -> Action | None:
        """The answer to an attempt that does not show enough; None for one that does."""
        why = self._why_not(attempt.headers) or self._why_not_signed(attempt)
        if why is None:
            return None
        return Action(status=401, body=orjson.dumps({"error": why}))

    def _why_not(self, headers: Mapping[bytes, bytes]) -> str | None:
        if self.desk is not None:
            known = self.desk.takes(headers.get(b"authorization", b""))
            return None if known else "no token of ours, or an old one"
        credentials = self._proof.credentials
        lines = None if credentials is None else credentials.lines()
        if lines is None:
            return None
        name, _, value = lines.rstrip(b"\r\n").partition(b": ")
        shown = headers.get(name.lower(), b"")
        return None if hmac.compare_digest(shown, value) else "the credentials are wrong"

    def _why_not_signed(self, attempt: Attempt) -> str | None:
        if self._proof.keys is None:
            return None
        pop_id, timestamp, signature = (
            attempt.headers.get(b"webhook-" + name, b"").decode("latin-1")
            for name in (b"id", b"timestamp", b"signature")
        )
        keys = self._proof.keys()
        return verify(keys, pop_id, timestamp, signature, attempt.body, now=time.time())


def guard_of(settings: Settings) -> Guard:
    """Ask for what a worker with the same settings shows.

    Raises SettingsError when they say that nothing is shown.
    """
    proof = proof_of(settings, trusted=True)
    if proof is None:
        raise SettingsError(
            ["POP_STREAM_GSTV_AUTH or POP_STREAM_GSTV_SIGNING_SECRETS must say what to ask for"]
        )
    client_id, secret = settings.gstv_oauth_client_id, settings.gstv_oauth_client_secret
    if settings.gstv_auth != "oauth2" or client_id is None or secret is None:
        return Guard(proof)
    return Guard(proof, TokenDesk(client_id, secret.get_secret_value()))
