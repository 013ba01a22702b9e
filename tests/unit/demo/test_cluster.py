import pytest

from pop_stream.demo.cluster import environment_of, kafka_for, names_own_kafka
from pop_stream.settings import Settings, load_settings


def own(**values):
    """Make settings in which the user named a Kafka."""
    return Settings(kafka_bootstrap_servers="kafka.example:9093", **values)


def test_a_child_gets_the_settings_of_the_run_and_no_others():
    """What the user has set for the real worker does not reach the demo's."""
    base = {
        "PATH": "/bin",
        "POP_STREAM_GSTV_URL": "https://real.example/",
        "POP_STREAM_RETRIES": "9",
    }
    environment = environment_of(Settings(retry_backoff_seconds=(0.5, 1.0, 2.0)), base)

    assert environment == {"PATH": "/bin", "POP_STREAM_RETRY_BACKOFF_SECONDS": "0.5,1,2"}


def test_settings_survive_the_way_through_the_environment():
    """Whatever the run sets, a child loads the same values, secrets included."""
    settings = own(
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_username="pop",
        kafka_sasl_password="s3cret, with spaces",
        retry_backoff_seconds=(0.5, 1.0),
        stages=("retry", "failure"),
        kafka_allow_plaintext=True,
        metrics_port=0,
    )

    assert load_settings(environment_of(settings, {}), dotenv=None) == settings


def test_only_a_kafka_that_was_named_is_used():
    """The default address is not the user's word."""
    assert names_own_kafka(own())
    assert not names_own_kafka(Settings())


def test_on_the_users_kafka_the_run_keeps_to_itself():
    """Topics and group are the run's own; how to reach Kafka is the user's; the rest is default."""
    settings = own(kafka_security_protocol="SSL", retries=9, events_topic="pop-events")
    with kafka_for(settings, downloading=pytest.fail) as first:
        pass
    with kafka_for(settings, downloading=pytest.fail) as second:
        pass

    assert first.kafka_bootstrap_servers == "kafka.example:9093"
    assert first.kafka_security_protocol == "SSL"
    assert first.retries == Settings().retries
    assert first.group.startswith("pop-demo-")
    assert first.events_topic == f"{first.group}-pop-events"
    assert first.group != second.group
