"""Every setting: what it is and its special values. The default stands beside its name.

The text under a field is its documentation everywhere: in the help of commands and in docs.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pop_stream.settings.values import (
    Backoff,
    BootstrapServers,
    File,
    HeaderName,
    Networks,
    Port,
    ProxyUrl,
    Rate,
    RedriveReasons,
    Seconds,
    Secret,
    SigningSecrets,
    Stages,
    Statuses,
    Text,
    TopicName,
    Url,
    Waits,
)


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


class KafkaSettings(_Section):
    """How to reach Kafka."""

    kafka_bootstrap_servers: BootstrapServers = "127.0.0.1:9092"
    """The brokers to ask first, with commas between them. A port that is left out is 9092."""

    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How brokers are spoken to. The PLAINTEXT ones are refused beyond this machine."""

    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = (
        "SCRAM-SHA-512"
    )
    """How we prove who we are, when the security protocol is a SASL one: by user and password, or
    with OAUTHBEARER by a token."""

    kafka_sasl_username: Text | None = None
    """The user, when the security protocol is a SASL one."""

    kafka_sasl_password: Secret | None = None
    """The user's password, when the security protocol is a SASL one. A file of it is read anew when
    it changes."""

    kafka_oauth_url: Annotated[Url | None, Field(repr=False)] = None
    """Where a token for OAUTHBEARER is asked for, by the grant client_credentials. none: the token
    is given (POP_STREAM_KAFKA_OAUTH_TOKEN_FILE)."""

    kafka_oauth_client_id: Text | None = None
    """Who asks for the token. none: nobody does."""

    kafka_oauth_client_secret: Secret | None = None
    """What proves that it is this client. none: no token is asked for."""

    kafka_oauth_scope: Text | None = None
    """What the token is to be good for. none: what its issuer gives to whoever does not say."""

    kafka_oauth_ssl_cafile: File | None = None
    """PEM file of the CAs that the issuer's certificate is checked against. none: the system's."""

    kafka_oauth_token: Secret | None = None
    """A token that somebody else renews, such as that of a service account of Kubernetes: its file
    is read anew when it changes. none: it is asked for at POP_STREAM_KAFKA_OAUTH_URL."""

    kafka_ssl_cafile: File | None = None
    """PEM file of the CAs that brokers' certificates are checked against. none: the system's."""

    kafka_ssl_certfile: File | None = None
    """PEM file of our own certificate, for brokers that ask for one. none: none is shown. This file
    and those of the CAs and of the key are read anew when they change."""

    kafka_ssl_keyfile: File | None = None
    """PEM file of our certificate's key, unencrypted. none: it is in the certificate's file."""

    kafka_allow_plaintext: bool = False
    """Whether brokers beyond this machine, and the issuer of tokens for them, may be spoken to
    without TLS."""


