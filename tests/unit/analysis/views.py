"""Records for tests of the analysts' rules."""

import json
from collections.abc import Sequence
from typing import Any

from pop_stream.analysis.event_view import EventView

POP_ID = "019af0c2-6b5e-7a51-9c0e-3f2b8d1c4e77"


def view(
    value: bytes | None = None,
    *,
    headers: Sequence[tuple[str, bytes]] = (("pop-id", POP_ID.encode()),),
    is_ours: bool = False,
    timestamp: int = 1_795_168_800_000,
    key: bytes | None = b"1202/2",
    **fields: Any,
) -> EventView:
    """A record; `fields` change those of a sound event."""
    event = {
        "filename": "GSTV.spot.mp4",
        "assetId": "5942",
        "startTimestamp": "2026-11-20 10:00:00",
        "endTimestamp": "2026-11-20 10:00:15",
        "siteId": "1202",
        "screenId": "2",
    } | fields
    return EventView(
        "pop-events-failure" if is_ours else "pop-events",
        3,
        17,
        timestamp=timestamp,
        key=key,
        value=json.dumps(event).encode() if value is None else value,
        headers=headers,
        is_ours=is_ours,
    )
