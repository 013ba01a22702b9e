"""Every setting: what it is, its special values, its default."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
TopicName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,249}$")]


class Settings(BaseModel):
    """The settings in force, frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kafka_bootstrap_servers: str = "127.0.0.1:9092"
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ssl_cafile: str | None = None
    kafka_ssl_certfile: str | None = None
    kafka_ssl_keyfile: str | None = None
    kafka_allow_plaintext: bool = False

    gstv_url: str | None = None
    gstv_timeout_seconds: Seconds = 10.0
    gstv_connect_timeout_seconds: Seconds = 5.0
    gstv_max_in_flight: Annotated[int, Field(ge=1, le=8192)] = 64
    gstv_success_statuses: str = "200-299,409"
    gstv_ssl_cafile: str | None = None
    gstv_allow_plaintext: bool = False

    retries: Annotated[int, Field(ge=0, le=100)] = 3
    retry_backoff_seconds: tuple[float, ...] = (1.0, 5.0, 30.0)
    validation: Literal["on", "off"] = "on"

    events_topic: TopicName = "pop-events"
    retry_topic: TopicName = "pop-events-retry"
    failure_topic: TopicName = "pop-events-failure"
    notification_topic: TopicName = "pop-failure-notifications"
    receipts_topic: TopicName = "pop-receipts"
    group: str = "pop-stream"
    stages: tuple[Literal["forward", "retry", "failure"], ...] = ("forward", "retry", "failure")

    notification_type: str = "MEDIA_POP_FAILED"
    notification_profile: Literal["standard", "extended"] = "standard"
    notification_url: str | None = None

    commit_interval_seconds: Seconds = 0.1
    drain_seconds: Seconds = 20.0
    max_held_events: Annotated[int, Field(ge=1)] = 10_000
    max_held_bytes: Annotated[int, Field(ge=1)] = 67_108_864
    max_event_bytes: Annotated[int, Field(ge=1)] = 65_536
    max_overlong_seconds: Seconds = 600.0
    progress_timeout_seconds: Seconds = 120.0

    metrics_host: str = "127.0.0.1"
    metrics_port: Port = 9108
    log_format: Literal["auto", "text", "json"] = "auto"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
