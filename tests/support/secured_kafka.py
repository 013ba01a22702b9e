"""A real Kafka that asks who is there: TLS, passwords, certificates, and rights."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from pydantic import SecretStr

from pop_stream.kafka.local import LocalKafka, LocalKafkaOptions
from pop_stream.kafka.secured import Protection
from tests.support.authority import Authority
from tests.support.kafka import DEADLINE_SECONDS

_MECHANISMS = (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecuredKafka:
    """One broker. Who comes over its plain listener may do everything; others need rules."""

    kafka: LocalKafka
    #: What signed the broker's certificate, and is believed by it.
    authority: Authority

    @property
    def plain_servers(self) -> str:
        """Where everything is allowed."""
        return self.kafka.bootstrap_servers

    @property
    def sasl_servers(self) -> str:
        """Where SASL_SSL is spoken."""
        return f"127.0.0.1:{self._secured.sasl_port}"

    @property
    def tls_servers(self) -> str:
        """Where SSL is spoken, and a certificate is asked for."""
        return f"127.0.0.1:{self._secured.tls_port}"

    @property
    def _secured(self) -> Any:
        return self.kafka.brokers[0].secured

    def set_password(self, user: str, password: str) -> None:
        """Make a SCRAM user, or give it another password."""
        admin = AdminClient({"bootstrap.servers": self.plain_servers})
        # One after the other: Kafka takes a user only once in a request.
        for mechanism in _MECHANISMS:
            credential = UserScramCredentialUpsertion(
                user, ScramCredentialInfo(mechanism, 4096), password.encode()
            )
            for each in admin.alter_user_scram_credentials([credential]).values():
                each.result(DEADLINE_SECONDS)

    def allow_everything(self, user: str) -> None:
        """Let a user do everything with every topic and group."""
        admin = AdminClient({"bootstrap.servers": self.plain_servers})
        asked = admin.create_acls(
            [
                AclBinding(kind, "*", ResourcePatternType.LITERAL, f"User:{user}", "*",
                           AclOperation.ALL, AclPermissionType.ALLOW)
                for kind in (ResourceType.TOPIC, ResourceType.GROUP)
            ]
        )  # fmt: skip
        for each in asked.values():
            each.result(DEADLINE_SECONDS)

    def restart(self) -> None:
        """End every connection, as a broker does that is replaced."""
        (broker,) = self.kafka.brokers
        broker.stop()
        broker.start()
        self.kafka.wait_until_ready()

    def login(self, user: str, password: str) -> dict[str, Any]:
        """Give the settings that log a user in."""
        return {
            "kafka_bootstrap_servers": self.sasl_servers,
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_username": user,
            "kafka_sasl_password": SecretStr(password),
            "kafka_ssl_cafile": str(self.authority.cafile),
        }


@contextlib.contextmanager
def secured_kafka(folder: Path, *, jwks_url: str | None = None) -> Iterator[SecuredKafka]:
    """Start one; certificates are kept in `folder`."""
    authority = Authority(folder)
    protection = Protection(
        certificate=authority.certificate("127.0.0.1", file="broker.pem"),
        authorities=authority.cafile,
        jwks_url=jwks_url,
    )
    with LocalKafka.start(LocalKafkaOptions(secured=protection)) as kafka:
        yield SecuredKafka(kafka=kafka, authority=authority)
