"""Commands that end in every way a command can."""

import errno

import click

from pop_stream.errors import KafkaUnreachableError, SettingsError, WorkFailedError

ENDINGS: dict[str, BaseException | int | None] = {
    "nothing": None,
    "code": 3,
    "settings": SettingsError(["POP_STREAM_A must be b", "POP_STREAM_C must be d"]),
    "work": WorkFailedError("2 events are lost"),
    "wordless": KafkaUnreachableError(),
    "kafka": KafkaUnreachableError("no Kafka answers"),
    "group": ExceptionGroup("tasks", [KafkaUnreachableError("no Kafka answers")]),
    "mixed": ExceptionGroup("tasks", [KafkaUnreachableError("no Kafka answers"), ValueError()]),
    "usage": click.UsageError("not like this"),
    "exit": click.exceptions.Exit(1),
    "abort": click.Abort(),
    "interrupt": KeyboardInterrupt(),
    "defect": ZeroDivisionError("division by zero"),
    "pipe": BrokenPipeError(errno.EPIPE, "Broken pipe"),
}


@click.command()
@click.argument("name")
def end(name: str) -> int | None:
    """End like this."""
    ending = ENDINGS[name]
    if isinstance(ending, BaseException):
        raise ending
    return ending


no_command = "a string"
