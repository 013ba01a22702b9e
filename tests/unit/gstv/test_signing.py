"""Signatures: what GSTV is told to expect is what we send."""

import base64
import hmac
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.gstv.signing import SigningKey, sign, signed_lines, verify
from pop_stream.settings.signing_secrets import parse_signing_secrets

DOCS = Path(__file__).parents[3] / "docs"
VECTORS = orjson.loads((DOCS / "signing-vectors.json").read_bytes())
GOOD = {vector["name"]: vector for vector in VECTORS["good"]}
KEY_BYTES, OTHER_BYTES = b"k" * 32, b"o" * 32
KEY, OTHER, THIRD = SigningKey(KEY_BYTES), SigningKey(OTHER_BYTES), SigningKey(b"third" * 5)
SECRET = "whsec_" + base64.b64encode(KEY_BYTES).decode()
OTHER_SECRET = "whsec_" + base64.b64encode(OTHER_BYTES).decode()


def _keys(vector: dict[str, Any]) -> tuple[SigningKey, ...]:
    return tuple(map(SigningKey, parse_signing_secrets(" ".join(vector["secrets"]))))


def _why_not(vector: dict[str, Any]) -> str | None:
    return verify(
        _keys(vector),
        vector["id"],
        str(vector["timestamp"]),
        vector["signature"],
        vector["body"].encode(),
        now=vector["timestamp"],
    )


@pytest.mark.parametrize("vector", GOOD.values(), ids=lambda vector: vector["name"])
def test_a_signature_is_that_of_the_vectors(vector: dict[str, Any]) -> None:
    """The published example among them; and what we sign, our verifier takes."""
    signature = sign(
        _keys(vector), vector["id"].encode(), vector["timestamp"], vector["body"].encode()
    )

    assert signature.decode() == vector["signature"]
    assert _why_not(vector) is None


@given(key=st.binary(max_size=200), content=st.binary())
def test_a_key_signs_as_hmac_has_it(key: bytes, content: bytes) -> None:
    """Of any length, also beyond the block of the hash."""
    expected = base64.b64encode(hmac.digest(key, content, "sha256"))

    assert SigningKey(key).signature(content) == expected
    assert SigningKey(key).signature(content) == expected


@pytest.mark.parametrize("change", VECTORS["refused"], ids=lambda change: change["name"])
def test_what_was_altered_is_refused(change: dict[str, Any]) -> None:
    """The same vector is good without the change."""
    good = GOOD[change["of"]]

    assert _why_not(good) is None
    assert _why_not(good | change) is not None


def test_while_secrets_are_changed_either_of_them_is_enough() -> None:
    """A receiver may know the old one, the new one, or both."""
    signature = sign((KEY, OTHER), b"id", 100, b"{}").decode()

    for known in ((KEY,), (OTHER,), (OTHER, THIRD)):
        assert verify(known, "id", "100", signature, b"{}", now=100) is None
    assert verify((THIRD,), "id", "100", signature, b"{}", now=100) is not None


def test_the_newest_secret_signs_first() -> None:
    """The first secret that is given is the newest."""
    first, second = sign((KEY, OTHER), b"id", 100, b"{}").split(b" ")

    assert first == sign((KEY,), b"id", 100, b"{}")
    assert second == sign((OTHER,), b"id", 100, b"{}")


@pytest.mark.parametrize(("now", "good"), [(400, True), (401, False), (-200, True), (-201, False)])
def test_a_request_of_another_time_is_refused(now: float, good: bool) -> None:
    """Five minutes early or late are allowed, and no more."""
    why = verify((KEY,), "id", "100", sign((KEY,), b"id", 100, b"").decode(), b"", now=now)

    assert (why is None) is good


@pytest.mark.parametrize("timestamp", ["", "abc", "-100", "1e2", "100.0", "٣٠٠", "9" * 13, " 100"])
def test_a_time_that_is_none_is_refused(timestamp: str) -> None:
    """Whatever was signed."""
    signature = sign((KEY,), b"id", 100, b"").decode()

    assert verify((KEY,), "id", timestamp, signature, b"", now=100) is not None


@pytest.mark.parametrize("signature", ["", "v1,", "v1,ä", "v1a,xyz", "v1", " ", "v1,=" * 5000])
def test_a_signature_that_is_none_is_refused(signature: str) -> None:
    """Odd text is no crash."""
    assert verify((KEY,), "id", "100", signature, b"", now=100) is not None


def test_no_secret_takes_nothing() -> None:
    """A receiver without a secret cannot tell."""
    assert verify((), "id", "100", "v1,", b"", now=100) is not None


def test_a_request_has_three_lines_more() -> None:
    """Each a header of its own."""
    lines = signed_lines((KEY,), b"id-1", 100, b"{}")

    assert lines.split(b"\r\n") == [
        b"webhook-id: id-1",
        b"webhook-timestamp: 100",
        b"webhook-signature: " + sign((KEY,), b"id-1", 100, b"{}"),
        b"",
    ]


@pytest.mark.parametrize("between", [" ", ",", "\n", ", ", "\r\n", ",\n  "])
def test_several_secrets_are_told_apart(between: str) -> None:
    """However they are written down; a line break at the end is no secret."""
    assert parse_signing_secrets(f"{SECRET}{between}{OTHER_SECRET}\n") == (KEY_BYTES, OTHER_BYTES)


@pytest.mark.parametrize("size", [24, 64])
def test_a_secret_has_24_to_64_bytes(size: int) -> None:
    """As Standard Webhooks asks for."""
    assert parse_signing_secrets("whsec_" + base64.b64encode(b"x" * size).decode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        " , ",
        base64.b64encode(KEY_BYTES).decode(),
        "whsec_",
        "whsec_tulip!",
        "whsec_" + base64.b64encode(b"tulip" * 4).decode(),
        "whsec_" + base64.b64encode(b"tulip" * 13).decode(),
        f"{SECRET} tulip",
        f"{SECRET} {SECRET}",
        " ".join("whsec_" + base64.b64encode(bytes([n]) * 24).decode() for n in range(9)),
    ],
)
def test_a_secret_that_is_none_is_refused_and_not_repeated(text: str) -> None:
    """Without its prefix, too short, too long, the same twice, or more than anybody needs."""
    with pytest.raises(ValueError, match="must") as caught:
        parse_signing_secrets(text)

    assert "tulip" not in str(caught.value)


def test_the_lines_that_partners_are_given_tell_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code of docs/gstv.md, as it stands there, with each vector."""
    code = (DOCS / "gstv.md").read_text().split("```python\n")[1].split("```")[0]
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # noqa: S102 - our own page
    changed = [(GOOD[change["of"]] | change, False) for change in VECTORS["refused"]]
    for vector, good in [*((vector, True) for vector in GOOD.values()), *changed]:
        monkeypatch.setattr("time.time", lambda: vector["timestamp"] + 299)  # noqa: B023
        headers = {
            "webhook-id": vector["id"],
            "webhook-timestamp": str(vector["timestamp"]),
            "webhook-signature": vector["signature"],
        }
        for secret in vector["secrets"]:
            took = namespace["is_from_them"](secret, headers, vector["body"].encode())
            assert took is good, vector["name"]
