"""Which events are meant by what a person writes."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.analysis.batches import Glance
from pop_stream.analysis.condition import parse_conditions
from pop_stream.analysis.period import Played, Stored
from pop_stream.analysis.selection import Selection
from pop_stream.errors import UsageError
from tests.unit.analysis.views import POP_ID, view

LISTS = {"sites.txt": ["7", "1202"], "empty.txt": []}
PARKED = [("pop-id", POP_ID.encode()), ("pop-reason", b"rejected"), ("pop-status", b"422"),
          ("pop-attempt", b"4"), ("x-batch", b"b7")]  # fmt: skip


def selection(*texts: str) -> Selection:
    """What these conditions mean."""
    return Selection(conditions=parse_conditions(texts, read_list=LISTS.__getitem__))


def sees(glance: Glance, value: bytes | None) -> bool:
    """Whether a glance lets a record pass, by itself and among the bytes of others."""
    # Lengths and times of a batch are bytes too, and may be a backslash.
    among_others = b"\x5c\x12" + (value or b"") + b"\x00\x5c"
    by_itself = glance.value(value)
    assert glance.places is not None
    assert [*glance.places(among_others)] or not by_itself
    return by_itself


@pytest.mark.parametrize(
    ("text", "is_meant"),
    [
        ("siteId=1202", True),
        ("siteId=1203", False),
        ("siteId=7,1202", True),
        ("siteId=@sites.txt", True),
        ("siteId!=7", True),
        ("siteId!=7,1202", False),
        ("filename~*.mp4", True),
        ("filename~*.webm,*.mp4", True),
        ("filename!~*.mp4", False),
        ("filename~GSTV", False),
        ("siteId=1202 screenId=2", True),
        ("siteId=1202 screenId=3", False),
        ("ioNumber=", True),
        ("ioNumber!=", False),
        ("plays>9", True),
        ("plays>=10", True),
        ("plays<9", False),
        ("plays=10", True),
        ("startTimestamp>='2026-11-20 10:00:00'", True),
        ("startTimestamp<2026-11-20", False),
        ("missing<5", False),
        ("reason=rejected", True),
        ("reason~rej*", True),
        ("status=422", True),
        ("status>=500", False),
        ("attempt>=4", True),
        ("pop-reason=rejected", True),
        ("header:x-batch=b7", True),
        (f"pop-id={POP_ID}", True),
        ("key=1202/2", True),
        ("partition=3 offset=17", True),
        ("offset>17", False),
        ("size<65536", True),
        ("topic=pop-events-failure", True),
        ("title=süß", True),
        ("title='süß'", True),
    ],
)
def test_a_condition_decides(text: str, is_meant: bool) -> None:
    """By a field, by what we have written about it, or by its place; a glance loses none."""
    event = view(headers=PARKED, is_ours=True, plays=10, title="süß")
    meant = selection(text)

    assert meant.test()(event) is is_meant
    glance = meant.glance()
    if is_meant and glance is not None:
        assert sees(glance, event.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("siteId", "is no condition"),
        ("=7", "is no condition"),
        ("siteId='7", "a quote is not closed"),
        ("siteId=@empty.txt", "the list has no values"),
        ("plays<1,2", "takes one value"),
    ],
)
def test_what_is_no_condition_is_refused(text: str, says: str) -> None:
    """Before anything is read, with what to write instead."""
    with pytest.raises(UsageError, match=says):
        selection(text)


def test_what_a_player_forged_is_not_taken_for_ours() -> None:
    """A header of ours on the players' topic says nothing of the id."""
    forged = view(headers=[("pop-id", b"nonsense"), ("pop-origin", b"pop-events/0/1/1")])

    assert forged.pop_id != "nonsense"
    assert not selection(f"pop-id={POP_ID}").test()(forged)


@pytest.mark.parametrize("value", [b"", b"no JSON", b"[1]", b"\xff", b"null", b"7"])
def test_what_cannot_be_read_has_no_fields(value: bytes) -> None:
    """It is found by its headers and its place, and by what it lacks."""
    event = view(value, headers=PARKED, is_ours=True)

    assert selection("reason=rejected").test()(event)
    assert selection("siteId=").test()(event)
    assert not selection("siteId=1202").test()(event)


