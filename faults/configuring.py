"""Changes a topic's own configuration while it is in use."""

from collections.abc import Mapping

from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

_TIMEOUT_SECONDS = 20.0


def configure(admin: AdminClient, topic: str, entries: Mapping[str, str]) -> None:
    """Set some entries, and leave the others: aiokafka cannot do that. Raises KafkaException."""
    resource = ConfigResource(
        ConfigResource.Type.TOPIC,
        topic,
        incremental_configs=[
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
            for name, value in entries.items()
        ],
    )
    for answer in admin.incremental_alter_configs([resource]).values():
        answer.result(_TIMEOUT_SECONDS)
