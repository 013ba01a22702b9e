"""What settings say of the credentials that GSTV is shown."""

import base64
from pathlib import Path
from typing import Any

import pytest

from pop_stream.access import reread
from pop_stream.gstv.proof import Proof
from pop_stream.gstv.proof_from_settings import proof_of
from pop_stream.gstv.signing import SigningKey, sign
from pop_stream.settings import Settings, load_settings

URL = "https://gstv.example/pops"
OLD = (SigningKey(b"k" * 32),)
KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()


@pytest.fixture(autouse=True)
def looked_at_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked at whenever somebody asks."""
    monkeypatch.setattr(reread, "_LOOK_SECONDS", 0.0)


def settings_of(environ: dict[str, str] | None = None, **given: Any) -> Settings:
    """Settings for GSTV."""
    return load_settings(environ or {}, overrides={"gstv_url": URL, **given}, dotenv=None)


def signed_by(keys: tuple[SigningKey, ...]) -> bytes:
    """What the keys make of a request."""
    return sign(keys, b"id", 100, b"{}")


def lines(proof: Proof | None) -> bytes | None:
    """What a request shows now."""
    assert proof is not None
    assert proof.credentials is not None
    return proof.credentials.lines()


def test_without_settings_nothing_is_shown() -> None:
    """And so requests are made as fast as can be."""
    assert proof_of(settings_of(), trusted=True) is None


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"gstv_auth": "bearer", "gstv_auth_token": "tulip"}, b"Authorization: Bearer tulip\r\n"),
        ({"gstv_auth": "api-key", "gstv_auth_token": "tulip"}, b"X-Api-Key: tulip\r\n"),
        (
            {"gstv_auth": "api-key", "gstv_auth_token": "tu lip", "gstv_auth_header": "Key"},
            b"Key: tu lip\r\n",
        ),
        (
            # The example of RFC 7617, 2.1: the pound sign is of two bytes.
            {"gstv_auth": "basic", "gstv_auth_username": "test", "gstv_auth_password": "123£"},
            b"Authorization: Basic dGVzdDoxMjPCow==\r\n",
        ),
    ],
)
def test_each_way_has_its_line(given: dict[str, str], shown: bytes) -> None:
    """As its RFC has it."""
    assert lines(proof_of(settings_of(**given), trusted=True)) == shown


def test_others_see_signatures_only() -> None:
    """A notification URL elsewhere is not for our credentials."""
    settings = settings_of(gstv_auth="bearer", gstv_auth_token="tulip", gstv_signing_secrets=KEY)
    proof = proof_of(settings, trusted=False)

    assert proof is not None
    assert proof.credentials is None
    assert proof.keys is not None
    assert signed_by(proof.keys()) == signed_by(OLD)


def test_a_token_whose_file_is_replaced_is_shown_from_then_on(tmp_path: Path) -> None:
    """While its file holds what is no token, the old one is."""
    file = tmp_path / "token"
    file.write_text("rose\n")
    settings = settings_of({"POP_STREAM_GSTV_AUTH_TOKEN_FILE": str(file)}, gstv_auth="bearer")
    proof = proof_of(settings, trusted=True)

    assert lines(proof) == b"Authorization: Bearer rose\r\n"
    file.write_text("tulip: of the evening\r\nX: y\n")
    assert lines(proof) == b"Authorization: Bearer rose\r\n"
    file.write_text("tulip\n")
    assert lines(proof) == b"Authorization: Bearer tulip\r\n"


def test_signing_secrets_are_changed_while_we_run(tmp_path: Path) -> None:
    """A second one before, one less after: no restart."""
    file = tmp_path / "secrets"
    file.write_text(KEY)
    settings = settings_of({"POP_STREAM_GSTV_SIGNING_SECRETS_FILE": str(file)})
    proof = proof_of(settings, trusted=True)

    assert proof is not None
    assert proof.keys is not None
    assert signed_by(proof.keys()) == signed_by(OLD)
    file.write_text(f"whsec_{base64.b64encode(b'n' * 24).decode()}\n{KEY}\n")
    assert signed_by(proof.keys()) == signed_by((SigningKey(b"n" * 24), *OLD))