@given(
    text=st.text(max_size=6),
    values=st.lists(st.text("ab1. :/-", min_size=1, max_size=3), min_size=1, max_size=3),
    escaped=st.booleans(),
)
def test_a_glance_never_loses_an_event(text: str, values: Sequence[str], escaped: bool) -> None:
    """Whatever is written, with escapes or without: only what cannot be meant is passed over."""
    written = "".join(f"\\u{ord(c):04x}" if escaped and ord(c) < 0x10000 else c for c in text)
    if not escaped or any(0xD800 <= ord(c) < 0xE000 for c in text):
        event = view(siteId=text.encode("utf-8", "replace").decode())
    else:
        event = view(b'{"siteId":"' + written.encode() + b'"}')
    meant = selection(f"siteId={','.join(f'{value!r}' for value in values)}")
    glance = meant.glance()

    if meant.test()(event) and glance is not None:
        assert sees(glance, event.value)


@pytest.mark.parametrize("text", ["plays=100.0", "plays~100*", "plays~*0.0"])
def test_a_number_is_found_however_it_is_written(text: str) -> None:
    """JSON has many ways to write one; a glance for the text of it would find one of them."""
    event = view(b'{"plays":1e2}')
    meant = selection(text)
    glance = meant.glance()

    assert meant.test()(event)
    assert glance is None or sees(glance, event.value)


def test_a_glance_for_a_piece_of_an_object_loses_none() -> None:
    """The text of a list or an object is not how it was written."""
    event = view(b'{"box" : { "w" : 7 }}')
    meant = selection("""'box~*":7}'""", "box~*:7*")

    assert meant.test()(event)
    assert meant.glance() is None


def test_a_glance_looks_for_texts_that_tell_something() -> None:
    """Of a condition, of a glob its longest part, of a time what its bounds have in common."""
    for meant in (selection("siteId=7"), selection("filename~*.webm,spot-?.mov"),
                  Selection(played=Played("2026-11-29 10:00:00", "2026-11-29 11:00:00")),
                  Selection(played=Played("2026-11-29 00:00:00", "2026-12-01 00:00:00"),
                            conditions=selection("filename~*.webm").conditions)):  # fmt: skip
        glance = meant.glance()
        assert glance is not None
        assert not sees(glance, view(siteId="1202", filename="GSTV.spot.mp4").value)
        hit = view(siteId="7", filename="a.webm", startTimestamp="2026-11-29 10:30:00")
        assert sees(glance, hit.value)


TIMES = st.text("0123456789- :", max_size=19).map(lambda text: "2026-11-2" + text[:10])


@given(bounds=st.tuples(TIMES, TIMES).map(sorted), start=TIMES | st.text(max_size=12))
def test_a_glance_for_a_time_never_loses_an_event(bounds: Sequence[str], start: str) -> None:
    """Not even one whose time is no time, and which only sorts between the two."""
    meant = Selection(played=Played(*bounds))
    event = view(startTimestamp=start.encode("utf-8", "replace").decode())
    glance = meant.glance()

    if meant.test()(event) and glance is not None:
        assert sees(glance, event.value)


def test_times_are_half_open() -> None:
    """The first moment is in, the last is not: days side by side share no event."""
    day, next_day = (Played(f"2026-11-{n} 00:00:00", f"2026-11-{n + 1} 00:00:00") for n in (20, 21))
    for start, is_first in (("2026-11-20 23:59:59", True), ("2026-11-21 00:00:00", False)):
        event = view(startTimestamp=start)
        assert Selection(played=day).test()(event) is is_first
        assert Selection(played=next_day).test()(event) is not is_first
    assert Selection(stored=Stored(5, 6)).test()(view(timestamp=5))
    assert not Selection(stored=Stored(5, 6)).test()(view(timestamp=6))
    assert not Selection(played=day).test()(view(b"no JSON"))


def test_what_is_asked_for_is_told() -> None:
    """For people, and for receipts."""
    assert Selection().told() == ["everything"]
    asked = Selection(
        conditions=selection("siteId=1,2,3,4 filename~*.mp4").conditions,
        played=Played("2026-11-20 00:00:00"),
        stored=Stored(0, 86_400_000),
        pop_ids=frozenset((POP_ID,)),
    )
    assert asked.told() == [
        "siteId=1,2,3,...",
        "filename~*.mp4",
        "played from 2026-11-20 00:00:00 in the time of its site",
        "stored from 1970-01-01 00:00:00 to before 1970-01-02 00:00:00 UTC",
        "one of 1 ids",
    ]
