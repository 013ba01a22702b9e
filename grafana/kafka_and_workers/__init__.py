"""Which partition, which worker, and what of the machine."""

from typing import Final

from grafana.board import Board
from grafana.kafka_and_workers.group import GROUP_ROW
from grafana.kafka_and_workers.machine import MACHINE
from grafana.kafka_and_workers.partitions import PARTITIONS
from grafana.kafka_and_workers.versions import VERSIONS
from grafana.links import KAFKA

BOARD: Final = Board(
    KAFKA,
    "Which topic, partition or worker is it, and how do the group and the machines do?",
    (PARTITIONS, GROUP_ROW, MACHINE, VERSIONS),
)
