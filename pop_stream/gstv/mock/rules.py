"""What the mock does with an attempt, by rules: an ordered list, the first that matches wins.

Pure but for `above_per_second`, which remembers what it let through: otherwise the same attempt
and rules give the same action. `EXAMPLE` shows every part of a rule.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from pop_stream.gstv.mock.attempt import Attempt
from pop_stream.gstv.mock.conditions import Condition

EXAMPLE: Final = """\
[
  {"when": {"field": {"siteId": "site-13", "filename": {"glob": "*.bad"}}},
   "then": {"status": 422, "body": {"error": "unknown site"}}},
  {"when": {"share": [0, 0.02]}, "then": {"status": 400}},
  {"when": {"share": [0.02, 0.06], "nth": "<=2"}, "then": {"status": 503, "retry_after": 1}},
  {"when": {"random": 0.01}, "then": {"reset": "after-read"}},
  {"when": {"window": [30, 40]}, "then": {"hang": true}},
  {"when": {"above_per_second": 500}, "then": {"status": 429, "retry_after": 1}},
  {"when": {"header": {"X-Pop-Attempt": "1"}}, "then": {"delay": [0.01, 0.2], "close": true}}
]
"""


class Reset(StrEnum):
    """When the connection is reset (TCP RST)."""

    #: When the head has come: the body is not looked at, and the ledger does not know the attempt.
    BEFORE_READ = "before-read"
    #: When the body has been read; there is no answer.
    AFTER_READ = "after-read"
    #: Within the answer's body.
    MID_RESPONSE = "mid-response"
    #: When the whole answer is on its way: the client may have seen it, or not.
    AFTER_RESPONSE = "after-response"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What becomes of an attempt."""

    status: int = 200
    #: Header lines after the status line, each with its CRLF, without Content-Length.
    headers: bytes = b""
    body: bytes = b"{}"
    #: Wait so many seconds, drawn between the two, before anything below happens.
    delay: tuple[float, float] = (0.0, 0.0)
    #: Never answer.
    hang: bool = False
    reset: Reset | None = None
    #: Send the answer's body over so many seconds.
    slow_body_seconds: float = 0.0
    #: Close the connection after the answer.
    close: bool = False

    @property
    def decision(self) -> int | str:
        """The ledger's word for it: the status, or the fault's name."""
        if self.hang:
            return "hang"
        return f"reset-{self.reset.value}" if self.reset else self.status

    @property
    def answer_status(self) -> int | None:
        """The status of the answer; None when not a byte of one is sent."""
        silent = self.hang or self.reset in {Reset.BEFORE_READ, Reset.AFTER_READ}
        return None if silent else self.status


#: What happens when no rule matches.
ACCEPT: Final = Action()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An action, and the conditions that must all hold."""

    #: Conditions that the head alone decides.
    head: tuple[Condition, ...] = ()
    #: Conditions that are asked when the body has been read, in this order.
    body: tuple[Condition, ...] = ()
    action: Action = ACCEPT


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules in order."""

    rules: tuple[Rule, ...] = ()
    #: The JSON they were made from.
    source: list[object] = field(default_factory=list)

    def decide(self, attempt: Attempt) -> Action:
        """Decide on an attempt whose body has been read."""
        for rule in self.rules:
            if all(holds(attempt) for holds in rule.head + rule.body):
                return rule.action
        return ACCEPT

    def resets_before_read(self, attempt: Attempt) -> bool:
        """Decide by the head whether the body is to be left unread."""
        for rule in self.rules:
            if all(holds(attempt) for holds in rule.head):
                return rule.action.reset is Reset.BEFORE_READ
        return False
