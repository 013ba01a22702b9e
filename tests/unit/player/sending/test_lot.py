from dataclasses import replace

import orjson

from pop_stream.player.outbox.packing import packed
from pop_stream.player.outbox.row import Row
from pop_stream.player.sending.lot import Fate, Refused, lot_of, too_large
from pop_stream.player.sending.record import Record
from tests.support.filled_outbox import pop_id_of, row, sealed

_CONFIRMED, _UNKNOWN, _REFUSED = Fate.CONFIRMED, Fate.UNKNOWN, Refused("too large")


def pack(*numbers: int) -> Row:
    """A row that holds several plays."""
    return packed([row(n) for n in numbers], pop_id=pop_id_of(1000 + numbers[0]))


def test_a_pack_is_sent_as_the_plays_in_it() -> None:
    """Each under its own id, in their order."""
    lot = lot_of([row(1), pack(2, 3), row(4)])

    assert [dict(each.headers)["pop-seq"] for each in lot.records] == [b"1", b"2", b"3", b"4"]
    assert [each.key for each in lot.records] == [b"7/1"] * 4


def test_each_row_has_its_own_answer() -> None:
    """Confirmed, again, aside."""
    rows = [row(1), row(2), row(3)]
    settled = lot_of(rows).settled([_CONFIRMED, _UNKNOWN, _REFUSED])

    assert settled.acked == [rows[0]]
    assert settled.again == [rows[1]]
    assert [(each.row, each.why) for each in settled.aside] == [(rows[2], "too large")]


def test_of_a_pack_only_the_refused_plays_are_set_aside() -> None:
    """The others are delivered."""
    (aside,) = lot_of([pack(1, 2, 3)]).settled([_CONFIRMED, _REFUSED, _CONFIRMED]).aside

    assert [play.seq for play in aside.plays] == [2]


def test_a_pack_is_sent_again_as_long_as_one_of_it_is_not_known() -> None:
    """What got through of it comes twice, under the same ids."""
    settled = lot_of([pack(1, 2, 3)]).settled([_CONFIRMED, _REFUSED, _UNKNOWN])

    assert [each.number for each in settled.again] == [3]
    assert settled.aside == []


def test_a_row_of_which_no_record_can_be_made_holds_up_nobody() -> None:
    """It has a fitting seal, and is none of ours all the same."""
    odd = sealed(replace(row(2), number=2, body=b"no pack"))
    worse = sealed(row(3, extra=b"[1]"))
    lot = lot_of([row(1), odd, worse, row(4)])
    settled = lot.settled([_CONFIRMED, _CONFIRMED])

    assert [each.id for each in settled.acked] == [1, 4]
    assert [(each.row.id, each.plays) for each in settled.aside] == [(2, ()), (3, ())]


def test_what_no_topic_takes_is_not_sent() -> None:
    """The broker would close the connection on it, again and again."""
    assert too_large(Record(b"", orjson.dumps("x" * (17 << 20)), [])) is not None
    assert too_large(Record(b"", orjson.dumps("x" * (1 << 20)), [])) is None
