"""Canaries: a secret in every field, every error path run, and everything that is said searched."""

import asyncio
import base64
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from pop_stream.kafka.topics import ensure
from pop_stream.settings import SETTINGS, TOPICS, Settings
from tests.support.command import run_here
from tests.support.eventually import eventually
from tests.support.forward_proxy import ForwardProxy
from tests.support.gstv_server import HostileServer, Peer, hostile_server
from tests.support.issuer import CLIENT, Issuer, issuer
from tests.support.kafka import fresh_settings, read_all
from tests.support.plays import events, pop_id_of
from tests.support.secured_kafka import SecuredKafka, secured_kafka
from tests.support.trial import Trial
from tests.support.worker import Worker

pytestmark = pytest.mark.kafka

SIGNING = "whsec_" + base64.b64encode(b"canary-signing-secrets-of-32-byte").decode()
SECRETS = [setting.name for setting in SETTINGS.values() if setting.secret]
#: What is in each secret's file, and in the query of each URL.
CANARIES = {name: f"canary-{name}" for name in SECRETS} | {"gstv_signing_secrets": SIGNING}
QUERY = "canary-in-a-query"
#: How the worker proves to Kafka, and to GSTV, who it is: together, all that there is.
PLANS: dict[str, dict[str, str]] = {
    "password, basic, proxy": {
        "kafka_sasl_username": CLIENT,
        "kafka_sasl_password": "",
        "gstv_auth": "basic",
        "gstv_auth_username": CLIENT,
        "gstv_auth_password": "",
        "gstv_proxy": "PROXY",
        "gstv_proxy_username": CLIENT,
        "gstv_proxy_password": "",
        "gstv_signing_secrets": "",
    },
    "tokens that are asked for": {
        "kafka_sasl_mechanism": "OAUTHBEARER",
        "kafka_oauth_url": "ISSUER",
        "kafka_oauth_client_id": CLIENT,
        "kafka_oauth_client_secret": "",
        "gstv_auth": "oauth2",
        "gstv_oauth_url": "ISSUER",
        "gstv_oauth_client_id": CLIENT,
        "gstv_oauth_client_secret": "",
    },
    "tokens that are given": {
        "kafka_sasl_mechanism": "OAUTHBEARER",
        "kafka_oauth_token": "",
        "gstv_auth": "bearer",
        "gstv_auth_token": "",
        "gstv_signing_secrets": "",
    },
}


@dataclass
class Evidence:
    """All that was said, by where."""

    said: dict[str, str] = field(default_factory=dict)
    #: Tokens that were issued meanwhile: they are secrets, too.
    more: list[str] = field(default_factory=list)

    def assert_no_canary(self, *names: str) -> None:
        """Look for each in all the forms in which it goes over the wire."""
        secrets = [CANARIES[name] for name in names] + [QUERY, *self.more]
        forms = {form: secret for secret in secrets for form in _forms(secret)}
        found = {
            f"{secret} in {where}": text[max(0, text.index(form) - 80) :][:240]
            for where, text in self.said.items()
            for form, secret in forms.items()
            if form in text
        }

        assert not found


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield quote_plus(secret)
    # Of base64 what does not depend on what stands before or behind it.
    for begin in range(3):
        encoded = base64.b64encode(b"\0" * begin + secret.encode()).decode()
        yield encoded[4:-4]


def test_the_search_finds_what_it_looks_for() -> None:
    """Plain, in a form, and behind a name in base64."""
    name = "gstv_auth_password"
    for text in (
        f"x {CANARIES[name]} y",
        base64.b64encode(f"{CLIENT}:{CANARIES[name]}".encode()).decode(),
        f"p={quote_plus(CANARIES['gstv_signing_secrets'])}",
    ):
        with pytest.raises(AssertionError):
            Evidence({"here": text}).assert_no_canary(name, "gstv_signing_secrets")


def test_every_secret_is_planted() -> None:
    """One that is added has to be planted, too."""
    assert {name for plan in PLANS.values() for name in plan if name in SECRETS} == {*SECRETS}


@pytest.fixture(scope="module")
def tokens() -> Iterator[Issuer]:
    """Run an issuer of tokens."""
    with issuer() as made:
        yield made


