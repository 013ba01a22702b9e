import os

from faults.memory import Sample, growth_mb_per_hour, resident_megabytes


def test_growth_is_that_of_the_last_process_after_its_beginning() -> None:
    """What it takes to start is no leak, nor is what another process held."""
    other = [Sample(float(second), 1, 500.0 + second) for second in range(0, 200, 2)]
    start = [Sample(200.0 + second, 2, 20.0 + second) for second in range(0, 60, 2)]
    later = [Sample(262.0 + second, 2, 80.0 + second / 3600) for second in range(0, 400, 2)]

    assert round(growth_mb_per_hour([*other, *start, *later]), 3) == 1.0


def test_too_short_a_time_tells_nothing() -> None:
    """It is not taken for a growth."""
    assert growth_mb_per_hour([]) == 0.0
    assert growth_mb_per_hour([Sample(float(n), 1, n * 9.0) for n in range(100)]) == 0.0


def test_a_process_that_is_gone_holds_nothing() -> None:
    """It may go at any moment."""
    assert resident_megabytes(2**30) is None
    assert 1 < (resident_megabytes(os.getpid()) or 0) < 10_000
