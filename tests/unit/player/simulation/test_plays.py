from collections import defaultdict
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pop_stream.player.simulation.plays import Network, latest_begin, plays

BEGIN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def network(**changes):
    """Make a network; what is not named is as usual."""
    return Network(**{"sites": 12, "screens_per_site": 4, "seed": 7, "begins_at": BEGIN, **changes})


def events(number=1000, **changes):
    """Read the first events of a network."""
    return [orjson.loads(play.body) for play in plays(network(**changes), number)]


def moment(text):
    """Read a timestamp; local times of one site are compared, so the zone does not matter."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def test_equal_networks_make_equal_plays():
    """The same seed and begin give the same keys, numbers and bytes; another seed does not."""
    first = list(plays(network(), 500))

    assert first == list(plays(network(), 500))
    assert first != list(plays(network(seed=8), 500))


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 12), st.integers(), st.integers(0, 400))
def test_every_event_keeps_the_contract(sites, screens, seed, number):
    """Whatever the network, each event has the required fields as texts and the right key."""
    made = list(plays(network(sites=sites, screens_per_site=screens, seed=seed), number))

    assert len(made) == number
    for play in made:
        event = orjson.loads(play.body)
        optional = {"ioNumber", "screenState"} & event.keys()
        assert event.keys() - optional == {
            "filename",
            "assetId",
            "startTimestamp",
            "endTimestamp",
            "siteId",
            "screenId",
        }
        assert all(isinstance(value, str) and value for value in event.values())
        assert play.key == f"{event['siteId']}/{event['screenId']}".encode()
        assert event.get("screenState", "Full") in {"Full", "Partial"}


def test_the_network_has_its_size():
    """There are as many sites, and as many screens at each, as were asked for."""
    screens = defaultdict(set)
    for event in events(sites=5, screens_per_site=3):
        screens[event["siteId"]].add(event["screenId"])

    assert len(screens) == 5
    assert set(map(frozenset, screens.values())) == {frozenset("123")}


def test_plays_of_a_screen_follow_each_other():
    """On each screen a play of 15 to 30 seconds starts when the one before has ended."""
    last_end = {}
    for event in events():
        screen = event["siteId"], event["screenId"]
        start, end = moment(event["startTimestamp"]), moment(event["endTimestamp"])
        assert timedelta(seconds=15) <= end - start <= timedelta(seconds=30)
        assert timedelta(0) <= start - last_end.get(screen, start) <= timedelta(seconds=1)
        last_end[screen] = end


def test_every_screen_counts_its_plays():
    """The sequence numbers of a screen are 1, 2, 3 and so on."""
    seen = defaultdict(list)
    for play in plays(network(), 1000):
        seen[play.key].append(play.seq)

    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in seen.values())


def test_screens_of_a_site_show_the_same_at_the_same_time():
    """A site's screens differ in nothing but their number."""
    rounds = defaultdict(set)
    for event in events(48):
        del event["screenId"]
        rounds[event["siteId"]].add(orjson.dumps(event))

    assert len(rounds) == 12
    assert all(len(shown) == 1 for shown in rounds.values())


def test_about_two_thirds_have_an_insertion_order():
    """Paid spots carry an ioNumber, the others have no such field."""
    paid = sum("ioNumber" in event for event in events(5000))

    assert paid / 5000 == pytest.approx(2 / 3, abs=0.05)


def test_only_some_sites_have_screens_with_a_state():
    """A site has 12-inch screens, which tell their state, or 5-inch ones, which never do."""
    states = defaultdict(set)
    for event in events(5000):
        states[event["siteId"]].add(event.get("screenState"))

    assert set(map(frozenset, states.values())) == {
        frozenset([None]),
        frozenset(["Full", "Partial"]),
    }


def test_asset_ids_come_in_both_forms():
    """There are ids of 24 hexadecimal digits and UUIDs."""
    assert {len(event["assetId"]) for event in events()} == {24, 36}


@settings(deadline=None)
@given(st.integers(1, 3000), st.integers(1, 8), st.integers(1, 8))
def test_nothing_is_played_in_the_future(number, sites, screens):
    """Begun at the latest begin, no play of any site ends after now, whatever its local time."""
    now = datetime(2026, 3, 1, 12, 0, 0, 654321, tzinfo=UTC)
    begins_at = latest_begin(now, number=number, screens=sites * screens)
    made = events(number, sites=sites, screens_per_site=screens, begins_at=begins_at)

    assert max(moment(event["endTimestamp"]) for event in made) <= now - timedelta(hours=5)
