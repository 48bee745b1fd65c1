"""What is said when Kafka goes away, and of other errors."""

from confluent_kafka import KafkaError
from structlog.testing import capture_logs

from streaming.kafka.brokers.client import KafkaOutage, client_options, consumer_options
from streaming.settings import load_settings


def test_brokers_that_are_away_are_said_once_and_other_errors_each_time():
    outage = KafkaOutage()
    with capture_logs() as lines:
        for code in (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._TIMED_OUT):
            outage.on_error(KafkaError(code))
        outage.answered()  # of records that were fetched before: it proves nothing
        for _ in range(2):
            outage.on_error(KafkaError(KafkaError._SSL))
    assert [line["event"] for line in lines] == ["waiting for Kafka", *["Kafka reports an error"] * 2]


def test_brokers_gather_for_who_is_patient_and_answer_others_at_once():
    settings, outage = load_settings(), KafkaOutage()
    assert "fetch.min.bytes" not in consumer_options(settings, outage)
    assert consumer_options(settings, outage, patient=True)["fetch.min.bytes"] > 10_000


def test_options_of_the_settings_win():
    settings = load_settings(kafka_bootstrap_servers="a:1", kafka_options={"client.id": "mine", "log_level": "6"})
    options = client_options(settings, KafkaOutage())
    assert options["bootstrap.servers"] == "a:1"
    assert (options["client.id"], options["log_level"]) == ("mine", "6")
