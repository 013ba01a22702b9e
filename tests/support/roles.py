"""A Kafka that denies what no rule allows, with a user for each role."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from pydantic import SecretStr

from pop_stream.settings import Settings
from tests.support.command import run_command
from tests.support.kafka import fresh_settings
from tests.support.secured_kafka import SecuredKafka, secured_kafka

ROLES = ("player", "forwarder", "notifier", "analyst", "operator", "watch", "admin")
#: A user who has no role.
NOBODY = "nobody"


@contextmanager
def kafka_with_users(folder: Path) -> Iterator[SecuredKafka]:
    """Each role has a user of its name, who has no right yet."""
    with secured_kafka(folder) as kafka:
        for user in (*ROLES, NOBODY):
            kafka.set_password(user, password_of(user))
        yield kafka


def password_of(user: str) -> str:
    """Everybody's own."""
    return f"the password of {user}"


def login(kafka: SecuredKafka, user: str) -> dict[str, str]:
    """The settings with which a user comes, for programs."""
    found = kafka.login(user, password_of(user))
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in found.items()
    }


def give(settings: Settings, *roles: str, **overrides: Any) -> "CompletedProcess[str]":
    """Give each role to the user of that name, with the command."""
    flags = [part for role in roles for part in (f"--{role}", role)]
    done = run_command(
        settings, "topics", "acls", *flags, "--apply", "--shut-others-out", **overrides
    )
    assert done.returncode == 0, done.stderr
    return done


def fresh_names(kafka: SecuredKafka) -> Settings:
    """Topics and a group of a test's own, not made yet, as the super user sees them."""
    return fresh_settings(kafka.plain_servers)
