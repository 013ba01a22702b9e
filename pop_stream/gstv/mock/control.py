"""The mock's remote control: rules and figures, on the port of the events."""

from collections.abc import Mapping
from typing import Final

import orjson

from pop_stream.errors import SettingsError
from pop_stream.gstv.mock.guard import TokenDesk
from pop_stream.gstv.mock.partner import Partner
from pop_stream.gstv.mock.rules_json import parse_rules

#: POSTs to any other path are events.
CONTROL_PATH: Final = b"/__mock__/"


class Control:
    """Answers requests that are no events."""

    def __init__(self, partner: Partner, desk: TokenDesk | None = None) -> None:
        self._partner = partner
        self._desk = desk

    def answer(
        self, method: bytes, target: bytes, headers: Mapping[bytes, bytes], body: bytes
    ) -> tuple[int, bytes]:
        """Give the status and the JSON of the answer."""
        match method, target:
            case b"POST", b"/__mock__/token" if self._desk is not None:
                return self._desk.answer(headers, body)
            case b"GET", b"/__mock__/stats":
                return 200, orjson.dumps(self._partner.stats())
            case b"GET", b"/__mock__/rules":
                return 200, orjson.dumps(self._partner.rules.source)
            case b"PUT", b"/__mock__/rules":
                return self._set_rules(body)
        ours = target.startswith(CONTROL_PATH)
        if not ours:
            self._partner.counts.refused += 1
        known = target in {b"/__mock__/stats", b"/__mock__/rules"}
        return 404 if ours and not known else 405, b"{}"

    def _set_rules(self, body: bytes) -> tuple[int, bytes]:
        try:
            rules = parse_rules(body)
        except SettingsError as error:
            return 422, orjson.dumps({"problems": error.problems})
        self._partner.set_rules(rules)
        return 200, orjson.dumps(rules.source)
