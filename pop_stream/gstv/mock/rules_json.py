"""Rules from JSON, with every problem named at once."""

import re
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from pop_stream.errors import SettingsError
from pop_stream.gstv.mock import conditions
from pop_stream.gstv.mock.conditions import Condition
from pop_stream.gstv.mock.rules import Action, Reset, Rule, Rules

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e]{0,1024}")
_OWN_HEADERS: Final = frozenset({"content-length", "transfer-encoding"})
_BODYLESS: Final = frozenset({204, 205, 304})


def _check_range(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise ValueError("the first number must not be above the second")
    return pair


def _check_comparison(value: int | str) -> int | str:
    conditions.nth_is(str(value))
    return value


Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Rate = Annotated[float, Field(gt=0)]
Shares = Annotated[tuple[Share, Share], AfterValidator(_check_range)]
Times = Annotated[tuple[Seconds, Seconds], AfterValidator(_check_range)]
Nth = Annotated[int | str, AfterValidator(_check_comparison)]


HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Match(_Model):
    """One of three ways to match a value."""

    equals: str | int | float | bool | None = None
    prefix: str | None = None
    glob: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _scalar_means_equals(cls, value: object) -> object:
        if not isinstance(value, dict):
            return {"equals": value}
        if len(value) != 1:
            raise ValueError("must be a value, or an object with one of equals, prefix, glob")
        return value

    def matcher(self) -> conditions.Matcher:
        if self.prefix is not None:
            return conditions.prefix(self.prefix)
        if self.glob is not None:
            return conditions.glob(self.glob)
        return conditions.equals(self.equals)


class _When(_Model):
    field: dict[str, _Match] = {}
    header: dict[HeaderName, _Match] = {}
    share: Share | Shares | None = None
    random: Share | None = None
    nth: Nth | None = None
    window: Times | None = None
    above_per_second: Rate | None = None

    def head(self, rule: int) -> tuple[Condition, ...]:
        found = [conditions.header_is(name, how.matcher()) for name, how in self.header.items()]
        if self.share is not None:
            low, high = self.share if isinstance(self.share, tuple) else (0.0, self.share)
            found.append(conditions.in_share(low, high))
        if self.random is not None:
            found.append(conditions.by_chance(self.random, rule))
        if self.nth is not None:
            found.append(conditions.nth_is(str(self.nth)))
        if self.window is not None:
            found.append(conditions.in_window(*self.window))
        return tuple(found)

    def body(self) -> tuple[Condition, ...]:
        found = [conditions.field_is(name, how.matcher()) for name, how in self.field.items()]
        if self.above_per_second is not None:
            # The last: only what matches all else may take a token.
            found.append(conditions.above_rate(self.above_per_second))
        return tuple(found)


class _Then(_Model):
    status: Annotated[int, Field(ge=200, le=999)] = 200
    retry_after: int | str | None = None
    headers: dict[str, str] = {}
    body: Any = None
    delay: Seconds | Times = 0.0
    hang: bool = False
    reset: Reset | None = None
    slow_body: Seconds = 0.0
    close: bool = False

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
                raise ValueError(f"{name!r} cannot be a header")
            if name.lower() in _OWN_HEADERS:
                raise ValueError(f"{name} is set by the mock itself")
        return headers

    @model_validator(mode="after")
    def _check_together(self) -> "_Then":
        silent = self.hang or self.reset in {Reset.BEFORE_READ, Reset.AFTER_READ}
        answer = self.model_fields_set & {
            "status", "retry_after", "headers", "body", "slow_body", "close",
        }  # fmt: skip
        if self.hang and self.reset:
            raise ValueError("hang and reset exclude each other")
        if silent and answer:
            raise ValueError(f"there is no answer, so these mean nothing: {', '.join(answer)}")
        if self.reset is Reset.BEFORE_READ and "delay" in self.model_fields_set:
            raise ValueError("a reset before reading cannot be delayed")
        if self.status in _BODYLESS and (self.body is not None or self.slow_body):
            raise ValueError(f"an answer with status {self.status} has no body")
        if self.retry_after is not None and not _HEADER_VALUE.fullmatch(str(self.retry_after)):
            raise ValueError("retry_after cannot be a header's value")
        return self

    def action(self) -> Action:
        headers = dict(self.headers)
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return Action(
            status=self.status,
            headers=lines.encode("ascii"),
            body=self._body_bytes(),
            delay=self.delay if isinstance(self.delay, tuple) else (self.delay, self.delay),
            hang=self.hang,
            reset=self.reset,
            slow_body_seconds=self.slow_body,
            close=self.close,
        )

    def _body_bytes(self) -> bytes:
        if self.status in _BODYLESS:
            return b""
        if self.body is None:
            return b"{}"
        return self.body.encode() if isinstance(self.body, str) else orjson.dumps(self.body)


class _Rule(_Model):
    when: _When = _When()
    then: _Then

    @model_validator(mode="after")
    def _check_order(self) -> "_Rule":
        if self.then.reset is Reset.BEFORE_READ and self.when.field:
            raise ValueError("a reset before reading cannot depend on a field of the body")
        if self.then.reset is Reset.BEFORE_READ and self.when.above_per_second is not None:
            raise ValueError("above_per_second counts what has been read: reset after-read instead")
        return self

    def rule(self, number: int) -> Rule:
        return Rule(head=self.when.head(number), body=self.when.body(), action=self.then.action())


_RULES: Final = TypeAdapter(list[_Rule])


def parse_rules(source: bytes | str) -> Rules:
    """Make rules of their JSON. Raises SettingsError with all problems."""
    try:
        data = orjson.loads(source)
    except orjson.JSONDecodeError as error:
        raise SettingsError([f"rules: not JSON: {error}"]) from None
    try:
        # From JSON again and not from `data`: so 1 is no true, and a list may be a tuple.
        models = _RULES.validate_json(source, strict=True)
    except ValidationError as error:
        raise SettingsError([_problem(one) for one in error.errors()]) from None
    return Rules(tuple(model.rule(number) for number, model in enumerate(models)), data)


def load_rules(text: str) -> Rules:
    """Make rules of JSON (it starts with [) or of a file that holds it. Raises SettingsError."""
    if text.lstrip().startswith("["):
        return parse_rules(text)
    try:
        return parse_rules(Path(text).read_bytes())
    except OSError as error:
        raise SettingsError([f"rules: cannot read {text}: {error.strerror}"]) from None


def _problem(error: Any) -> str:
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"])
    return f"rules{where}: {error['msg'].removeprefix('Value error, ')}"
