"""All errors that mean "cannot go on".

An expected failure of an event is a value (`pop_stream.pop.outcome`), never one of these.

PopStreamError
 +- SettingsError           the settings are wrong; nothing was started        exit code 2
 +- UsageError              the command was used wrongly                       exit code 2
 |   +- OutboxBusyError     another process records into the outbox, or sends from it
 +- WorkFailedError         the work was done and the answer is bad            exit code 1
 |   +- TopicsMissingError  a topic is absent or set up wrongly
 |   +- StartRefusedError   where the group would begin is a guess, or somebody else is in it
 |   +- WorkerAbortedError  the worker met a condition that it must not survive
 +- KafkaUnreachableError   no broker answers at the bootstrap address         exit code 3
 +- EmbeddedKafkaError      the embedded Apache Kafka cannot be had or started exit code 3
"""

from typing import ClassVar


class PopStreamError(Exception):
    """The root: catch this to catch every error that pop-stream raises on purpose."""

    #: The exit code of a command that ends with this error.
    exit_code: ClassVar[int] = 1


class SettingsError(PopStreamError):
    """The settings are wrong. Holds every problem at once, each one line that says what to do."""

    exit_code = 2

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class UsageError(PopStreamError):
    """The command was used in a way that it does not offer."""

    exit_code = 2


class OutboxBusyError(UsageError):
    """Another process does this with the outbox already, and only one may."""


class WorkFailedError(PopStreamError):
    """The work was done, and what it found is bad: something failed, is missing or was lost."""


class TopicsMissingError(WorkFailedError):
    """A topic is absent or its settings would lose events."""


def why(error: Exception) -> str:
    """Say why for people: of the system's errors without their number, and the path once more."""
    if isinstance(error, UnicodeDecodeError):
        return f"it is no text in UTF-8: byte {error.start + 1}"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def missing_topic(*topics: str) -> TopicsMissingError:
    """Make the error for topics that do not exist."""
    return TopicsMissingError(
        f"no such topic: {', '.join(sorted(topics))}; `pop-stream topics ensure` makes it, unless "
        "the name is wrong (`pop-stream config` shows those in force), or this user has no right "
        "to see it (Describe)"
    )


def no_right_to_read(topic: str) -> WorkFailedError:
    """Make the error for a topic that Kafka does not let this user read."""
    return WorkFailedError(f"no right to read {topic}: this user needs Read on it")


def no_right_to_write(topic: str) -> WorkFailedError:
    """Make the error for a topic that Kafka does not let this user write to."""
    return WorkFailedError(f"no right to write to {topic}: this user needs Write on it")


class StartRefusedError(WorkFailedError):
    """To start now would lose events, or send again what was delivered."""


class WorkerAbortedError(WorkFailedError):
    """The worker met a condition that it must not survive; it ends, and a fresh one goes on."""


class KafkaUnreachableError(PopStreamError):
    """No broker answers at the bootstrap address."""

    exit_code = 3


class EmbeddedKafkaError(PopStreamError):
    """The embedded Apache Kafka cannot be had or started here."""

    exit_code = 3
