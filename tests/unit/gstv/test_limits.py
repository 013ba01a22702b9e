import math
from dataclasses import fields

import pytest

from pop_stream.gstv.limits import ClientLimits


@pytest.mark.parametrize("name", [field.name for field in fields(ClientLimits)])
@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan])
def test_a_limit_that_limits_nothing_is_refused(name: str, value: float) -> None:
    """Every limit must be a number above 0, and the message names it."""
    with pytest.raises(ValueError, match=name):
        ClientLimits(**{name: value})


def test_the_idle_limit_is_below_that_of_common_servers() -> None:
    """A connection is given up before a server with the shortest usual limit (2 s) closes it."""
    assert ClientLimits().idle_seconds < 2
