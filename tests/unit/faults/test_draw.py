from collections import Counter

from faults.draw import draw_round
from faults.plan import KillWorker, PauseWorker, StopWorker


def test_the_same_seed_and_number_draw_the_same_round() -> None:
    """A soak that is interrupted goes on as if it had not been."""
    facts = {"seconds": 300.0, "events_per_second": 1.0}

    assert draw_round(3, seed=7, **facts) == draw_round(3, seed=7, **facts)
    assert draw_round(3, seed=7, **facts) != draw_round(4, seed=7, **facts)
    assert draw_round(3, seed=7, **facts) != draw_round(3, seed=8, **facts)


def test_an_hour_has_faults_of_every_kind_and_many_kills() -> None:
    """And the last worker is never struck."""
    rounds = [draw_round(n, seed=1, seconds=300, events_per_second=1) for n in range(12)]
    actions = [action for one in rounds for action in one.actions]
    kinds = Counter(type(action).__name__ for action in actions)

    assert len(kinds) == 8
    assert kinds["KillWorker"] >= 150
    assert len(actions) >= 500
    assert all(
        action.worker < 3
        for action in actions
        if isinstance(action, KillWorker | StopWorker | PauseWorker)
    )
