"""All scenarios: one for each row of the fault table that this machine can play.

Rows by letter: A the worker's process, B Kafka, C the partner, E what the records hold, F the
failure notifications, G delivery receipts (docs/faults.md). Times are seconds from the players'
first event.
"""

from faults.scenarios.gstv import GSTV
from faults.scenarios.kafka import KAFKA
from faults.scenarios.receipts import RECEIPTS
from faults.scenarios.records import RECORDS
from faults.scenarios.worker import WORKER

SCENARIOS = {each.name: each for each in (*WORKER, *KAFKA, *GSTV, *RECORDS, *RECEIPTS)}
