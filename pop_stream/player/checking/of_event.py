"""What an event breaks by itself: as the worker reads it."""

from collections.abc import Iterator
from typing import Final

from pop_stream.player.checking import rules as r
from pop_stream.player.checking.evidence import Evidence
from pop_stream.player.checking.rules import Rule
from pop_stream.pop.event import Fault, Flag, Quarantine, Rules, read_event

Broken = tuple[Rule, str]

_OF_FAULT: Final = {
    Fault.NO_VALUE: r.EVENT_JSON,
    Fault.NOT_UTF8: r.EVENT_JSON,
    Fault.NOT_JSON: r.EVENT_JSON,
    Fault.NOT_AN_OBJECT: r.EVENT_JSON,
    Fault.TOO_DEEP: r.EVENT_JSON,
    Fault.TOO_LARGE: r.EVENT_SIZE,
    Fault.MISSING_REQUIRED_FIELD: r.EVENT_FIELDS,
    Fault.REQUIRED_FIELD_NOT_STRING: r.EVENT_FIELDS,
    Fault.REQUIRED_FIELD_EMPTY: r.EVENT_FIELDS,
    Fault.REPEATED_REQUIRED_FIELD: r.EVENT_FIELDS,
}
_OF_FLAG: Final = {
    Flag.UNPARSABLE_TIMESTAMP: r.EVENT_TIMES,
    Flag.UNKNOWN_SCREEN_STATE: r.EVENT_STATE,
    Flag.OPTIONAL_NOT_STRING: r.EVENT_ORDER,
    Flag.BOTH_ORDER_NUMBERS: r.EVENT_ORDER,
    Flag.REPEATED_FIELD: r.EVENT_REPEATED,
    Flag.NO_KEY: r.KEY,
    Flag.OTHER_KEY: r.KEY,
    Flag.END_BEFORE_START: r.END_BEFORE_START,
    Flag.ZERO_LENGTH: r.ZERO_LENGTH,
    Flag.OVERLONG: r.OVERLONG,
    Flag.IN_THE_FUTURE: r.IN_THE_FUTURE,
    Flag.EXTRA_FIELDS: r.EXTRA_FIELDS,
}


def broken_by_event(evidence: Evidence, *, rules: Rules, latest: str) -> Iterator[Broken]:
    """What it breaks, with what the worker says of it. `latest` is as in `read_event`."""
    read = read_event(evidence.value, evidence.key, rules=rules, latest=latest)
    if isinstance(read, Quarantine):
        detail = f" ({read.detail})" if read.detail else ""
        yield _OF_FAULT[read.fault], f"{read.fault}{detail}: the worker parks it"
        return
    for flag in read.flags:
        rule = _OF_FLAG[flag]
        if evidence.is_record or not rule.of_record:
            yield rule, f"{flag}: the worker flags it"
