"""Rules for the mock of GSTV, written as Python values."""

import orjson

from pop_stream.gstv.mock.rules import Rules
from pop_stream.gstv.mock.rules_json import parse_rules


def rules_of(*rules: object) -> Rules:
    """Make rules of their JSON."""
    return parse_rules(orjson.dumps(list(rules)))
