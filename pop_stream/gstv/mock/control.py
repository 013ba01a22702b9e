"""The mock's remote control: rules and figures, on the port of the events."""

from typing import Final

import orjson

from pop_stream.errors import SettingsError
from pop_stream.gstv.mock.partner import Partner
from pop_stream.gstv.mock.rules_json import parse_rules

#: POSTs to any other path are events.
CONTROL_PATH: Final = b"/__mock__/"


class Control:
    """Answers requests that are no events."""

    def __init__(self, partner: Partner) -> None:
        self._partner = partner

    def answer(self, method: bytes, target: bytes, body: bytes) -> tuple[int, bytes]:
        """Give the status and the JSON of the answer."""
        match method, target:
            case b"GET", b"/__mock__/stats":
                return 200, orjson.dumps(self._partner.stats())
            case b"GET", b"/__mock__/rules":
                return 200, orjson.dumps(self._partner.rules.source)
            case b"PUT", b"/__mock__/rules":
                return self._set_rules(body)
        if target in {b"/__mock__/stats", b"/__mock__/rules"}:
            return 405, b"{}"
        if target.startswith(CONTROL_PATH):
            return 404, b"{}"
        self._partner.counts.refused += 1
        return 405, b"{}"

    def _set_rules(self, body: bytes) -> tuple[int, bytes]:
        try:
            rules = parse_rules(body)
        except SettingsError as error:
            return 422, orjson.dumps({"problems": error.problems})
        self._partner.set_rules(rules)
        return 200, orjson.dumps(rules.source)