class GstvSettings(_Section):
    """How to reach GSTV."""

    gstv_url: Annotated[Url | None, Field(repr=False)] = None
    """Where each event is POSTed. none: the worker does not start."""

    gstv_timeout_seconds: Seconds = 10.0
    """How long one attempt may take, from the wait for a connection to the answer's last byte."""

    gstv_connect_timeout_seconds: Seconds = 5.0
    """How long name lookup, TCP and TLS may take together."""

    gstv_max_in_flight: Annotated[int, Field(ge=1, le=8192)] = 64
    """How many attempts one worker has under way at once, each on a connection of its own."""

    gstv_rate_limit: Rate | None = None
    """The most attempts a second of all workers together; each has the share of its partitions.
    none: as many as GSTV takes."""

    gstv_retry_after_cap_seconds: Seconds = 900.0
    """The longest wait that GSTV may ask for with Retry-After."""

    gstv_probe_seconds: Seconds = 1.0
    """How long nothing is attempted once nothing can be delivered; then one event probes. Each
    probe that fails doubles the wait."""

    gstv_probe_most_seconds: Seconds = 30.0
    """The longest wait between two probes."""

    gstv_success_statuses: Statuses = "200-299,409"
    """The answers that mean that GSTV has the event. 409 is one: it says "already known"."""

    gstv_ssl_cafile: File | None = None
    """PEM file of the CAs that GSTV's certificate is checked against. none: the system's."""

    gstv_ssl_certfile: File | None = None
    """PEM file of our own certificate, if GSTV asks for one. none: none is shown."""

    gstv_ssl_keyfile: File | None = None
    """PEM file of our certificate's key, unencrypted. none: it is in the certificate's file."""

    gstv_allow_plaintext: bool = False
    """Whether GSTV (its notification URL and its token endpoint, too) may be reached by http
    beyond this machine."""

    gstv_auth: Literal["none", "bearer", "basic", "api-key", "oauth2"] = "none"
    """How we prove to GSTV who we are. api-key: the key in a header of its own; oauth2: a bearer
    token that a token endpoint gives for our client's secret, and that is renewed in time. The
    notification URL is shown nothing of it, nor our certificate, unless its scheme, host and port
    are those of POP_STREAM_GSTV_URL."""

    gstv_auth_token: Secret | None = None
    """With bearer the token, with api-key the key."""

    gstv_auth_header: HeaderName = "X-Api-Key"
    """The header that holds the key, with api-key."""

    gstv_auth_username: Text | None = None
    """The user, with basic."""

    gstv_auth_password: Secret | None = None
    """The user's password, with basic."""

    gstv_oauth_url: Annotated[Url | None, Field(repr=False)] = None
    """The token endpoint, with oauth2. It has POP_STREAM_GSTV_CONNECT_TIMEOUT_SECONDS to answer."""

    gstv_oauth_client_id: Text | None = None
    """Our client's id, with oauth2."""

    gstv_oauth_client_secret: Secret | None = None
    """Our client's secret, with oauth2."""

    gstv_oauth_scope: Text | None = None
    """The scopes that are asked for, with spaces between them, with oauth2. none: those that the
    token endpoint gives by itself."""

    gstv_oauth_ssl_cafile: File | None = None
    """PEM file of the CAs that the token endpoint's certificate is checked against. none: the
    system's."""

    gstv_signing_secrets: SigningSecrets | None = None
    """What each request (to the notification URL, too) is signed with, as Standard Webhooks has
    it: whsec_ and 24 to 64 bytes in base64. While secrets are changed, several with spaces, commas
    or newlines, the newest first: each makes a signature. none: nothing is signed."""

    gstv_allowed_networks: Networks | None = None
    """Networks of private addresses that GSTV's name (that of the notification URL and of the token
    endpoint, too) may lead to. none: public addresses only, and this machine where the URL names
    it."""

    gstv_proxy: Annotated[ProxyUrl | None, Field(repr=False)] = None
    """The forward proxy to GSTV, the notification URL and the token endpoint, spoken to with
    CONNECT. none: no proxy, whatever HTTPS_PROXY and the like say."""

    gstv_proxy_username: Text | None = None
    """The user of the proxy, which is told in the clear. none: the proxy asks for none."""

    gstv_proxy_password: Secret | None = None
    """The password of the proxy's user. none: there is no user."""


