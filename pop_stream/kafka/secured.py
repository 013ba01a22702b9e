"""Listeners of the embedded Kafka that ask who is there: for trying rights and certificates.

    with LocalKafka.start(LocalKafkaOptions(secured=protection)) as kafka:
        kafka.brokers[0].secured.sasl_port

Whoever comes over the plain listener, from this machine, may do everything; everybody else may do
what a rule (an ACL) allows, and nothing else.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

#: What a token must name as its audience and its issuer.
AUDIENCE = "kafka"
ISSUER = "https://issuer.example"

_KEY_STORE = "broker.pem"
_TRUST_STORE = "authorities.pem"
_SASL = "listener.name.sasl_ssl"
_MODULES = "org.apache.kafka.common.security"


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What brokers show of themselves, and whom they believe."""

    #: PEM file of the brokers' certificate, for 127.0.0.1, and its key as PKCS#8.
    certificate: Path
    #: PEM file of the CAs that clients' certificates are checked against.
    authorities: Path
    #: Where the keys are that sign tokens (JWKS). None: OAUTHBEARER is not offered.
    jwks_url: str | None = None

    @property
    def java_flags(self) -> list[str]:
        """What Java must be told: Kafka fetches keys only from where this says."""
        if self.jwks_url is None:
            return []
        return [f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={self.jwks_url}"]

    def lay_out(self, folder: Path) -> None:
        """Put the files beside the broker's configuration, which names them."""
        shutil.copyfile(self.certificate, folder / _KEY_STORE)
        shutil.copyfile(self.authorities, folder / _TRUST_STORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecuredListeners:
    """The ports of one broker for clients that prove who they are."""

    #: SASL_SSL: SCRAM-SHA-256, SCRAM-SHA-512, and OAUTHBEARER if there are keys for it.
    sasl_port: int
    #: SSL: the common name of the client's certificate is who it is.
    tls_port: int

    def listeners(self, host: str) -> str:
        """For `listeners` and `advertised.listeners`."""
        return f"SASL_SSL://{host}:{self.sasl_port},SSL://{host}:{self.tls_port}"

    def properties(self, protection: Protection) -> dict[str, object]:
        """Give what server.properties says of these listeners, and of rights."""
        mechanisms = ["SCRAM-SHA-256", "SCRAM-SHA-512"]
        entries: dict[str, object] = {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": _KEY_STORE,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": _TRUST_STORE,
            "listener.name.ssl.ssl.client.auth": "required",
            "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/",
            "super.users": "User:ANONYMOUS",
            "allow.everyone.if.no.acl.found": "false",
        }
        for mechanism in mechanisms:
            module = f"{_MODULES}.scram.ScramLoginModule required;"
            entries[f"{_SASL}.{mechanism.lower()}.sasl.jaas.config"] = module
        if protection.jwks_url:
            mechanisms.append("OAUTHBEARER")
            entries |= _tokens(protection.jwks_url)
        entries[f"{_SASL}.sasl.enabled.mechanisms"] = ",".join(mechanisms)
        return entries


def _tokens(jwks_url: str) -> dict[str, object]:
    module = f"{_MODULES}.oauthbearer"
    return {
        f"{_SASL}.oauthbearer.sasl.jaas.config": f"{module}.OAuthBearerLoginModule required;",
        f"{_SASL}.oauthbearer.sasl.server.callback.handler.class": (
            f"{module}.OAuthBearerValidatorCallbackHandler"
        ),
        f"{_SASL}.oauthbearer.sasl.oauthbearer.jwks.endpoint.url": jwks_url,
        f"{_SASL}.oauthbearer.sasl.oauthbearer.expected.audience": AUDIENCE,
        f"{_SASL}.oauthbearer.sasl.oauthbearer.expected.issuer": ISSUER,
    }
