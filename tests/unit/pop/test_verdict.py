import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.pop.backoff import Backoff
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble
from pop_stream.pop.verdict import Delivered, Fail, Hold, Policy, Reason, Retry, Verdict, judge

NOW = 784_111_717.0
#: A minute from then.
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"

DELIVERED = "delivered"
TRANSIENT = "transient"
SLOW_DOWN = "slow-down"
REJECTED = "rejected"
MISCONFIGURED = "misconfigured"
HELD_BACK = "unreachable"

#: The table of CONTRACT section 4: what an answer is. Whatever is left of 4xx is rejected.
CLASSES = {
    DELIVERED: {*range(200, 300), 409},
    TRANSIENT: {408, 425, *range(500, 600)},
    SLOW_DOWN: {429},
    MISCONFIGURED: {401, 403, 407, *range(300, 400)},
    REJECTED: set(range(400, 500)) - {401, 403, 407, 408, 409, 425, 429},
}
#: Without an answer: by what went wrong, before and after a byte of the request was sent.
TROUBLES = {
    Trouble.CONNECT: (HELD_BACK, TRANSIENT),
    Trouble.DNS: (HELD_BACK, TRANSIENT),
    Trouble.TLS: (MISCONFIGURED, MISCONFIGURED),
    Trouble.TIMEOUT: (HELD_BACK, TRANSIENT),
    Trouble.RESET: (HELD_BACK, TRANSIENT),
    Trouble.BAD_RESPONSE: (HELD_BACK, TRANSIENT),
    Trouble.EXHAUSTED: (HELD_BACK, TRANSIENT),
    Trouble.CLOSED: (HELD_BACK, TRANSIENT),
    Trouble.ADDRESS: (MISCONFIGURED, MISCONFIGURED),
    Trouble.PROXY: (MISCONFIGURED, MISCONFIGURED),
    Trouble.TOKEN: (HELD_BACK, TRANSIENT),
    Trouble.CREDENTIALS: (MISCONFIGURED, MISCONFIGURED),
}


def class_of(status: int, retry_after: str | None) -> str:
    """The class of an answer by the contract's table."""
    if status == 503 and retry_after is not None:
        return SLOW_DOWN
    (found,) = (name for name, statuses in CLASSES.items() if status in statuses)
    return found


def verdict(outcome: Outcome, attempts: int = 1, policy: Policy | None = None) -> Verdict:
    """What follows, with the middle of the jitter."""
    return judge(outcome, attempts, policy or Policy(), now=NOW, chance=0.5)


def follows(name: str, attempts: int, policy: Policy) -> Verdict:
    """What follows from a class by the contract, whatever the answer was in detail."""
    match name:
        case "delivered":
            return Delivered()
        case "transient" | "rejected" if attempts > policy.retries:
            return Fail(Reason(name))
        case "transient" | "rejected":
            return Retry(Reason(name), policy.backoff.wait(attempts, 0.5))
        case _:
            return Hold(Reason(name))


def test_the_tables_of_this_test_are_complete() -> None:
    """Each status from 200 to 599 has one class, and each trouble has its row."""
    assert sorted(status for statuses in CLASSES.values() for status in statuses) == [
        *range(200, 600)
    ]
    assert set(TROUBLES) == set(Trouble)


@pytest.mark.parametrize("retries", range(4))
@pytest.mark.parametrize("attempts", range(1, 5))
def test_every_status_means_what_the_contract_says(attempts: int, retries: int) -> None:
    """Each status from 200 to 599, at each attempt, under each number of retries."""
    policy = Policy(retries=retries)
    for status in range(200, 600):
        expected = follows(class_of(status, None), attempts, policy)
        assert verdict(Answer(status), attempts, policy) == expected, status


@pytest.mark.parametrize("attempts", [1, 4, 5])
@pytest.mark.parametrize(("text", "seconds"), [("7", 7.0), ("0", 0.0), (DATE, 60.0),
                                               ("999999", 900.0)])  # fmt: skip