class DeliverySettings(_Section):
    """What the worker does with events."""

    stages: Stages = ("forward", "retry", "failure")
    """What this worker does: forward events, retry them, notify failures. Several workers may
    share the stages; each stage needs at least one."""

    group: Text = "pop-stream"
    """The consumer group. Workers of the same group share the partitions."""

    start_without_commit: Literal["refuse", "earliest"] = "refuse"
    """What a worker does when its group's offsets are gone although it has worked before, or cannot
    be, because the topic was made anew. earliest: it begins with the oldest record there is, and
    sends again what was delivered."""

    order: Literal["none", "screen"] = "none"
    """screen: the events of one key are delivered one at a time and in order; while one waits for
    its retry, so do those behind it."""

    retries: Annotated[int, Field(ge=0, le=100)] = 3
    """How many more attempts follow the first before an event is parked. 0: none."""

    retry_backoff_seconds: Backoff = (1.0, 5.0, 30.0)
    """The wait before each retry, give or take 20 %. Further retries wait like the last."""

    auto_redrive: Waits = "1h,6h,24h"
    """How long an event stays parked before it is sent back for one more attempt, until GSTV has
    it; further times wait like the last. Waits are like 90s, 30m, 6h or 2d. off: none is sent
    back."""

    auto_redrive_reasons: RedriveReasons = ("transient",)
    """Which parked events are sent back: transient are those that GSTV failed, rejected those that
    it refused. For a reason that is added, also those that were parked before. What is unfit to be
    sent always stays parked."""

    auto_redrive_rate_limit: Rate = 50.0
    """The most parked events a second that one worker sends back by itself."""

    receipts: Literal["on", "off"] = "off"
    """on: what was delivered, when, and by which attempt is written to the receipts topic before
    its offset is committed, so that nothing counts as done without a proof."""

    validation: Literal["on", "off"] = "on"
    """off: everything that is a JSON object is forwarded, whatever its fields."""

    max_event_bytes: Annotated[int, Field(ge=1024, le=1_000_000)] = 65_536
    """A larger event is not forwarded: it goes to the failure topic at once."""

    max_overlong_seconds: Seconds = 600.0
    """A play that lasted longer is flagged, and forwarded all the same."""

    max_held_events: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """How many unfinished events each stage keeps in memory; the stage retry, where most only
    wait, ten times as many, and with order=screen every stage. At the limit it stops fetching."""

    max_held_bytes: Annotated[int, Field(ge=1024, le=8_589_934_592)] = 67_108_864
    """How many bytes of unfinished events each stage keeps in memory. At the limit it stops
    fetching."""

    commit_interval_seconds: Seconds = 0.1
    """How often finished offsets are committed. What finishes in between is sent again when the
    worker is killed."""

    session_timeout_seconds: Annotated[float, Field(ge=6, le=300)] = 10.0
    """How long Kafka waits for a worker that was killed before another gets its partitions. Kafka
    itself takes 6 at least."""

    drain_seconds: Seconds = 20.0
    """How long a worker that was told to stop waits for attempts under way. Events that are not
    finished by then stay uncommitted, for the next worker."""

    progress_timeout_seconds: Seconds = 50.0
    """A worker that has work and finishes nothing for so long says why and exits."""


class TopicSettings(_Section):
    """The names of the topics, all different."""

    events_topic: TopicName = "pop-events"
    """Where players put events."""

    retry_topic: TopicName = "pop-events-retry"
    """Where events wait for their next attempt."""

    failure_topic: TopicName = "pop-events-failure"
    """Where events are parked that are out of retries or were never fit to be sent."""

    notification_topic: TopicName = "pop-failure-notifications"
    """Where failure notifications go."""

    receipts_topic: TopicName = "pop-receipts"
    """Where it is written down what was delivered, and when, with POP_STREAM_RECEIPTS=on."""

    settled_topic: TopicName = "pop-failures-settled"
    """Where people mark parked events as settled: those are not sent back by themselves."""


class NotificationSettings(_Section):
    """What GSTV is told of a failure."""

    notification_type: Text = "MEDIA_POP_FAILED"
    """The field `notificationType`."""

    notification_profile: Literal["standard", "extended"] = "standard"
    """extended: adds `notificationTimestamp`, `siteId` and `terminalId` to the four fields."""

    notification_url: Annotated[Url | None, Field(repr=False)] = None
    """Where each notification is POSTed besides its topic. none: to the topic only."""


class WatchSettings(_Section):
    """What the worker and `pop-stream watch` show."""

    metrics_host: Text = "127.0.0.1"
    """The address that metrics and health are served on. 0.0.0.0: on all of this machine. On a
    loopback address only requests for the names of this machine are answered, as localhost."""

    metrics_port: Port = 9108
    """The port of metrics and health. 0: a free one, which the log names."""

    watch_port: Port = 9109
    """The port of `pop-stream watch`, on the same address. 0: a free one, which the log names."""

    watch_seconds: Seconds = 15.0
    """How often `pop-stream watch` looks at Kafka."""

    traces: Literal["off", "otlp"] = "off"
    """otlp: a span for each attempt, sent as the OTEL_* variables say; needs the extra `otel`."""

    log_format: Literal["auto", "text", "json"] = "auto"
    """How log lines are written. auto: as text on a terminal, as JSON elsewhere."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least level that is logged. Libraries log from WARNING only, with DEBUG from INFO."""


class Settings(
    WatchSettings,
    NotificationSettings,
    TopicSettings,
    DeliverySettings,
    GstvSettings,
    KafkaSettings,
):
    """The settings in force, frozen. `load_settings` makes them and checks them as a whole."""


#: The settings that name topics.
TOPICS = tuple(TopicSettings.model_fields)

#: In the order in which people read them.
SECTIONS: tuple[type[BaseModel], ...] = (
    KafkaSettings,
    GstvSettings,
    DeliverySettings,
    TopicSettings,
    NotificationSettings,
    WatchSettings,
)
