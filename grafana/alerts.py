"""The alerts that panels speak of, and the limits that alerts and panels share.

A colour that changes at another value than the alert's teaches people to distrust both.
"""

from enum import StrEnum
from typing import Final

#: What fires of docker/prometheus/rules: a Prometheus may have the rules of others, too.
FIRING: Final = 'ALERTS{alertstate="firing", service="pop-stream"}'
#: Where the page of an alert is, below the address in the variable `runbooks`.
RUNBOOK: Final = "${{runbooks:raw}}/{alert}.md"


class Alert(StrEnum):
    """The alerts to which a panel belongs; each has its page `docs/runbooks/<Alert>.md`."""

    OLDEST_TOO_OLD = "OldestUndeliveredTooOld"
    RETENTION_DEADLINE = "RetentionDeadline"
    LOST_TO_RETENTION = "EventsLostToRetention"
    BUDGET_BURN = "DeliveryBudgetBurn"
    DELIVERY_SLOW = "DeliverySlow"
    CONSUMER_STALLED = "ConsumerStalled"
    FALLING_BEHIND = "FallingBehind"
    NO_WORKERS = "NoWorkers"
    PROBE_BLIND = "BacklogProbeBlind"
    AWAITING_REDRIVE = "FailedEventsAwaitingRedrive"
    FAILED_GROWING = "FailedEventsGrowing"
    NOTIFICATIONS_FAILING = "FailureNotificationsFailing"
    AUTH_REJECTED = "PartnerAuthRejected"
    PARTNER_UNAVAILABLE = "PartnerUnavailable"
    PARTNER_THROTTLING = "PartnerThrottling"
    POISON = "PoisonEvents"
    STUCK_IN_FLIGHT = "StuckInFlight"
    REBALANCE_STORM = "RebalanceStorm"
    LOOP_BLOCKED = "EventLoopBlocked"
    SATURATED = "Saturated"
    NO_TRAFFIC = "NoTraffic"
    TARGET_DOWN = "TargetDown"


#: The oldest undelivered event: a warning, and a page.
OLD_SECONDS: Final = 300
TOO_OLD_SECONDS: Final = 900
#: What is left until Kafka may delete what is owed.
HEADROOM_SECONDS: Final = 6 * 3600
#: Since `pop-stream watch` last saw Kafka.
BLIND_SECONDS: Final = 300
#: A parked event that nobody has cared for.
PARKED_SECONDS: Final = 24 * 3600
#: The share of events that may fail for good: 99.9 % are to be delivered.
BUDGET: Final = 0.001
#: How much faster than the budget allows: two pages (1 h, 6 h) and two tickets (1 d, 3 d).
BURNS: Final = (14.4, 6, 3, 1)
#: 99 % of events are to be delivered within this time.
FRESH_SECONDS: Final = 60
#: The share of slow events that is told of: six times what is allowed.
SLOW_SHARE: Final = 0.06
#: The share of attempts that fail because of GSTV, and that are refused for who we are.
FAILING_SHARE: Final = 0.2
REFUSED_SHARE: Final = 0.5
#: How full the room for attempts is.
SATURATED_SHARE: Final = 0.9
LOOP_LAG_SECONDS: Final = 1
#: An attempt that takes so many times the longest that it may take.
STUCK_TIMEOUTS: Final = 3