def test_every_status_with_a_retry_after(attempts: int, text: str, seconds: float) -> None:
    """A Retry-After slows down 429 and 503, lasts for holds, and changes nothing else."""
    for status in range(200, 600):
        name = class_of(status, text)
        expected = follows(name, attempts, Policy())
        if isinstance(expected, Hold):
            expected = Hold(expected.reason, seconds)
        assert verdict(Answer(status, text), attempts) == expected, status


@pytest.mark.parametrize("text", ["soon", "-5", "nan", ""])
def test_a_retry_after_that_says_nothing_is_none(text: str) -> None:
    """Only a 503 that says when to come back asks for patience; the others have failed."""
    assert verdict(Answer(503, text)) == Retry(Reason.TRANSIENT, 1.0)
    assert verdict(Answer(429, text)) == Hold(Reason.SLOW_DOWN)
    assert verdict(Answer(401, text)) == Hold(Reason.MISCONFIGURED)


@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize("trouble", Trouble)
@pytest.mark.parametrize("attempts", range(1, 6))
def test_every_trouble_means_what_the_contract_says(
    trouble: Trouble, sent: bool, attempts: int
) -> None:
    """No answer is transient once GSTV may have the event; before, nothing was attempted."""
    expected = follows(TROUBLES[trouble][sent], attempts, Policy())

    assert verdict(NoAnswer(trouble, sent=sent, detail="why"), attempts) == expected


@pytest.mark.parametrize("outcome", [Answer(500), Answer(400), NoAnswer(Trouble.RESET, sent=True)])
@pytest.mark.parametrize("retries", range(4))
def test_an_event_is_attempted_once_and_as_often_again_as_the_policy_says(
    outcome: Outcome, retries: int
) -> None:
    """With three retries exactly the fourth attempt is the last."""
    verdicts = [verdict(outcome, attempts, Policy(retries=retries)) for attempts in range(1, 5)]

    assert [isinstance(each, Fail) for each in verdicts] == [n > retries for n in range(1, 5)]


def test_the_wait_before_a_retry_is_that_of_the_backoff() -> None:
    """The first failure waits for the first time, and chance moves it."""
    policy = Policy(backoff=Backoff((2.0, 8.0)))

    assert judge(Answer(500), 1, policy, now=NOW, chance=0.0) == Retry(Reason.TRANSIENT, 1.6)
    assert judge(Answer(500), 2, policy, now=NOW, chance=0.5) == Retry(Reason.TRANSIENT, 8.0)
    assert judge(Answer(422), 3, policy, now=NOW, chance=0.5) == Retry(Reason.REJECTED, 8.0)


@pytest.mark.parametrize("status", range(200, 600))
def test_the_operator_says_what_success_is(status: int) -> None:
    """Any status may be made a success, and no other one is one then."""
    policy = Policy(success_statuses=frozenset((status,)))

    assert verdict(Answer(status), policy=policy) == Delivered()
    assert verdict(Answer(599 if status == 200 else 200), policy=policy) != Delivered()


@pytest.mark.parametrize("status", [200, 204, 409])
def test_a_2xx_that_is_no_success_is_a_refusal(status: int) -> None:
    """What the operator takes out of the successes is retried, and is never lost."""
    policy = Policy(success_statuses=frozenset((201,)))

    assert verdict(Answer(status), policy=policy) == Retry(Reason.REJECTED, 1.0)


@given(
    st.integers(200, 599),
    st.none() | st.text(max_size=20),
    st.integers(1, 1_000_000),
    st.floats(0, 1, exclude_max=True),
)
def test_no_answer_at_all_is_beyond_judgement(
    status: int, text: str | None, attempts: int, chance: float
) -> None:
    """Whatever comes with an answer, one of the four verdicts follows, and waits are bounded."""
    found = judge(Answer(status, text), attempts, Policy(), now=NOW, chance=chance)

    assert isinstance(found, Delivered | Retry | Fail | Hold)
    if isinstance(found, Retry):
        assert 0 < found.wait_seconds <= 36
    if isinstance(found, Hold):
        assert found.seconds is None or 0 <= found.seconds <= 900
