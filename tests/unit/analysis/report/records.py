"""Records for tests of reports."""

import json
from typing import Any
from uuid import uuid5

from hypothesis import strategies as st

from pop_stream.analysis.event_view import EventView
from pop_stream.pop.identity import ORIGIN_NAMESPACE

#: 2026-11-20 16:00:30 UTC: 15 seconds after the end of the play of `record()`, in Chicago.
STORED = 1_795_190_430_000


def pop_id(number: int) -> str:
    """An id."""
    return str(uuid5(ORIGIN_NAMESPACE, str(number)))


def record(
    number: int = 1,
    *,
    value: bytes | None = b"",
    site: str = "1202",
    screen: str = "7",
    seq: int | None = None,
    boot: str = "b",
    stored: int = STORED,
    key: bytes | None = None,
    is_ours: bool = False,
    headers: tuple[tuple[str, bytes], ...] = (),
    **fields: Any,
) -> EventView:
    """A record with an id; `fields` change those of a sound event, None takes one away."""
    event = {
        "filename": "spot.webm", "assetId": "a1", "ioNumber": "124",
        "startTimestamp": "2026-11-20 10:00:00", "endTimestamp": "2026-11-20 10:00:15",
        "siteId": site, "screenId": screen,
    } | fields  # fmt: skip
    body = json.dumps({name: given for name, given in event.items() if given is not None})
    numbers = () if seq is None else (("pop-seq", str(seq).encode()), ("pop-boot", boot.encode()))
    return EventView(
        "pop-events-failure" if is_ours else "pop-events",
        0,
        number,
        timestamp=stored,
        key=f"{site}/{screen}".encode() if key is None else key,
        value=body.encode() if value == b"" else value,
        headers=(("pop-id", pop_id(number).encode()), *numbers, *headers),
        is_ours=is_ours,
    )


_TIMES = st.sampled_from([
    "2026-11-20 09:59:50", "2026-11-20 10:00:00", "2026-11-20 10:00:15", "2026-11-20 23:59:55",
    "2026-11-21 00:00:20", "2026-11-01 00:59:58", "2026-11-01 01:00:05", "2026-11-01 01:59:50",
    "2026-11-01 02:00:05", "2026-03-08 01:59:50", "2026-03-08 02:30:00", "2026-03-08 03:00:05",
    "1970-01-01 00:00:00", "9999-12-31 23:59:59", "soon", "2026-11-20T10:00:00",
])  # fmt: skip
#: Records of every kind: plays, odd ones, and what is no play.
RECORDS = st.one_of(
    st.builds(
        record,
        st.integers(1, 30),
        site=st.sampled_from(["1202", "7", "0007", "\u2603" * 300]),
        screen=st.sampled_from(["1", "2"]),
        seq=st.none() | st.integers(1, 12),
        boot=st.sampled_from(["b", "c"]),
        stored=st.sampled_from([-1, 0, STORED, 1_793_516_400_000, 1_793_520_060_000]),
        assetId=st.sampled_from(["a1", "a2", None, 7, ""]),
        ioNumber=st.sampled_from(["124", "125", None, 124]),
        screenState=st.sampled_from(["Full", "Partial", None, "half"]),
        startTimestamp=_TIMES,
        endTimestamp=_TIMES,
    ),
    st.builds(
        record, st.integers(1, 30), value=st.sampled_from([None, b"no JSON", b"[]", b"\xff"])
    ),
)