@pytest.fixture(scope="module")
def secured(tokens: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """Run a Kafka that knows the user whose password is a canary."""
    folder = tmp_path_factory.mktemp("secured")
    with secured_kafka(folder, jwks_url=tokens.jwks_url) as kafka:
        kafka.set_password(CLIENT, CANARIES["kafka_sasl_password"])
        kafka.allow_everything(CLIENT)
        yield kafka


def _echo(peer: Peer) -> None:
    """Answer like somebody who wants our secrets in our logs: with all that it was sent."""
    server = peer._server
    while True:
        peer.read_request()
        number, request = len(server.requests), server.requests[-1][1]
        head = request.partition(b"\r\n\r\n")[0]
        shown = head.replace(b"\r\n", b" ")[:1500]
        status = {0: b"400 " + shown[:200], 1: b"500 Echo", 2: b"302 Found"}[number % 3]
        if number > _ECHOES:
            status = b"200 OK"
        elif number > _ECHOES - 3:
            status = b"401 Unauthorized"
        peer.send(
            b"HTTP/1.1 %b\r\nLocation: http://u:p@127.0.0.1/?%b\r\nX-Echo: %b\r\nSet-Cookie: %b\r\n"
            b"Content-Length: %d\r\n\r\n%b"
            % (status, shown.replace(b" ", b"+"), shown, shown, len(head), head)
        )


_ECHOES = 40


@dataclass(frozen=True)
class Scene:
    """A worker's environment, and the parts that it talks to."""

    topics: Settings
    environ: dict[str, str]
    folder: Path
    gstv: HostileServer

    def with_(self, **changes: str) -> dict[str, str]:
        """The environment with some settings changed."""
        return self.environ | {f"POP_STREAM_{name.upper()}": each for name, each in changes.items()}


@pytest.fixture(params=PLANS)
def scene(
    request: pytest.FixtureRequest, secured: SecuredKafka, tokens: Issuer, tmp_path: Path
) -> Iterator[Scene]:
    """Set the scene for each plan, with its secrets in files."""
    topics = fresh_settings(secured.plain_servers)
    asyncio.run(ensure(topics, partitions=2, replication=1))
    with ExitStack() as stack:
        gstv = stack.enter_context(hostile_server(_echo))
        proxy = ForwardProxy(int(gstv.url.split(":")[2].split("/")[0]), _TUNNEL)
        stack.callback(proxy.stop)
        places = {"PROXY": proxy.url, "ISSUER": f"{tokens.token_url}?key={QUERY}"}
        values = {name: str(getattr(topics, name)) for name in ("group", *TOPICS)} | {
            "kafka_bootstrap_servers": secured.sasl_servers,
            "kafka_security_protocol": "SASL_SSL",
            "kafka_ssl_cafile": str(secured.authority.cafile),
            "gstv_url": f"{gstv.url}?key={QUERY}",
            "notification_url": f"{gstv.url}?key={QUERY}",
            "log_format": "json",
            "log_level": "DEBUG",
            "metrics_port": "0",
            "retry_backoff_seconds": "0.1",
            "retries": "1",
            "gstv_probe_seconds": "0.1",
            "gstv_probe_most_seconds": "0.2",
        }
        canaries = CANARIES | {"kafka_oauth_token": tokens.token()}
        for name, value in PLANS[request.param].items():
            if name in SECRETS:
                (tmp_path / name).write_text(canaries[name])
                values[f"{name}_file"] = str(tmp_path / name)
            else:
                values[name] = places.get(value, value)
        environ = {f"POP_STREAM_{name.upper()}": value for name, value in values.items()}
        yield Scene(topics, environ, tmp_path, gstv)


_TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"


def test_no_secret_gets_out(scene: Scene, tokens: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a worker's log, pages and records, nor what commands say, nor any error holds one."""
    evidence = Evidence()
    issued: list[str] = []
    sign = tokens.token
    monkeypatch.setattr(tokens, "token", lambda: issued.append(sign()) or issued[-1])
    sent = events(30)
    Trial(scene.topics, scene.folder).send(sent)

    _work(scene, evidence)
    for topic in TOPICS:
        name = str(getattr(scene.topics, topic))
        records = asyncio.run(read_all(scene.topics.kafka_bootstrap_servers, name))
        evidence.said[f"topic {topic}"] = repr(
            [(one.headers, one.key, one.value) for one in records]
        )
    _command(scene, evidence, pop_id_of(sent[0]))
    _fail(scene, evidence, tokens, monkeypatch)

    evidence.more = (
        [*issued, (scene.folder / "kafka_oauth_token").read_text()]
        if (scene.folder / "kafka_oauth_token").exists()
        else issued
    )
    evidence.assert_no_canary(*SECRETS)
    # What was searched is what there was to be found.
    assert len(scene.gstv.requests) > _ECHOES
    assert "delivery.held" in evidence.said["worker"]
    assert "pop-status" in evidence.said["topic failure_topic"]
    assert "pop_stream_partner_responses" in evidence.said["page /metrics"]


def _work(scene: Scene, evidence: Evidence) -> None:
    """Let a worker meet all that the echo answers, and look at all of its pages."""
    log = scene.folder / "worker.log"
    argv = (sys.executable, "-X", "dev", "-m", "pop_stream", "worker")
    with log.open("wb") as out:
        process = subprocess.Popen(argv, env=os.environ | scene.environ, stdout=out, stderr=out)
    with process:
        worker = Worker(process, log)
        try:
            eventually(lambda: len(scene.gstv.requests) > _ECHOES, "the echo has said all")
            for page in ("/metrics", "/", "/status", "/livez", "/readyz", "/status.json", "/x"):
                evidence.said[f"page {page}"] = _page(worker.metrics_port, page)
            worker.leave()
        finally:
            process.kill()
            evidence.said["worker"] = worker.log


def _page(port: int, path: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            return f"{answer.headers}{answer.read().decode()}"
    except urllib.error.HTTPError as error:
        return f"{error.headers}{error.read().decode()}"


def _command(scene: Scene, evidence: Evidence, pop_id: str) -> None:
    """Run what shows settings, and what looks at Kafka."""
    for line in (
        "config", "config --json", "config --markdown", "doctor --json", "status", "topics check",
        "failures list --json", f"explain {pop_id}", "events search --topic failure --json",
        "audit --to end", "worker --help",
    ):  # fmt: skip
        _run(evidence, line, scene.environ)


def _run(
    evidence: Evidence, line: str, environ: dict[str, str], *, code: int | None = None
) -> None:
    if line == "worker":
        # Not here: to load Faust changes how this process logs.
        argv = (sys.executable, "-X", "dev", "-m", "pop_stream", "worker")
        done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
    else:
        done = run_here(line.split(), environ)
    evidence.said[f"{line} ({len(evidence.said)})"] = done.stdout + done.stderr
    assert code in (None, done.returncode), (line, done.stdout + done.stderr)


def _fail(
    scene: Scene, evidence: Evidence, tokens: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let everything go wrong that can."""
    other = scene.folder / "other.pem"
    other.write_bytes((Path(__file__).parents[1] / "support/certs/ca.pem").read_bytes())
    for line, changes, code in (
        ("worker", {"kafka_bootstrap_servers": "127.0.0.1:1"}, 3),
        ("topics check", {"kafka_bootstrap_servers": "127.0.0.1:1"}, 3),
        ("topics check", {"kafka_ssl_cafile": str(other)}, 3),
        ("config", {"retries": "many"}, 2),
        ("config", {"gstv_url": f"ftp://u:{QUERY}@gstv.example/?key={QUERY}"}, 2),
        ("config", {"gstv_url": f"https://10.0.0.1/?key={QUERY}"}, 2),
        ("config", {"kafka_security_protocol": "PLAINTEXT"}, 2),
    ):
        _run(evidence, line, scene.with_(**changes), code=code)
    files = [name for name in SECRETS if (scene.folder / name).exists()]
    for name in files:
        path = scene.folder / name
        good = path.read_text()
        for bad in (f"{good}\x00", f"{good}\n{good}", f" {good}\u00e9", good * 9000, ""):
            path.write_text(bad)
            _run(evidence, "config", scene.environ)
        path.write_text(f"{good}\n{good}")
        _run(evidence, "topics check", scene.environ)
        path.write_text(good)
        # As somebody does who takes one for the other: the secret where its file belongs.
        _run(evidence, "config", scene.with_(**{f"{name}_file": CANARIES[name]}), code=2)
    _refuse_tokens(scene, evidence, tokens, monkeypatch)


def _refuse_tokens(
    scene: Scene, evidence: Evidence, tokens: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let the issuer repeat what it was asked, in each of its answers."""

    def repeat(status: int) -> Callable[[], tuple[int, dict[str, str], bytes]]:
        def answer() -> tuple[int, dict[str, str], bytes]:
            headers, form = tokens.asked[-1]
            said = f"{headers}{form}".replace("\n", " ")
            return status, {"WWW-Authenticate": said[:900]}, said.encode()

        return answer

    for status in (200, 302, 401, 500):
        monkeypatch.setattr(tokens, "answer", repeat(status))
        _run(evidence, "doctor", scene.environ)
